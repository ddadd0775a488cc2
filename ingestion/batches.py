"""Rows -> batches that land together. Pure: no Django, no tables."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ingestion.errors import RowError
from ingestion.mapping import RowMapper
from ingestion.readers import DelimitedReader
from records.rows import Reject, Row

# A batch ends early at so many characters of data: rows may be large.
BATCH_CHARACTERS = 8 << 20


@dataclass(slots=True)
class Batch:
    """Rows that follow each other in the input, and those among them that no record can hold."""

    rows: list[Row] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)


def read_batches(
    reader: DelimitedReader, mapper: RowMapper, *, skip: int = 0, size: int
) -> Iterator[Batch]:
    """The rows of an input in batches, without the first ``skip``, which have landed before.

    The skipped rows are read all the same: a key made from content needs to have seen them. For
    each so many of them an empty batch shows that reading gets on.
    """
    batch = Batch()
    characters = 0
    for number, (line, cells) in enumerate(reader, start=1):
        if number <= skip and number % size == 0:
            yield Batch()
        try:
            if isinstance(cells, RowError):
                raise cells
            row = mapper(line, cells)
        except RowError as error:
            if number <= skip:
                continue
            batch.rejects.append(
                Reject(line, reader.raw(), error.code, error.message, error.column)
            )
        else:
            if number <= skip:
                continue
            batch.rows.append(row)
            characters += len(row.data)
        if len(batch.rows) + len(batch.rejects) >= size or characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = Batch(), 0
    if batch.rows or batch.rejects:
        yield batch
