"""Many rows in one statement: one way to call it, one body for PostgreSQL, one for SQLite."""

import io
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection

Value = str | int | float | bool | bytes | None


def is_postgresql() -> bool:
    return connection.vendor == "postgresql"


def sql_time(moment: datetime | None) -> str | None:
    """A moment as both databases take it: in UTC, without an offset."""
    return None if moment is None else str(moment.astimezone(UTC).replace(tzinfo=None))


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
        tail = "".join(f"\t{_copy_text(value)}" for value in constants.values()) + "\n"
        text = "".join(["\t".join(map(_copy_text, row)) + tail for row in rows])
        with connection.cursor() as cursor:
            cursor.copy_expert(f'COPY "{table}" ({names}) FROM STDIN', io.StringIO(text))
        return
    fixed = tuple(constants.values())
    marks = ", ".join(["?"] * (len(columns) + len(fixed)))
    with connection.cursor() as cursor:
        # Straight to the driver: Django would convert the placeholders of every single row.
        cursor.cursor.connection.executemany(
            f'INSERT INTO "{table}" ({names}) VALUES ({marks})',  # noqa: S608 (names of ours)
            ((*row, *fixed) for row in rows),
        )


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
