"""An export as a file: name, type and content, created while it is read."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType

from explore.export import csv_table, ndjson, parquet, workbook
from explore.export.options import Options
from explore.export.walk import Progress, Reading, table_of
from explore.filters import RecordQuery
from explore.filters.orders import in_line_order

FORMATS: dict[str, ModuleType] = {
    "csv": csv_table,
    "ndjson": ndjson,
    "parquet": parquet,
    "xlsx": workbook,
}


@dataclass(frozen=True, slots=True)
class ExportFile:
    """What is handed out: ``content`` gives the bytes piece by piece, once."""

    name: str
    media_type: str
    total: int
    content: Iterator[bytes]


def export(
    query: RecordQuery,
    *,
    options: Options,
    progress: Progress = lambda count: None,
    expect: Callable[[int], None] = lambda total: None,
    seconds: float | None = None,
    is_spooled: bool = False,
) -> ExportFile:
    """The records that a valid query finds, in its order, as a file.

    Original cells without an order given are in that of their lines. ``expect`` is told how many
    records there are before the first of them is written. Reading them may take so many
    ``seconds``; ``is_spooled`` reads all of them before anything else is done. Raises ExportError.
    """
    source = query.sources[0] if query.is_of_one_source else None
    found = query.queryset()
    in_lines = options.raw and not query.texts("sort")
    records = in_line_order(found) if in_lines else query.order.of(found)
    table = table_of(
        records,
        columns=query.columns,
        result_columns=query.result_columns,
        source=source,
        reading=Reading(seconds, is_spooled=is_spooled),
        closed=query.closed,
    )
    expect(table.total)
    writer = FORMATS[options.kind]
    content = writer.content(table, options=options, progress=progress)
    name = f"{source or 'records'}.{options.kind}"
    if options.gzip:
        return ExportFile(f"{name}.gz", "application/gzip", table.total, _compressed(content))
    return ExportFile(name, writer.MEDIA_TYPE, table.total, content)


def _compressed(content: Iterator[bytes]) -> Iterator[bytes]:
    # Level 6 costs three times the time of level 1 for a tenth less.
    compressor = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    for piece in content:
        if out := compressor.compress(piece):
            yield out
    yield compressor.flush()
