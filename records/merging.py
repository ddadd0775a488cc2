"""A row merged with the record that it updates: cells that the row lacks stay. Pure: no tables."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from records.json_text import json_text, parsed
from records.rows import Row


class Content(NamedTuple):
    """What a record holds: its cells, and its timestamp as in a row."""

    cells: Mapping[str, Any]
    timestamp: str | None


def merged_rows(
    rows: Iterable[Row], contents: dict[str, Content], *, time_columns: Collection[str]
) -> Iterator[Row]:
    """The rows in their order, each with the cells and the timestamp that its record then holds.

    ``contents`` are those of the records by id, and are kept up to date. A row without any of the
    ``time_columns`` leaves the timestamp of its record as it is.
    """
    for row in rows:
        cells = parsed(row.data)
        before = contents.get(row.id)
        if before is not None:
            has_time = not time_columns or any(column in cells for column in time_columns)
            cells = {**before.cells, **cells}
            timestamp = row.timestamp if has_time else before.timestamp
            row = row._replace(data=json_text(cells), timestamp=timestamp)
        contents[row.id] = Content(cells, row.timestamp)
        yield row
