"""Bytes -> rows: a reader for each format. Pure: no Django, no tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingestion.dialect import Dialect, Format
from ingestion.packed import unpacked
from ingestion.readers.base import Chunk, Reader
from ingestion.readers.delimited import DelimitedReader
from ingestion.readers.json import JsonReader
from ingestion.readers.ndjson import NdjsonReader
from ingestion.readers.repaired import knowing_lines
from ingestion.readers.xlsx import XlsxReader

__all__ = ["Chunk", "Reader", "open_reader"]

READERS: dict[Format, type[DelimitedReader | JsonReader | NdjsonReader | XlsxReader]] = {
    Format.DELIMITED: DelimitedReader,
    Format.JSON: JsonReader,
    Format.NDJSON: NdjsonReader,
    Format.XLSX: XlsxReader,
}


@contextmanager
def open_reader(path: Path, *, name: str, encoding: str, dialect: Dialect) -> Iterator[Reader]:
    """A reader of the file at ``path``, packed or not, which its user calls ``name``.

    Raises UnreadableInput.
    """
    with (
        unpacked(path, name) as (plain, _),
        READERS[dialect.format](plain, name=name, encoding=encoding, dialect=dialect) as reader,
    ):
        yield knowing_lines(reader, encoding=encoding, dialect=dialect)
