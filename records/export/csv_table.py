"""Records as CSV (RFC 4180, UTF-8)."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from records.export.cells import FORMULA, as_text, head_of, safe
from records.export.walk import Progress, Table

MEDIA_TYPE = "text/csv; charset=utf-8"


def content(table: Table, *, raw: bool, progress: Progress) -> Iterator[bytes]:
    """The table: with ``raw`` the cells as they were read and nothing else, and not made safe."""
    head = head_of(table.columns, table.result_columns, raw=raw)
    yield _text([head if raw else _harmless(head)])
    if raw:
        for rows in table.data(progress):
            yield _text(zip(*_cells(rows, table.columns), strict=True))
        return
    for chunk in table.chunks(progress):
        # Moments, names of sources and statuses never look like a formula.
        keys, moments, sources, statuses, read, made = zip(*chunk, strict=True)
        cells = [*_cells(read, table.columns), *_cells(made, table.result_columns)]
        told = (_harmless(keys), moments, sources, statuses)
        yield _text(zip(*told, *map(_harmless, cells), strict=True))


def _cells(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> list[list[str]]:
    """The cells of rows, column by column: many of a kind are looked at in a fraction of the time
    that each on its own takes."""
    return [_texts([row.get(column) for row in rows]) for column in columns]


def _texts(cells: list[Any]) -> list[str]:
    return cells if set(map(type, cells)) == {str} else list(map(as_text, cells))


def _harmless(cells: Sequence[str]) -> Sequence[str]:
    return cells if FORMULA.isdisjoint([cell[:1] for cell in cells]) else list(map(safe, cells))


def _text(rows: Iterable[Sequence[str]]) -> bytes:
    # csv ends lines with \r\n, and quotes cells that hold either character.
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue().encode()
