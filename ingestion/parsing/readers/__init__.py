"""Readers turn bytes into rows, one for each format. Pure: no Django, no tables."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ingestion.errors import ChangedWhileRead, UnreadableInput
from ingestion.parsing.compression import unpacked
from ingestion.parsing.dialect import WORKBOOKS, Dialect, Format
from ingestion.parsing.input_file import Digest, InputFile
from ingestion.parsing.readers.base import Chunk, CompressedReader, Reader
from ingestion.parsing.readers.checked import CheckedReader, went_on
from ingestion.parsing.readers.delimited import DelimitedReader
from ingestion.parsing.readers.json import JsonReader
from ingestion.parsing.readers.ndjson import NdjsonReader
from ingestion.parsing.readers.parquet import ParquetReader
from ingestion.parsing.readers.repaired import knowing_lines
from ingestion.parsing.readers.sheet import SheetReader

__all__ = ["Chunk", "Reader", "open_reader"]

READERS: dict[
    Format, type[DelimitedReader | JsonReader | NdjsonReader | ParquetReader | SheetReader]
] = {
    Format.DELIMITED: DelimitedReader,
    Format.JSON: JsonReader,
    Format.NDJSON: NdjsonReader,
    Format.PARQUET: ParquetReader,
    **dict.fromkeys(WORKBOOKS, SheetReader),
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
    digest: Digest | None = None,
) -> Iterator[Reader]:
    """A reader for the file at ``path``, compressed or not; ``name`` is its name for the user.

    ``on_chunk`` is called repeatedly while a large file is unpacked or scanned. ``columns`` are its
    columns if they are known: a file without a header is then not scanned for them again. With the
    ``digest`` of the detected file, only the digested bytes are read, a note says if the file has
    grown, and ChangedWhileRead is raised if other bytes were read. Raises UnreadableInput.
    """
    given = InputFile(path, digest)
    try:
        with unpacked(path, name, size=digest and digest.size, on_chunk=on_chunk) as plain:
            if digest and plain.digest and plain.digest != digest:
                raise ChangedWhileRead(name)
            file = InputFile(plain.path) if plain.digest else given
            with READERS[Format(dialect.format)](
                file,
                name=name,
                encoding=encoding,
                dialect=dialect,
                on_chunk=on_chunk,
                columns=columns,
            ) as reader:
                rows: Reader
                if plain.digest:
                    reader.notes += went_on(plain.digest.size, plain.grown)
                    rows = CompressedReader(reader, compressed=plain.digest.size, plain=file.size)
                else:
                    rows = CheckedReader(reader, file, name=name, dialect=dialect)
                yield knowing_lines(rows, encoding=encoding, dialect=dialect)
    except (UnreadableInput, FileNotFoundError) as error:
        if given.has_changed():
            raise ChangedWhileRead(name) from error
        raise
