"""Hands records over to another process: as files, and the SQL of a table for each source."""

import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from explore.columns.schema import (
    FIXED,
    Column,
    Relation,
    common_columns,
    distinct,
    quoted,
    reading,
    sql_type,
    united,
)
from explore.columns.segments import columns_of
from explore.columns.snapshot import AsOf, snapshot
from explore.sql.running import Given
from records.models import ColumnSegment, Source

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# What is told of each record besides its cells: the column of the column store.
FACTS = {
    "record_id": "id",
    "record_timestamp": "timestamp",
    "record_status": "status",
    "record_run": "run_id",
    "record_line": "line",
    "record_version": "version",
    "record_created_at": "created_at",
    "record_processed_at": "processed_at",
    "record_error": "error_message",
    "record_anomaly": "anomaly",
    "record_repaired": "repaired",
}


def table_names() -> dict[str, str]:
    """The tables of the sources that may be seen: the name of each, which DuckDB can tell from the
    others, and its source."""
    sources = Source.objects.names()
    return dict(zip(distinct(sources), sources, strict=True))


def columns_of_tables() -> dict[str, list[tuple[str, str]]]:
    """The columns of each table with their types, as far as they are known without reading any."""
    tables = table_names()
    expected = dict(Source.objects.values_list("name", "columns"))
    relations: dict[str, list[Relation]] = {name: [] for name in tables.values()}
    found = ColumnSegment.objects.filter(replaced_at=None, source__in=relations)
    for source, columns in found.values_list("source", "columns"):
        relations[source].append(Relation("", columns_of(columns)))
    return {
        table: [
            (name, of_type)
            for name, _, of_type in _columns(common_columns(relations[source]), expected[source])
        ]
        for table, source in tables.items()
    }


@contextmanager
def handed_over(
    tables: Mapping[str, str], *, is_patient: bool = False
) -> Iterator[tuple[Given, AsOf]]:
    """The records that these tables have now, in a folder that is gone afterwards."""
    expected = dict(Source.objects.filter(name__in=tables.values()).values_list("name", "columns"))
    with tempfile.TemporaryDirectory(prefix="sql-") as made:
        folder = Path(made)
        with snapshot(sources=list(tables.values()), is_patient=is_patient) as seen:
            setup, files = _staged(seen.connection, folder)
            for table, source in tables.items():
                linked = [_linked(each, folder, files) for each in seen.relations.get(source, ())]
                setup.append(_view(table, linked, expected.get(source, [])))
            as_of = seen.as_of
        yield Given(folder, files, setup, list(tables)), as_of


def _staged(duck: "DuckDBPyConnection", folder: Path) -> tuple[list[str], list[str]]:
    """Write what was read from the database as files; the SQL to read them, and their names."""
    tables = duck.execute(
        "SELECT table_name FROM duckdb_tables() WHERE temporary ORDER BY table_name"
    ).fetchall()
    setup, files = [], []
    for (table,) in tables:
        file = f"{table}.parquet"
        duck.execute(f"COPY {table} TO '{folder / file}' (FORMAT parquet)")
        setup.append(f"CREATE VIEW {table} AS SELECT * FROM {reading([Path(file)])}")  # noqa: S608
        files.append(file)
    return setup, files


def _linked(relation: Relation, folder: Path, files: list[str]) -> Relation:
    """The relation with names in the folder instead of paths, which nobody is to learn."""
    if not relation.files:
        return relation
    names = []
    for path in relation.files:
        name = f"{len(files)}.parquet"
        (folder / name).symlink_to(path)
        names.append(name)
        files.append(name)
    return replace(relation, sql=reading(map(Path, names)))


def _view(table: str, relations: Sequence[Relation], expected: Sequence[str]) -> str:
    columns = common_columns(relations)
    cells = ", ".join(f"{cell} AS {quoted(name)}" for name, cell, _ in _columns(columns, expected))
    return (
        f"CREATE VIEW {quoted(table)} AS SELECT {cells} "  # noqa: S608 (quoted)
        f"FROM ({united(relations, columns)}) WHERE NOT closed"
    )


def _columns(columns: Sequence[Column], expected: Collection[str]) -> list[tuple[str, str, str]]:
    """The columns of a table: the name, the SQL and the type of each."""
    order = {name: place for place, name in enumerate(expected)}
    cells = sorted(columns, key=lambda each: (each.kind, order.get(each.name, len(order))))
    known = {each.name for each in cells if each.kind == "data"}
    missing = [name for name in expected if name not in known]
    told = [(name, quoted(cell), FIXED[cell]) for name, cell in FACTS.items()]
    for each in cells:
        name = each.name if each.kind == "data" else f"result_{each.name}"
        told.append((name or "column", quoted(each.physical), sql_type(each)))
    # What the last input had, and no record has.
    told += [(name or "column", "NULL::VARCHAR", "VARCHAR") for name in missing]
    names = distinct(name for name, _, _ in told)
    return [(name, cell, of_type) for name, (_, cell, of_type) in zip(names, told, strict=True)]
