"""A reader for a file that may change during the read: yields only the rows that were digested.

Pure: no Django, no tables.
"""

from collections.abc import Iterator

from ingestion.errors import ChangedWhileRead
from ingestion.parsing.dialect import Dialect, Format
from ingestion.parsing.input_file import InputFile
from ingestion.parsing.readers.base import Chunk, HoldsNothing, Reader
from records.rows import Reject

# Formats whose rows end with a line.
LINES = (Format.DELIMITED, Format.NDJSON)


class CheckedReader(HoldsNothing):
    """The rows of another reader, with a final check that the file has not changed.

    If the file grew in the middle of a row, the row is rejected: its other half is unknown.
    """

    def __init__(self, reader: Reader, file: InputFile, *, name: str, dialect: Dialect) -> None:
        self._reader = reader
        self._file = file
        self._name = name
        self._has_lines = Format(dialect.format) in LINES
        self.columns, self.notes = reader.columns, reader.notes
        self.blank_rows = reader.blank_rows

    def chunks(self, size: int) -> Iterator[Chunk]:
        """The rows, at most ``size`` of them at a time, and fewer where they are large."""
        last: Chunk | None = None
        for chunk in self._reader.chunks(size):
            self.blank_rows = self._reader.blank_rows
            if last is not None:
                yield last
            last = chunk
        if not self._file.is_same:
            raise ChangedWhileRead(self._name)
        self.blank_rows = self._reader.blank_rows
        self.notes += went_on(self._file.size, self._file.grown)
        if last is not None:
            yield _without_cut(last) if self._has_lines and self._file.is_cut else last


def went_on(size: int, grown: int) -> Iterator[str]:
    """A note if the file has grown since it was digested."""
    if grown:
        yield (
            f"The file has grown: {grown:,} bytes were added after the {size:,} bytes that were "
            "read. Import it again to add them."
        )


def _without_cut(chunk: Chunk) -> Chunk:
    """The last rows of a file, of which the last one is rejected."""
    reason = "row_cut_off", "The file ended in the middle of this row when it was read."
    last = max((reject.line for reject in chunk.rejects), default=0)
    if chunk.lines and chunk.lines[-1] > last:
        cut = Reject(chunk.lines[-1], chunk.raw(len(chunk.lines) - 1), *reason)
        chunk.lines, chunk.rows = chunk.lines[:-1], chunk.rows[:-1]
        chunk.rejects = [*chunk.rejects, cut]
    else:
        chunk.rejects = [
            Reject(row.line, row.raw, *reason) if row.line == last else row for row in chunk.rejects
        ]
    return chunk
