"""Many rows in one statement: one way to call it, one body for PostgreSQL, one for SQLite."""

import io
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from django.db import connection

# What COPY is handed at once; psycopg2's own 8 kB cost a call of Python each.
COPY_CHARACTERS = 1 << 16

Value = str | int | float | bool | bytes | None


def is_postgresql() -> bool:
    return connection.vendor == "postgresql"


def sql_time(moment: datetime | None) -> str | None:
    """A moment as both databases take it: in UTC, without an offset."""
    if moment is None:
        return None
    # What readers give is in UTC already; this is called for every row.
    text = (moment if moment.tzinfo is UTC else moment.astimezone(UTC)).isoformat(" ")
    return text.removesuffix("+00:00")


def insert(
    table: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Value]],
    constants: Mapping[str, Value] | None = None,
) -> None:
    """Insert rows; ``constants`` are columns that hold the same value in every row.

    PostgreSQL takes them by COPY, SQLite by executemany. The names of table and columns are the
    caller's own, never a user's.
    """
    constants = constants or {}
    names = ", ".join(f'"{name}"' for name in (*columns, *constants))
    if is_postgresql():
        text = _copy_rows(rows, constants.values())
        with connection.cursor() as cursor:
            cursor.copy_expert(
                f'COPY "{table}" ({names}) FROM STDIN', io.StringIO(text), size=COPY_CHARACTERS
            )
        return
    fixed = tuple(constants.values())
    marks = ", ".join(["?"] * (len(columns) + len(fixed)))
    with connection.cursor() as cursor:
        # Straight to the driver: Django would convert the placeholders of every single row.
        cursor.cursor.connection.executemany(
            f'INSERT INTO "{table}" ({names}) VALUES ({marks})',  # noqa: S608 (names of ours)
            ((*row, *fixed) for row in rows) if fixed else rows,
        )


def _copy_rows(rows: Iterable[Sequence[Value]], constants: Iterable[Value]) -> str:
    """Rows in the text format of COPY, each with the constants at its end."""
    columns = [_copy_column(column) for column in zip(*rows, strict=True)]
    end = "".join("\t" + _copy_text(value) for value in constants) + "\n"
    return "".join([row + end for row in map("\t".join, zip(*columns, strict=True))])


def _copy_column(values: Sequence[Value]) -> Iterable[str]:
    if set(map(type, values)) != {str}:
        return map(_copy_text, values)
    text = "".join(cast("Sequence[str]", values))
    if any(character in text for character in "\\\t\n\r"):
        return map(_copy_text, values)
    return cast("Sequence[str]", values)


def _copy_text(value: Value) -> str:
    r"""A value in the text format of COPY (PostgreSQL manual, "COPY", File Formats)."""
    if value is None:
        return "\\N"
    if isinstance(value, str):
        if "\\" in value:
            value = value.replace("\\", "\\\\")
        if "\t" in value or "\n" in value or "\r" in value:
            value = value.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
        return value
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, bytes):
        return "\\\\x" + value.hex()
    return repr(value)


def among(column: str, ids: Collection[str]) -> tuple[str, Any]:
    """An SQL condition "column is one of these", and its one parameter, for any number of ids."""
    if is_postgresql():
        return f"{column} = ANY(%s)", list(ids)
    ids_of_json = "(SELECT value FROM json_each(%s))"
    return f"{column} IN {ids_of_json}", json.dumps(list(ids))
