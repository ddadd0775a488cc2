"""Reads a Parquet file with DuckDB, into a file of rows. Pure.

DuckDB is native code, and a damaged file may ask it for any amount of memory, so this is called in
a process with limits. It may open the file, and write the rows, and nothing else.
"""

import os
import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ingestion.errors import FULL
from ingestion.parsing.limits import MAX_COLUMNS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Of the memory that the process may take.
MEMORY = "700MB"
# Cells of these types, and of lists, become JSON; others are cast.
NESTED = ("STRUCT", "MAP", "UNION", "LIST", "VARIANT")
QUOTE = "\x01"


@dataclass(slots=True)
class Converted:
    """What was read: the names of the columns, their types, and how many rows there are.

    ``refusal`` says why nothing was read; ``is_too_large``: the rows have more bytes than allowed.
    """

    names: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    rows: int = 0
    refusal: str = ""
    is_too_large: bool = False


def convert(path: Path, rows: Path | None, *, most: int) -> Converted:
    """Write the rows to the file ``rows``: a JSON list of texts, or null, in each line.

    The file may have ``most`` bytes. Without ``rows``, or with too many columns, only the columns
    are read.
    """
    # Loaded when it is needed: most processes start without it.
    import duckdb

    found = Converted()
    with tempfile.TemporaryDirectory() as folder:
        # A name without characters that mean something to DuckDB.
        file, made = Path(folder) / "file.parquet", Path(folder) / "rows"
        file.symlink_to(path.absolute())
        duck = _engine([file, made])
        try:
            _read_columns(duck, file, found)
            if rows is not None and len(found.names) <= MAX_COLUMNS:
                with _size_limited(most):
                    _write(duck, file, made, found)
        except duckdb.OutOfMemoryException:
            found.refusal = "its rows need too much memory. Save it with smaller row groups."
        except duckdb.Error as error:
            said = str(error)
            found.is_too_large = any(os.strerror(code) in said for code in FULL)
            found.refusal = _refusal(said)
        finally:
            duck.close()
        if rows is not None and made.exists():
            made.replace(rows)
    return found


def _engine(paths: list[Path]) -> "DuckDBPyConnection":
    """A DuckDB that can open these files only, and load nothing."""
    import duckdb

    duck = duckdb.connect(
        config={
            "threads": 1,
            "memory_limit": MEMORY,
            "temp_directory": "",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    allowed = ", ".join(f"'{path}'" for path in paths)
    duck.execute(f"SET TimeZone = 'UTC'; SET allowed_paths = [{allowed}]")
    duck.execute("SET enable_external_access = false; SET lock_configuration = true")
    return duck


def _read_columns(duck: "DuckDBPyConnection", file: Path, found: Converted) -> None:
    # Not as DuckDB names them, which does not tell names apart by case.
    schema = duck.execute(
        "SELECT name, num_children FROM parquet_schema($file)", {"file": str(file)}
    ).fetchall()
    found.names = list(_top_names(schema))
    found.types = [
        row[1]
        for row in duck.execute(f"DESCRIBE SELECT * FROM {_table(file)}").fetchall()  # noqa: S608
    ]
    if len(found.names) != len(found.types):
        found.refusal = "the Parquet file is damaged: its columns are not those of its schema."
    (found.rows,) = duck.execute(f"SELECT count(*) FROM {_table(file)}").fetchall()[0]  # noqa: S608


def _top_names(schema: list[tuple[str, int | None]]) -> Iterator[str]:
    """The names below the root of a schema, which lists each element before its children."""
    # How many elements are still to come on each level.
    open_levels: list[int] = []
    for name, children in schema:
        if len(open_levels) == 1:
            yield name
        if open_levels:
            open_levels[-1] -= 1
        open_levels.append(children or 0)
        while open_levels and not open_levels[-1]:
            open_levels.pop()


def _write(duck: "DuckDBPyConnection", file: Path, made: Path, found: Converted) -> None:
    if found.refusal:
        return
    cells = ", ".join(_text(f"c{place}", each) for place, each in enumerate(found.types))
    names = ", ".join(f"c{place}" for place in range(len(found.types)))
    duck.execute(
        f"COPY (SELECT to_json([{cells}])::VARCHAR FROM {_table(file)} AS rows({names})) "  # noqa: S608
        f"TO '{made}' (FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '{QUOTE}', "
        f"ESCAPE '{QUOTE}')"
    )


def _table(file: Path) -> str:
    return f"read_parquet('{file}', hive_partitioning = false)"


def _text(cell: str, of_type: str) -> str:
    """The SQL of a cell as text: as JSON writes it if it is nested; moments as ISO 8601."""
    if of_type.endswith("]") or of_type.startswith(NESTED):
        return f"CASE WHEN {cell} IS NOT NULL THEN to_json({cell})::VARCHAR END"
    if of_type.startswith("TIMESTAMP WITH"):
        return f"regexp_replace(replace({cell}::VARCHAR, ' ', 'T'), '[+]00$', 'Z')"
    if of_type.startswith("TIMESTAMP"):
        return f"replace({cell}::VARCHAR, ' ', 'T')"
    if of_type == "BLOB":
        # Some programs write texts without saying so.
        return f"coalesce(TRY(decode({cell})), {cell}::VARCHAR)"
    return f"{cell}::VARCHAR"


@contextmanager
def _size_limited(most: int) -> Iterator[None]:
    """A file that is written can't have more bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _refusal(error: str) -> str:
    if "encrypt" in error.lower():
        return "it is an encrypted Parquet file. Save it without encryption."
    if "UTF-8" in error or "Invalid string encoding" in error:
        return "a text in the Parquet file is not valid UTF-8. Save the file again."
    return "the Parquet file is damaged or incomplete. Save it again, or as CSV."
