"""Rows of text with the same columns, stored as lists. Pure: no Django, no tables."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import repeat
from typing import overload

import orjson

Cells = dict[str, str]

_to_escape = re.compile(r'["\\\x00-\x1f]').search
_has_control = re.compile(r"[\x00-\x1f]").search


class Table(Sequence[Cells]):
    """Rows that look like dicts but are stored as lists, since most are only used by column."""

    def __init__(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self._columns = list(columns)
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> Cells: ...

    @overload
    def __getitem__(self, place: slice) -> "Table": ...

    def __getitem__(self, place: int | slice) -> "Cells | Table":
        if isinstance(place, slice):
            return Table(self._columns, self._rows[place])
        return dict(zip(self._columns, self._rows[place], strict=True))

    def __iter__(self) -> Iterator[Cells]:
        columns = self._columns
        for row in self._rows:
            yield dict(zip(columns, row, strict=True))

    def column(self, name: str) -> list[str]:
        """The cells of a column."""
        return list(self._cells[self._places[name]]) if self._rows else []

    def json(self, members: Sequence[str] | None = None) -> list[str] | None:
        """The rows as JSON; None if a cell has a character that no database can hold.

        ``members`` are the columns in another order; if they are not those of the rows, they are
        ignored.
        """
        if not self._rows:
            return []
        names = self._columns
        if members is not None and set(members) == set(names):
            names = list(members)
        pieces: list[Iterable[str]] = []
        before = "{"
        for name in names:
            cells = self._cells[self._places[name]]
            if (escaped := _escaped(cells)) is None:
                return None
            pieces += [repeat(f'{before}{orjson.dumps(name).decode()}:"'), escaped]
            before = '",'
        return list(map("".join, zip(*pieces, repeat('"}'), strict=False)))

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self._columns)}

    @cached_property
    def _cells(self) -> list[tuple[str, ...]]:
        """The cells by column, so that work per column is done once instead of for each row."""
        return list(zip(*self._rows, strict=True))


def _escaped(cells: Sequence[str]) -> Sequence[str] | None:
    """The cells as JSON strings without their quotes; None if one has a NUL or half a surrogate.

    Most columns need no escape, and of the others most cells.
    """
    text = "".join(cells)
    # Non-printable characters include all control characters and surrogates.
    is_printable = text.isprintable()
    if is_printable and '"' not in text and "\\" not in text:
        return cells
    if not is_printable:
        if "\0" in text or not _is_unicode(text):
            return None
        if _has_control(text):
            return [
                orjson.dumps(cell).decode()[1:-1] if _to_escape(cell) else cell for cell in cells
            ]
    # All at once, between line ends, which no cell has.
    return "\n".join(cells).replace("\\", r"\\").replace('"', r"\"").split("\n")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
