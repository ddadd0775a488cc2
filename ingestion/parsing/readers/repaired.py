"""Reads a file of fixed rejected rows: two columns tell which rows of which run they are.

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

# The columns of such a file besides those of the input.
LINE_COLUMN = "rejected line (run {})"
REASON_COLUMN = "rejected reason"
LINE_PATTERN = re.compile(r"rejected line \(run ([0-9]{1,18})\)")
# The header must end within this many bytes.
HEADER_BYTES = 1 << 16


def repaired_run(path: Path) -> int | None:
    """The number of the run whose rejected rows a file contains, by its first lines; else None."""
    try:
        with path.open("rb") as file:
            # Without their zero bytes, UTF-16 and UTF-32 contain the words like any encoding.
            start = file.read(HEADER_BYTES).replace(b"\0", b"").decode("latin-1")
    except OSError:
        return None
    found = LINE_PATTERN.search(start)
    return int(found[1]) if found else None


class RepairedReader:
    """The rows of another reader without the two columns, each with its original line.

    A row that can't be read, not even its original line, gets line 0.
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
        # Each column by its name in the input; names and cells were escaped for spreadsheets (see
        # web.spreadsheets) in the download.
        self._names = {unguarded(column): column for column in reader.columns if column not in own}
        self.columns = list(self._names)
        # Their positions, counted from the right end of a row: if a row has become too long or too
        # short, that mostly happened further left.
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
                message = f"The column {self._line_column!r} contains no line number."
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
        """A row that can't be read, with its line and without the two columns, if possible."""
        text = reject.raw.decode(self._encoding, KEEP_BYTES)
        try:
            (cells,) = rows_of(text, self._dialect)
            line = _line_of(cells[self._line_place])
        except (RowError, ValueError, IndexError):
            line = None
        if line is None:
            message = f"Line {reject.line:,} of the fixed file: {reject.message}"
            return reject._replace(line=0, message=message)
        outside = {place % len(cells) for place in self._own_places}
        left = [unguarded(cell) for place, cell in enumerate(cells) if place not in outside]
        return reject._replace(line=line, raw=self._bytes(left))

    def _bytes(self, cells: list[str]) -> bytes:
        return original_bytes(write_row(cells, dialect=self._dialect) + "\n", self._encoding)


def knowing_lines(reader: Reader, *, encoding: str, dialect: Dialect) -> Reader:
    """The reader; wrapped in one that handles the two columns if the rows are fixed rows."""
    for column in reader.columns:
        if found := LINE_PATTERN.fullmatch(column):
            return RepairedReader(
                reader, column, run=int(found[1]), encoding=encoding, dialect=dialect
            )
    return reader


def _line_of(cell: Any) -> int | None:
    """The line number in a cell; spreadsheets may write 7 as 7.0."""
    text = re.sub(r"\.0+\Z", "", str(cell).strip())
    return int(text) if re.fullmatch("[0-9]{1,15}", text) else None


def _unguarded(cell: Any) -> Any:
    return unguarded(cell) if isinstance(cell, str) else cell


def _text(cell: Any) -> str:
    return cell if isinstance(cell, str) else orjson.dumps(cell).decode()
