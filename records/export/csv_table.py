"""Records as CSV (RFC 4180, UTF-8)."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from records.export.cells import FORMULA, as_text, head_of, safe
from records.export.walk import Progress, Table

MEDIA_TYPE = "text/csv; charset=utf-8"


def content(table: Table, *, raw: bool, progress: Progress) -> Iterator[bytes]:
    """The table: with ``raw`` the cells as they were read and nothing else, and not made safe."""
    columns, results = table.columns, table.result_columns
    head = head_of(columns, results, raw=raw)
    yield _text([head if raw else list(map(safe, head))])
    if raw:
        for rows in table.data(progress):
            yield _text([_cells(data, columns) for data in rows])
        return
    for chunk in table.chunks(progress):
        yield _text(
            [
                [
                    cell if cell[:1] not in FORMULA else safe(cell)
                    for cell in (
                        key,
                        moment,
                        source,
                        status,
                        *_cells(data, columns),
                        *_cells(made, results),
                    )
                ]
                for key, moment, source, status, data, made in chunk
            ]
        )


def _cells(data: dict[str, Any], columns: Sequence[str]) -> list[str]:
    return [
        cell if type(cell) is str else as_text(cell)
        for cell in map(data.get, columns)
    ]  # fmt: skip


def _text(rows: Sequence[Sequence[str]]) -> bytes:
    # csv ends lines with \r\n, and quotes cells that hold either character.
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue().encode()
