"""Bytes -> rows: a reader for each format. Pure: no Django, no tables."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ingestion.dialect import Dialect, Format
from ingestion.packed import unpacked
from ingestion.readers.base import Chunk, PackedReader, Reader
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
def open_reader(
    path: Path,
    *,
    name: str,
    encoding: str,
    dialect: Dialect,
    on_chunk: Callable[[], None] = lambda: None,
    columns: Sequence[str] | None = None,
) -> Iterator[Reader]:
    """A reader of the file at ``path``, packed or not, which its user calls ``name``.

    ``on_chunk`` is called again and again while a large file is unpacked or looked through.
    ``columns`` are its columns where they are known: what has no header is not looked through for
    them once more. Raises UnreadableInput.
    """
    with (
        unpacked(path, name, on_chunk=on_chunk) as (plain, _),
        READERS[Format(dialect.format)](
            plain,
            name=name,
            encoding=encoding,
            dialect=dialect,
            on_chunk=on_chunk,
            columns=columns,
        ) as reader,
    ):
        rows: Reader = reader
        if plain != path:
            sizes = path.stat().st_size, plain.stat().st_size
            rows = PackedReader(reader, packed=sizes[0], plain=sizes[1])
        yield knowing_lines(rows, encoding=encoding, dialect=dialect)
