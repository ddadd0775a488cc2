"""A file of rejected rows that a person has repaired: it knows which rows of which run they are.

Pure: no Django, no tables.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from ingestion.errors import RowError
from ingestion.parsing.dialect import Dialect
from ingestion.parsing.readers.base import KEEP_BYTES, Chunk, Reader, original_bytes
from ingestion.parsing.readers.single import rows_of, write_row
from records.rows import Reject
from web.spreadsheets import unguarded

# The columns that such a file has beside those of the input.
LINE_COLUMN = "rejected line (run {})"
REASON_COLUMN = "rejected reason"
LINE_PATTERN = re.compile(r"rejected line \(run ([0-9]{1,18})\)")
# Where the header of a file ends at the latest.
HEADER_BYTES = 1 << 16


def repaired_run(path: Path) -> int | None:
    """The number of the run whose rejected rows a file holds, by its first lines; else None."""
    try:
        with path.open("rb") as file:
            # Whatever the encoding, its zero bytes are all that keeps the words apart.
            start = file.read(HEADER_BYTES).replace(b"\0", b"").decode("latin-1")
    except OSError:
        return None
    found = LINE_PATTERN.search(start)
    return int(found[1]) if found else None


class RepairedReader:
    """The rows of another reader without the two columns, each with the line that it came from.

    A row that can't be read, and does not even tell its line, has 0 for one.
    """

    def __init__(
        self, reader: Reader, line_column: str, *, run: int, encoding: str, dialect: Dialect
    ) -> None:
        self._reader = reader
        self._line_column = line_column
        # The number of the run whose rejected rows these are.
        self.run = run
        self._encoding = encoding
        self._dialect = dialect
        own = (line_column, REASON_COLUMN)
        # Each column of the input as it is named there; names and cells were guarded (see
        # web.spreadsheets) when the file was given out.
        self._names = {unguarded(column): column for column in reader.columns if column not in own}
        self.columns = list(self._names)
        # Where they stand, told from the right end of a row: a row that has become too long or
        # too short most often did so further left.
        width = len(reader.columns)
        self._line_place = reader.columns.index(line_column) - width
        self._own_places = [
            place - width for place, name in enumerate(reader.columns) if name in own
        ]
        self.notes = reader.notes
        self.blank_rows = 0

    def __enter__(self) -> Self:
        self._reader.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._reader.__exit__(kind, error, traceback)

    def chunks(self, size: int) -> Iterator[Chunk]:
        """The rows, at most ``size`` of them at a time, and fewer where they are large."""
        for chunk in self._reader.chunks(size):
            self.blank_rows = self._reader.blank_rows
            yield self._without_columns(chunk)
        self.blank_rows = self._reader.blank_rows

    def _without_columns(self, chunk: Chunk) -> Chunk:
        lines: list[int] = []
        rows: list[dict[str, Any]] = []
        rejects = [self._unread(reject) for reject in chunk.rejects]
        for index, row in enumerate(chunk.rows):
            line = _line_of(row.get(self._line_column))
            if line is None:
                message = f"{self._line_column!r} does not say which line the row came from."
                reject = Reject(chunk.lines[index], chunk.raw(index), "unknown_line", message)
                rejects.append(self._unread(reject))
            else:
                lines.append(line)
                rows.append(
                    {
                        column: _unguarded(row[name])
                        for column, name in self._names.items()
                        if name in row
                    }
                )
        return replace(
            chunk,
            lines=lines,
            rows=rows,
            rejects=rejects,
            raw=lambda index: self._bytes([_text(cell) for cell in rows[index].values()]),
        )

    def _unread(self, reject: Reject) -> Reject:
        """A row that can't be read, with its line and without the two columns, if they are told."""
        text = reject.raw.decode(self._encoding, KEEP_BYTES)
        try:
            (cells,) = rows_of(text, self._dialect)
            line = _line_of(cells[self._line_place])
        except (RowError, ValueError, IndexError):
            line = None
        if line is None:
            message = f"Line {reject.line:,} of the repaired file: {reject.message}"
            return reject._replace(line=0, message=message)
        outside = {place % len(cells) for place in self._own_places}
        left = [unguarded(cell) for place, cell in enumerate(cells) if place not in outside]
        return reject._replace(line=line, raw=self._bytes(left))

    def _bytes(self, cells: list[str]) -> bytes:
        return original_bytes(write_row(cells, dialect=self._dialect) + "\n", self._encoding)


def knowing_lines(reader: Reader, *, encoding: str, dialect: Dialect) -> Reader:
    """The reader; of repaired rows, one that knows the two columns."""
    for column in reader.columns:
        if found := LINE_PATTERN.fullmatch(column):
            return RepairedReader(
                reader, column, run=int(found[1]), encoding=encoding, dialect=dialect
            )
    return reader


def _line_of(cell: Any) -> int | None:
    """A line as the cell says it; spreadsheets may write 7 as 7.0."""
    text = re.sub(r"\.0+\Z", "", str(cell).strip())
    return int(text) if re.fullmatch("[0-9]{1,15}", text) else None


def _unguarded(cell: Any) -> Any:
    return unguarded(cell) if isinstance(cell, str) else cell


def _text(cell: Any) -> str:
    return cell if isinstance(cell, str) else orjson.dumps(cell).decode()
