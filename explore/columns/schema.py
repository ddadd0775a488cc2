"""The columns of relations, and how relations with different columns become one. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["data", "result"]
# UNKNOWN is the type of a column in which no cell says anything; its cells are NULL.
Type = Literal["DOUBLE", "VARCHAR", "UNKNOWN"]

# The columns that each relation has, and their types.
FIXED: dict[str, str] = {
    "id": "VARCHAR",
    "source": "VARCHAR",
    "timestamp": "TIMESTAMPTZ",
    "created_at": "TIMESTAMPTZ",
    "processed_at": "TIMESTAMPTZ",
    "status": "VARCHAR",
    "run_id": "BIGINT",
    "line": "BIGINT",
    "version": "INTEGER",
    "closed": "BOOLEAN",
    "success": "BOOLEAN",
    "value": "DOUBLE",
    "category": "VARCHAR",
    "error_message": "VARCHAR",
    "anomaly": "VARCHAR",
    "repaired": "BOOLEAN",
    "unread": "BOOLEAN",
    "error_rules": "VARCHAR[]",
    "repair_rules": "VARCHAR[]",
    "repaired_columns": "VARCHAR[]",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the data, or of the current results."""

    kind: Kind
    # As in the data.
    name: str
    type: Type
    # Its name in the relation. DuckDB does not tell names apart by case, the data does.
    physical: str

    @property
    def key(self) -> tuple[Kind, str]:
        return self.kind, self.name


@dataclass(frozen=True, slots=True)
class Relation:
    """Something to select from, with its columns of data and results."""

    sql: str
    columns: Sequence[Column]
    # An SQL condition, for those rows that count.
    condition: str = ""
    # The files that it reads, if it does.
    files: Sequence[Path] = ()


def reading(paths: Iterable[Path]) -> str:
    """The SQL of all rows of files."""
    return f"read_parquet([{', '.join(literal(str(path)) for path in paths)}])"


def quoted(name: str) -> str:
    """A name as an identifier in SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as a literal in SQL."""
    return "'" + text.replace("'", "''") + "'"


def named(columns: Iterable[tuple[Kind, str, Type]]) -> list[Column]:
    """Columns with physical names: ``data.NAME`` and ``result.NAME``, with ``~2`` and so on behind
    a name that another one equals but for its case."""
    listed = list(columns)
    names = distinct(f"{kind}.{name}" for kind, name, _ in listed)
    return [Column(*each, physical) for each, physical in zip(listed, names, strict=True)]


def distinct(names: Iterable[str]) -> list[str]:
    """Names that DuckDB can tell apart."""
    found: list[str] = []
    taken: set[str] = set()
    for base in names:
        name, number = base, 1
        while name.casefold() in taken:
            number += 1
            name = f"{base}~{number}"
        taken.add(name.casefold())
        found.append(name)
    return found


def common_columns(relations: Iterable[Relation]) -> list[Column]:
    """All columns of the relations, each with the type that fits all its cells."""
    types: dict[tuple[Kind, str], Type] = {}
    for relation in relations:
        for column in relation.columns:
            known = types.get(column.key, "UNKNOWN")
            types[column.key] = _common(known, column.type)
    keys = sorted(types)
    return named((kind, name, types[kind, name]) for kind, name in keys)


def united(relations: Sequence[Relation], columns: Sequence[Column]) -> str:
    """The SQL of all rows of the relations, with these columns."""
    if not relations:
        nothing = [f"NULL::{of_type} AS {name}" for name, of_type in FIXED.items()]
        nothing += [f"NULL::{sql_type(each)} AS {quoted(each.physical)}" for each in columns]
        return f"SELECT {', '.join(nothing)} WHERE FALSE"
    return " UNION ALL ".join(_selected(relation, columns) for relation in relations)


def sql_type(column: Column) -> str:
    """The type of a column in DuckDB."""
    return "DOUBLE" if column.type == "DOUBLE" else "VARCHAR"


def _common(one: Type, other: Type) -> Type:
    if "UNKNOWN" in (one, other):
        return other if one == "UNKNOWN" else one
    return one if one == other else "VARCHAR"


def _selected(relation: Relation, columns: Sequence[Column]) -> str:
    has = {column.key: column for column in relation.columns}
    cells = list(FIXED)
    for column in columns:
        own = has.get(column.key)
        cell = "NULL" if own is None else quoted(own.physical)
        if own is None or sql_type(own) != sql_type(column):
            cell = f"CAST({cell} AS {sql_type(column)})"
        cells.append(f"{cell} AS {quoted(column.physical)}")
    where = f" WHERE {relation.condition}" if relation.condition else ""
    return f"SELECT {', '.join(cells)} FROM {relation.sql}{where}"  # noqa: S608 (quoted)
