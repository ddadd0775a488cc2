"""Pages of rows in the order of their key, without OFFSET and without COUNT(*).

A page is found by the key of the row beside it, so page ten thousand costs what page one costs,
and rows that land meanwhile neither repeat nor hide others.
"""

import base64
import binascii
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, NamedTuple, TypeVar, cast

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet, Value
from django.db.models.functions import Coalesce

# Stands for the moment of a row that has none.
NO_MOMENT = datetime(1, 1, 1, tzinfo=UTC)

Row = TypeVar("Row", bound=Model)
Item = TypeVar("Item")

FORWARD, BACKWARD = "n", "p"


class InvalidCursor(ValueError):
    """The text is no cursor that ``page_of`` has given out."""

    def __init__(self) -> None:
        super().__init__("The cursor is not valid for this list. Start again without a cursor.")


class Cursor(NamedTuple):
    """Where a page lies: behind (or before) a key; without a key, at that end of the list."""

    direction: str
    key: str

    def __str__(self) -> str:
        content = (self.direction + self.key).encode()
        checksum = zlib.crc32(content).to_bytes(4, "big")
        return base64.urlsafe_b64encode(checksum + content).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Read a cursor back. Raises InvalidCursor.

        The checksum notices what got lost or changed on the way; it is no secret, and a cursor
        needs none: it only says where to go on among the rows that its reader may see anyway.
        """
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            checksum, content = raw[:4], raw[4:].decode()
        except (binascii.Error, ValueError):
            raise InvalidCursor from None
        if int.from_bytes(checksum, "big") != zlib.crc32(raw[4:]) or "\0" in content:
            raise InvalidCursor
        if content[:1] not in (FORWARD, BACKWARD):
            raise InvalidCursor
        return cls(direction=content[:1], key=content[1:])


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """The rows of one page in the order of the list, and the cursors of the pages beside it."""

    records: list[Item]
    next: str | None
    previous: str | None


def page_of(
    queryset: QuerySet[Row],
    *,
    cursor: str | None,
    limit: int,
    descending: bool = False,
    time: str | None = None,
    nearby: Callable[[datetime | None, bool], Q | None] | None = None,
) -> Page[Row]:
    """The page at ``cursor`` (the first one without) of at most ``limit`` rows.

    Rows are ordered by their key; with ``time``, the name of a column of moments, by that and
    then by their key, those without a moment as the oldest. ``next`` and ``previous`` are cursors
    for this function, None where the list ends. It costs one query of ``limit + 1`` rows; where
    ``time`` has no index, that query looks at every row. ``nearby`` may tell where it is worth to
    look first: it is given the moment that the page lies behind, if any, and whether it goes on to
    newer ones. Raises InvalidCursor.
    """
    at = Cursor.parse(cursor) if cursor else Cursor(FORWARD, "")
    backward = at.direction == BACKWARD
    towards_greater = descending == backward
    order = ["pk"]
    moment = None
    if time is not None:
        annotated = queryset.annotate(moment=Coalesce(time, Value(NO_MOMENT)))
        queryset = cast("QuerySet[Row]", annotated)
        order = ["moment", "pk"]
    if at.key:
        moment, pk = _place(queryset, at.key, order)
        queryset = queryset.filter(_beyond(moment, pk, towards_greater))
    signs = "" if towards_greater else "-"
    queryset = queryset.order_by(*(signs + name for name in order))
    first_look = nearby(moment, towards_greater) if nearby and time is not None else None
    found = list(queryset.filter(first_look)[: limit + 1]) if first_look else []
    if len(found) <= limit:
        found = list(queryset[: limit + 1])
    return _page(found, at, limit, lambda row: _key(row, order))


def merged_page(
    fetch: Callable[[str, bool, int], Iterable[Item]],
    *,
    key: Callable[[Item], str],
    cursor: str | None,
    limit: int,
) -> Page[Item]:
    """The page at ``cursor`` of rows of several tables, in the order of a text that is their key.

    ``fetch`` is given the key that the page lies behind ("" at an end of the list), whether it goes
    on to greater ones, and how many rows are needed of each table. Raises InvalidCursor.
    """
    at = Cursor.parse(cursor) if cursor else Cursor(FORWARD, "")
    greater = at.direction == FORWARD
    found = sorted(fetch(at.key, greater, limit + 1), key=key, reverse=not greater)
    return _page(found, at, limit, key)


def _page(found: list[Item], at: Cursor, limit: int, key: Callable[[Item], str]) -> Page[Item]:
    """The page of rows that were found behind its cursor: one more than it holds, if there are."""
    backward = at.direction == BACKWARD
    has_more, rows = len(found) > limit, found[:limit]
    if backward:
        rows.reverse()
    # An empty page behind a key has everything else before it: its way back is the list's end.
    first, last = (key(rows[0]), key(rows[-1])) if rows else ("", "")
    return Page(
        records=rows,
        next=str(Cursor(FORWARD, last)) if (at.key if backward else has_more) else None,
        previous=str(Cursor(BACKWARD, first)) if (has_more if backward else at.key) else None,
    )


def _key(row: Model, order: list[str]) -> str:
    """The place of a row in the list, as text: its key, behind its moment and a blank if any."""
    if len(order) == 1:
        return str(row.pk)
    moment: datetime = vars(row)["moment"]
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat()} {row.pk}"


def _place(queryset: QuerySet[Row], place: str, order: list[str]) -> tuple[datetime | None, Any]:
    """The moment, if the list has them, and the key that ``_key`` has written. Raises
    InvalidCursor."""
    moment, _, key = place.partition(" ") if len(order) > 1 else ("", "", place)
    try:
        pk = queryset.model._meta.pk.to_python(key)
        if len(order) == 1:
            return None, pk
        return datetime.fromisoformat(moment).replace(tzinfo=UTC), pk
    except (ValidationError, ValueError):
        raise InvalidCursor from None


def _beyond(moment: datetime | None, pk: Any, greater: bool) -> Q:
    """The condition for rows beyond a place."""
    compare = "gt" if greater else "lt"
    if moment is None:
        return Q((f"pk__{compare}", pk))
    return Q((f"moment__{compare}", moment)) | Q(("moment", moment), (f"pk__{compare}", pk))
