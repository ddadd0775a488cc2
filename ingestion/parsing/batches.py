"""Groups rows into batches that are written together. Pure: no Django, no tables."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ingestion.errors import RowError
from ingestion.parsing.readers import Chunk
from ingestion.parsing.row_mapper import RowMapper
from records.rows import Reject, Row, Rows, by_column


@dataclass(slots=True)
class Batch:
    """Consecutive rows of the input, and those among them that are rejected.

    ``position`` is how many rows of the input come before them, ``bytes_read`` the position in
    the input at which they end.
    """

    rows: Sequence[Row] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    position: int = 0
    bytes_read: int = 0

    def __bool__(self) -> bool:
        return bool(self.rows or self.rejects)

    def is_apart_from(self, other: "Batch") -> bool:
        """Whether the id ranges of the two batches don't overlap."""
        if not (self.rows and other.rows):
            return True
        first, last = by_column(self.rows).ends
        others_first, others_last = by_column(other.rows).ends
        return last < others_first or others_last < first

    def without_first(self, count: int) -> "Batch":
        """The batch without its first rows, in the order of the input."""
        lines = sorted([*(row.line for row in self.rows), *(row.line for row in self.rejects)])
        first = lines[count] if count < len(lines) else float("inf")
        return Batch(
            [row for row in self.rows if row.line >= first],
            [row for row in self.rejects if row.line >= first],
            self.position + min(count, len(lines)),
            self.bytes_read,
        )


class HasChunks(Protocol):
    """Anything that yields rows in chunks, such as a Reader."""

    def chunks(self, size: int) -> Iterator[Chunk]: ...


def read_batches(
    reader: HasChunks, mapper: RowMapper, *, skip: int = 0, size: int, keep_raw: bool = False
) -> Iterator[Batch]:
    """The rows of an input in batches, without the first ``skip``, which are written already.

    The skipped rows are still read and mapped, as the mapper counts and numbers rows. Empty batches
    show that reading makes progress. With ``keep_raw`` rows keep their exact bytes.
    """
    position = 0
    for chunk in reader.chunks(size):
        read = len(chunk.rows) + len(chunk.rejects)
        batch = mapped_batch(chunk, mapper, keep_raw=keep_raw)
        batch.position = position
        if position < skip:
            batch = batch.without_first(skip - position)
        position += read
        yield batch


def mapped_batch(chunk: Chunk, mapper: RowMapper, *, keep_raw: bool) -> Batch:
    """The rows of a chunk, and those among them that are rejected."""
    batch = Batch(rejects=list(chunk.rejects), bytes_read=chunk.bytes_read)
    mapped = mapper(chunk.lines, chunk.rows)
    if isinstance(mapped, Rows) and not keep_raw:
        batch.rows = mapped
    else:
        rows: list[Row] = []
        batch.rows = rows
        for index, row in enumerate(mapped):
            if isinstance(row, RowError):
                what = (row.code, row.message, row.column, row.id)
                batch.rejects.append(Reject(chunk.lines[index], chunk.raw(index), *what))
            else:
                rows.append(row._replace(raw=chunk.raw(index)) if keep_raw else row)
    batch.rejects.sort(key=lambda reject: reject.line)
    return batch
