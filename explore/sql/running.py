"""Runs a statement with DuckDB. Pure: no Django, no tables.

To be called in a process of its own with limits of time and memory. DuckDB can open the files that
it was given and nothing else, loads no extensions, and the process can write no file but a result.
"""

import math
import os
import resource
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from explore.sql.statement import StatementError, checked, sentence

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Kind = Literal["rows", "parquet"]

MOST_ROWS = 10_000
MOST_BYTES = 16 << 20
RESULT = "result.parquet"
# Types of which JSON and tables show the value itself; of others, the text that DuckDB makes.
NUMBERS = frozenset(
    {
        "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER",
        "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE",
    }
)  # fmt: skip
PLAIN = NUMBERS | {"BOOLEAN", "VARCHAR"}
TOO_LARGE = (
    f"The result has more than {MOST_BYTES >> 20} MiB. Select fewer columns or rows, for example "
    "with LIMIT."
)
NO_MEMORY = (
    "The statement needs more memory than DATAFLOW_COLUMNS_MEMORY_MB allows. Filter more, or group "
    "by fewer values."
)


@dataclass(frozen=True, slots=True)
class Given:
    """What a statement may read: ``folder`` has these files and nothing else, and ``setup`` is the
    SQL that makes ``tables`` of them."""

    folder: Path
    files: Sequence[str]
    setup: Sequence[str]
    tables: Sequence[str]


@dataclass(slots=True)
class Outcome:
    """What a statement has given; ``refusal`` says why it has not.

    ``is_cut``: there are more rows than these. ``content`` is the result as Parquet.
    """

    columns: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    rows: list[list[Any]] = field(default_factory=list)
    is_cut: bool = False
    content: bytes = b""
    refusal: str = ""


def run(statement: str, given: Given, *, kind: Kind, memory_mb: int) -> Outcome:
    """Run a statement; at most MOST_ROWS rows of what it finds are returned."""
    import duckdb

    os.chdir(given.folder)
    most = MOST_BYTES if kind == "parquet" else 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    found = Outcome()
    try:
        with _opened(given, memory_mb) as duck:
            understood = checked(duck, statement, given.tables)
            _bind(duck, statement)
            asked = duck.sql(understood)
            found.columns, found.types = list(asked.columns), list(map(str, asked.types))
            _take(duck, understood, found, kind)
    except StatementError as error:
        found.refusal = str(error)
    except (duckdb.OutOfMemoryException, MemoryError):
        found.refusal = NO_MEMORY
    except duckdb.Error as error:
        found.refusal = TOO_LARGE if "File too large" in str(error) else sentence(error)
    return found


def _opened(given: Given, memory_mb: int) -> "DuckDBPyConnection":
    import duckdb

    duck = duckdb.connect(
        config={
            "threads": 1,
            "memory_limit": f"{memory_mb}MB",
            "temp_directory": "",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "python_enable_replacements": False,
        }
    )
    allowed = ", ".join(f"'{name}'" for name in (*given.files, RESULT))
    duck.execute(f"SET TimeZone = 'UTC'; SET allowed_paths = [{allowed}]")
    for sql in given.setup:
        duck.execute(sql)
    duck.execute("SET enable_external_access = false; SET lock_configuration = true")
    return duck


def _bind(duck: "DuckDBPyConnection", statement: str) -> None:
    """Find mistakes in a statement that was checked, with their positions."""
    import duckdb

    try:
        duck.execute(f"PREPARE bound AS\n{statement}")
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        raise StatementError(sentence(error, lines_before=1)) from error


def _take(duck: "DuckDBPyConnection", understood: str, found: Outcome, kind: Kind) -> None:
    """The rows of the result, as values of JSON or as a file."""
    names = [f"c{place}" for place in range(len(found.types))]
    # The rows keep the order that the statement gives them.
    source = f"({understood}) AS result({', '.join(names)}) LIMIT {MOST_ROWS + 1}"
    if kind == "parquet":
        labels = [f"{name} AS {label}" for name, label in zip(names, _labels(found), strict=True)]
        written = duck.execute(
            f"COPY (SELECT {', '.join(labels)} FROM {source}) TO '{RESULT}' "  # noqa: S608 (parsed)
            "(FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)"
        ).fetchall()
        found.is_cut = written[0][0] > MOST_ROWS
        found.content = Path(RESULT).read_bytes()
        return
    cells = [
        name if of_type in PLAIN else f"{name}::VARCHAR"
        for name, of_type in zip(names, found.types, strict=True)
    ]
    result = duck.execute(f"SELECT {', '.join(cells)} FROM {source}")  # noqa: S608 (parsed)
    size = 0
    while rows := result.fetchmany(500):
        for row in rows:
            if len(found.rows) == MOST_ROWS:
                found.is_cut = True
                return
            cells_of_row = list(map(_value, row))
            size += sum(len(cell) if isinstance(cell, str) else 8 for cell in cells_of_row)
            if size > MOST_BYTES:
                raise StatementError(TOO_LARGE)
            found.rows.append(cells_of_row)


def _labels(found: Outcome) -> list[str]:
    """The names of the columns as identifiers, each another one."""
    taken: set[str] = set()
    labels = []
    for name in found.columns:
        label, number = name or "column", 1
        while label.casefold() in taken:
            number += 1
            label = f"{name}~{number}"
        taken.add(label.casefold())
        labels.append('"' + label.replace('"', '""') + '"')
    return labels


def _value(cell: Any) -> Any:
    """A cell as JSON can hold it."""
    if isinstance(cell, float) and not math.isfinite(cell):
        return str(cell)
    if isinstance(cell, Decimal):
        return str(cell)
    return cell
