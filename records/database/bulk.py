"""Bulk statements with one interface and two implementations: PostgreSQL and SQLite."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import chain, islice
from types import NoneType
from typing import Any, cast

from django.db import OperationalError, connection

# How many rows are handed to COPY at once.
PIECE_ROWS = 2_000
# How many rows a statement of SQLite takes.
STATEMENT_ROWS = 500
# PostgreSQL's code for it.
DEADLOCK = "40P01"

Value = str | int | float | bool | bytes | None


def is_postgresql() -> bool:
    return connection.vendor == "postgresql"


def sql_time(moment: datetime | None) -> str | None:
    """A moment as both databases take it: in UTC, without an offset."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(" ").removesuffix("+00:00")


def member_order(names: Sequence[str]) -> Sequence[str]:
    """The members of an object in the order in which the database takes it fastest.

    PostgreSQL keeps them by their length, then by their bytes, and sorts them unless they are.
    """
    if not is_postgresql():
        return names
    return sorted(names, key=lambda name: (len(name.encode()), name.encode()))


def insert(
    table: str,
    columns: Mapping[str, Sequence[Value]],
    constants: Mapping[str, Value] | None = None,
) -> None:
    """Insert rows, given by their columns; ``constants`` hold the same value in every row.

    PostgreSQL takes them by COPY, SQLite many at a time. The names of table and columns are the
    caller's own, never a user's.
    """
    statement, parts = _insertion(table, columns, constants or {})
    _carry_out(statement, parts)


def prepared(
    table: str,
    columns: Mapping[str, Sequence[Value]],
    constants: Mapping[str, Value] | None = None,
) -> Callable[[], None]:
    """An insertion of which everything is made now, on whatever thread, but what needs the
    database; to be called once that is to have it."""
    statement, parts = _insertion(table, columns, constants or {})
    return partial(_carry_out, statement, list(parts))


def _insertion(
    table: str, columns: Mapping[str, Sequence[Value]], constants: Mapping[str, Value]
) -> tuple[str, Iterable[Any]]:
    """A statement, and the parts by which it is carried out."""
    if is_postgresql():
        names = ", ".join(f'"{name}"' for name in (*columns, *constants))
        pieces = _copy_pieces(list(columns.values()), list(constants.values()))
        return f'COPY "{table}" ({names}) FROM STDIN', pieces
    names = ", ".join(f'"{name}"' for name in (*constants, *columns))
    fixed = "".join("?, " for _ in constants)
    marks = "(" + ", ".join("?" for _ in columns) + ")"
    start = f'INSERT INTO "{table}" ({names}) SELECT {fixed}* FROM (VALUES '  # noqa: S608 (ours)
    return start, _values(marks, columns, constants)


def _carry_out(statement: str, parts: Iterable[Any]) -> None:
    with connection.cursor() as cursor:
        if is_postgresql():
            cursor.copy_expert(statement, _Pieces(iter(parts)))
            return
        # Straight to the driver: Django would convert the placeholders of every single row.
        driver = cursor.cursor.connection
        for marks, cells in parts:
            driver.execute(f"{statement}{marks})", cells)


class _Pieces:
    """What COPY reads from, a piece at a time: the server works on one while the next is made."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def read(self, size: int) -> bytes:
        return next(self._pieces, b"")


def _copy_pieces(columns: Sequence[Sequence[Value]], constants: Sequence[Value]) -> Iterator[bytes]:
    end = "".join("\t" + _copy_text(value) for value in constants) + "\n"
    for start in range(0, len(columns[0]), PIECE_ROWS):
        cells = [_copy_column(column[start : start + PIECE_ROWS]) for column in columns]
        yield (end.join(map("\t".join, zip(*cells, strict=True))) + end).encode()


def _values(
    marks: str, columns: Mapping[str, Sequence[Value]], constants: Mapping[str, Value]
) -> Iterator[tuple[str, Sequence[Value]]]:
    """The rows, for statements with many each: these take half the time of executemany."""
    rows = zip(*columns.values(), strict=True)
    while part := list(islice(rows, STATEMENT_ROWS)):
        yield ", ".join([marks] * len(part)), (*constants.values(), *chain.from_iterable(part))


def _copy_column(values: Sequence[Value]) -> Iterable[str]:
    kinds = set(map(type, values))
    if kinds == {int}:
        return map(str, values)
    if kinds == {bool}:
        return ["t" if value else "f" for value in values]
    if kinds <= {float, NoneType}:
        return ["\\N" if value is None else repr(value) for value in values]
    if not kinds <= {str, NoneType}:
        return map(_copy_text, values)
    texts = cast("Sequence[str | None]", values)
    text = "".join(filter(None, texts))
    has_slash = "\\" in text
    if any(character in text for character in "\t\n\r") or (has_slash and kinds != {str}):
        return map(_copy_text, values)
    if has_slash:
        # All at once, between line ends, which none of them has.
        return "\n".join(cast("Sequence[str]", values)).replace("\\", r"\\").split("\n")
    if kinds == {str}:
        return cast("Sequence[str]", values)
    return ["\\N" if cell is None else cell for cell in texts]


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


def among(column: str, ids: Collection[str] | Collection[int]) -> tuple[str, Any]:
    """An SQL condition "column is one of these", and its one parameter, for any number of ids."""
    if is_postgresql():
        return f"{column} = ANY(%s)", list(ids)
    ids_of_json = "(SELECT value FROM json_each(%s))"
    return f"{column} IN {ids_of_json}", json.dumps(list(ids))


def is_deadlock(error: OperationalError) -> bool:
    """Whether the database ended a transaction because it and another one waited for each other."""
    return getattr(error.__cause__, "pgcode", None) == DEADLOCK
