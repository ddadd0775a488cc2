"""Reads records with their current results from the database into DuckDB.

The database gives each record as a line of text, and DuckDB takes the JSON apart.
"""

import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from django.db import connection

from explore.columns.ranges import Range
from explore.columns.schema import FIXED, Column, Kind, Relation, Type, literal, named, quoted
from records.database import bulk

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# A character that no JSON holds as it is.
QUOTE = "\x01"
# What a line may hold at first; if there is a longer one, all are read with more memory.
LINE_BYTES = 2 << 20

# By the indexes, in the order of ids: by itself PostgreSQL would read both tables as a whole for
# each of many ranges, and sort what it finds.
_PLANS = ("enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "jit")
_IN_ORDER = "; ".join(f"SET LOCAL {name} = off" for name in _PLANS)
_AS_USUAL = "; ".join(f"SET LOCAL {name} TO DEFAULT" for name in _PLANS)
# Whether JSON may have cells that are no texts. It finds all of these, and few others.
_HAS_OTHERS = """regexp_matches(data, '": ?[^" ]')"""
# All cells as the texts that the explorer compares.
_POSTGRESQL_TEXTS = "(SELECT jsonb_object_agg(key, value)::text FROM jsonb_each_text(r.data))"
_SQLITE_TEXTS = """
    (SELECT json_group_object(key, CASE type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false'
        WHEN 'null' THEN NULL ELSE value || '' END) FROM json_each(r.data))"""

# The cells of a line: their types, and their SQL.
_LINE = {
    "id": ("VARCHAR", "r.id"),
    "timestamp": ("TIMESTAMPTZ", "r.timestamp"),
    "created_at": ("TIMESTAMPTZ", "r.created_at"),
    "processed_at": ("TIMESTAMPTZ", "r.processed_at"),
    "status": ("VARCHAR", "r.status"),
    "run_id": ("BIGINT", "r.run_id"),
    "line": ("BIGINT", "r.line"),
    "version": ("INTEGER", "r.version"),
    "closed": ("BOOLEAN", "r.closed_by_id IS NOT NULL"),
    "success": ("BOOLEAN", "p.success"),
    "value": ("DOUBLE", "p.value"),
    "category": ("VARCHAR", "p.category"),
    "error_message": ("VARCHAR", "p.error_message"),
    "anomaly": ("VARCHAR", "p.anomaly"),
    "repaired": ("BOOLEAN", "p.repaired"),
    "unread": ("BOOLEAN", "p.unread"),
    "errors": ("VARCHAR", "p.errors"),
    "repairs": ("VARCHAR", "p.repairs"),
    "data": ("VARCHAR", "r.data"),
    "processed": ("VARCHAR", "p.processed_data"),
}
# A cell of a line: its type in DuckDB, and its SQL.
_Cell = tuple[str, str]
# A condition on ids, and its parameters.
_Part = tuple[str, Sequence[Any]]
# What has to be quoted, as it may hold anything.
_TEXTS = ("id", "category", "error_message", "anomaly")

_MADE = {
    "source": "split_part(id, ':', 1)",
    "error_rules": "json_extract_string(errors, '$[*].rule')",
    "repair_rules": "json_extract_string(repairs, '$[*].rule')",
    "repaired_columns": "json_extract_string(repairs, '$[*].column')",
}


def stage(
    duck: "DuckDBPyConnection",
    table: str,
    *,
    ranges: Collection[Range] = (),
    ids: Collection[str] = (),
    is_read_once: bool = False,
) -> Relation:
    """Read the records of these ids, each once, into a temporary table, in the order of their ids.

    Those that do not exist are left out. Ids must not lie in the ranges, nor ranges overlap. What
    ``is_read_once`` is only taken apart when it is read.
    """
    lines = f"{table}_lines"
    parts: list[_Part] = [("{0} >= %s AND {0} < %s", list(each)) for each in sorted(ranges)]
    if ids:
        condition, among = bulk.among("{0}", ids)
        parts.append((condition, [among]))
    _fetch(duck, lines, parts, _LINE)
    _make_texts(duck, lines)
    data = _names(duck, lines, "data")
    processed = _names(duck, lines, "processed")
    types = _types(duck, lines, processed)
    columns = named(
        [
            *(("data", name, "VARCHAR") for name in data),
            *(("result", name, of_type) for name, of_type in types.items()),
        ]
    )
    kind = "VIEW" if is_read_once else "TABLE"
    duck.execute(f"CREATE OR REPLACE TEMP {kind} {table} AS {_taken_apart(lines, columns)}")
    if not is_read_once:
        duck.execute(f"DROP TABLE {lines}")
    return Relation(table, columns)


def _make_texts(duck: "DuckDBPyConnection", lines: str) -> None:
    """Make all cells of the data texts, which nearly all are as they are."""
    found = duck.execute(f"SELECT id FROM {lines} WHERE {_HAS_OTHERS}").fetchall()  # noqa: S608
    if not found:
        return
    texts = _POSTGRESQL_TEXTS if bulk.is_postgresql() else _SQLITE_TEXTS
    condition, among = bulk.among("{0}", [record_id for (record_id,) in found])
    line = {"id": _LINE["id"], "data": ("VARCHAR", texts)}
    _fetch(duck, "texts", [(condition, [among])], line)
    duck.execute(f"UPDATE {lines} SET data = texts.data FROM texts WHERE texts.id = {lines}.id")  # noqa: S608
    duck.execute("DROP TABLE texts")


def _fetch(
    duck: "DuckDBPyConnection", table: str, parts: Sequence[_Part], line: Mapping[str, _Cell]
) -> None:
    """Make a table of the lines of records, of which each part meets a condition on its id."""
    with tempfile.TemporaryDirectory(prefix="columns-") as folder:
        path = Path(folder) / "lines"
        with path.open("wb") as file:
            for condition, parameters in parts:
                _write(file, condition, parameters, line)
        _read(duck, table, path, line)


def _write(
    file: IO[bytes], condition: str, parameters: Sequence[Any], line: Mapping[str, _Cell]
) -> None:
    with connection.cursor() as cursor:
        if bulk.is_postgresql():
            query = _query(", ".join(sql for _, sql in line.values()), condition)
            sql = cursor.mogrify(query, [*parameters, *parameters]).decode()
            cursor.execute(_IN_ORDER)
            cursor.copy_expert(
                f"COPY ({sql}) TO STDOUT (FORMAT csv, DELIMITER E'\\t', QUOTE E'\\x01')", file
            )
            cursor.execute(_AS_USUAL)
            return
        cells = (_sqlite_cell(name, of_type, sql) for name, (of_type, sql) in line.items())
        cursor.execute(_query(" || char(9) || ".join(cells), condition), [*parameters, *parameters])
        while rows := cursor.fetchmany(2_000):
            file.write("".join([f"{row}\n" for (row,) in rows]).encode())


def _sqlite_cell(name: str, of_type: str, sql: str) -> str:
    if name in _TEXTS:
        sql = f"char(1) || replace({sql}, char(1), char(1) || char(1)) || char(1)"
    elif of_type == "TIMESTAMPTZ":
        sql = f"{sql} || '+00'"
    elif of_type == "DOUBLE":
        sql = f"CASE WHEN {sql} IS NOT NULL THEN printf('%%!.17g', {sql}) END"
    return f"coalesce({sql}, '')"


def _query(cells: str, condition: str) -> str:
    return (
        f"SELECT {cells} FROM data_records AS r "  # noqa: S608 (words of ours)
        "LEFT JOIN processing_results AS p ON p.record_id = r.id AND p.current "
        f"AND {condition.format('p.record_id')} WHERE {condition.format('r.id')} ORDER BY r.id"
    )


def csv_options() -> str:
    """Options of DuckDB for lines of cells between tabs; texts are in QUOTE, NULL is nothing."""
    return (
        f"auto_detect = false, header = false, delim = '\t', quote = '{QUOTE}', "
        f"escape = '{QUOTE}', new_line = '\\n', nullstr = '', allow_quoted_nulls = false"
    )


def _read(duck: "DuckDBPyConnection", table: str, path: Path, line: Mapping[str, _Cell]) -> None:
    import duckdb

    types = ", ".join(f"{literal(name)}: '{of_type}'" for name, (of_type, _) in line.items())

    def read(most: int) -> None:
        duck.execute(
            f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT * FROM read_csv("  # noqa: S608
            f"{literal(str(path))}, {csv_options()}, max_line_size = {most}, columns = {{{types}}})"
        )

    try:
        read(LINE_BYTES)
    except duckdb.InvalidInputException:
        size = path.stat().st_size
        if size <= LINE_BYTES:
            raise
        read(size)


def _names(duck: "DuckDBPyConnection", table: str, column: str) -> list[str]:
    """The names of all cells of the objects in a column of JSON."""
    found = duck.execute(
        f"SELECT DISTINCT unnest(names) FROM (SELECT DISTINCT json_keys({column}) AS names "  # noqa: S608
        f"FROM {table} WHERE {column} IS NOT NULL)"
    ).fetchall()
    return sorted(name for (name,) in found)


def _paths(names: Sequence[str]) -> str:
    """The paths of cells, as a list in SQL."""
    pointers = ("/" + name.replace("~", "~0").replace("/", "~1") for name in names)
    return "[" + ", ".join(map(literal, pointers)) + "]"


def _types(duck: "DuckDBPyConnection", table: str, names: Sequence[str]) -> dict[str, Type]:
    """Whether all cells of columns of results are numbers that a double holds as they are."""
    if not names:
        return {}
    tests = ", ".join(
        f"count(*) FILTER (WHERE {_is_cell(cell)}), "
        f"count(*) FILTER (WHERE {_is_cell(cell)} AND {_is_held(cell)} IS NOT TRUE)"
        for cell in (f"cells[{place}]" for place in range(1, len(names) + 1))
    )
    (counts,) = duck.execute(
        f"SELECT {tests} FROM (SELECT json_extract(processed, {_paths(names)})::VARCHAR[] AS cells "  # noqa: S608
        f"FROM {table} WHERE processed IS NOT NULL)"
    ).fetchall()
    pairs = zip(names, counts[::2], counts[1::2], strict=True)
    return {name: _type(filled, others) for name, filled, others in pairs}


def _type(filled: int, others: int) -> Type:
    if not filled:
        return "UNKNOWN"
    return "VARCHAR" if others else "DOUBLE"


def _is_cell(cell: str) -> str:
    return f"{cell} <> 'null'"


def _is_held(cell: str) -> str:
    """Whether JSON is a number that a double holds exactly as Python reads it."""
    return (
        f"CASE WHEN NOT regexp_matches({cell}, '^[-0-9]') THEN FALSE "
        f"WHEN regexp_matches({cell}, '[.eE]') THEN isfinite(TRY_CAST({cell} AS DOUBLE)) "
        f"ELSE TRY_CAST(TRY_CAST({cell} AS DOUBLE) AS HUGEINT) = TRY_CAST({cell} AS HUGEINT) END"
    )


def _taken_apart(lines: str, columns: Sequence[Column]) -> str:
    """The SQL that makes records of their lines."""

    def names(kind: Kind) -> list[str]:
        return [column.name for column in columns if column.kind == kind]

    cells = [f"{_MADE.get(name, name)} AS {name}" for name in FIXED]
    places = {"data": 0, "result": 0}
    for column in columns:
        places[column.kind] += 1
        cell = f"{column.kind}_cells[{places[column.kind]}]"
        if column.type == "DOUBLE":
            cell = f"TRY_CAST({cell} AS DOUBLE)"
        elif column.kind == "result":
            # A number is the same text wherever the type of its column has changed.
            cell = (
                f"CASE WHEN {_is_held(cell)} THEN CAST(CAST({cell} AS DOUBLE) AS VARCHAR) "
                f"ELSE json_extract_string({cell}, '$') END"
            )
        cells.append(f"{cell} AS {quoted(column.physical)}")
    taken = ["*"]
    if data := names("data"):
        taken.append(f"json_extract_string(data, {_paths(data)}) AS data_cells")
    if results := names("result"):
        taken.append(f"json_extract(processed, {_paths(results)})::VARCHAR[] AS result_cells")
    return f"SELECT {', '.join(cells)} FROM (SELECT {', '.join(taken)} FROM {lines})"  # noqa: S608
