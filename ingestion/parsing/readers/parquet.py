"""Reads the rows of a Parquet file, each cell as text. Pure: no Django, no tables."""

import csv
import io
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

from ingestion.errors import InputTooLarge, NoRoomToRead, UnreadableInput
from ingestion.parsing.dialect import Dialect
from ingestion.parsing.input_file import InputFile
from ingestion.parsing.limits import (
    MAX_CELL_CHARACTERS,
    MAX_ROW_CHARACTERS,
    most_unpacked,
    reserve,
)
from ingestion.parsing.readers.apart import read_apart
from ingestion.parsing.readers.base import Chunk
from ingestion.parsing.readers.header import check_columns_fit, unique_names
from ingestion.parsing.readers.parquet_rows import Converted, convert
from ingestion.parsing.readers.table import Table
from records.rows import Reject

# A chunk ends early where its rows are long.
CHUNK_BYTES = 1 << 23
# How many columns a note tells the types of.
TOLD = 50


class ParquetReader:
    """The rows of a Parquet file, read from a temporary file that another process writes.

    ``lines`` are the numbers of the rows, from 1.
    """

    def __init__(
        self,
        file: InputFile,
        *,
        name: str,
        encoding: str,
        dialect: Dialect,
        on_chunk: Callable[[], None] = lambda: None,
        columns: Sequence[str] | None = None,
    ) -> None:
        self.blank_rows = 0
        self._file_size = file.size
        self._folder = tempfile.TemporaryDirectory(prefix="parquet-")
        try:
            self._rows = Path(self._folder.name) / "rows"
            found = _read(file, self._rows, name, on_chunk)
            self.columns, self.notes = unique_names(found.names, name=name, line=1)
        except BaseException:
            self._folder.cleanup()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._folder.cleanup()

    def chunks(self, size: int) -> Iterator[Chunk]:
        """The rows, at most ``size`` of them at a time, and fewer where they are long."""
        whole = max(self._rows.stat().st_size, 1)
        taken: list[bytes] = []
        first, read, characters = 1, 0, 0
        with self._rows.open("rb") as lines:
            for line in lines:
                taken.append(line)
                characters += len(line)
                if len(taken) == size or characters > CHUNK_BYTES:
                    read += characters
                    yield self._chunk(first, taken, read / whole)
                    first += len(taken)
                    taken, characters = [], 0
        if taken:
            yield self._chunk(first, taken, 1.0)

    def _chunk(self, first: int, taken: list[bytes], share: float) -> Chunk:
        lines: list[int] = []
        rows: list[list[str]] = []
        rejects: list[Reject] = []
        for line, text in enumerate(taken, start=first):
            cells = [cell or "" for cell in orjson.loads(text)]
            if (reason := _reason(cells)) is not None:
                rejects.append(Reject(line, _raw(cells), *reason))
                continue
            lines.append(line)
            rows.append(cells)
        return Chunk(
            lines=lines,
            rows=Table(self.columns, rows),
            rejects=rejects,
            raw=lambda index: _raw(rows[index]),
            bytes_read=int(share * self._file_size),
        )


def type_note(file: InputFile, *, name: str, on_chunk: Callable[[], None]) -> str:
    """The columns of a Parquet file with their types, as a sentence. Raises UnreadableInput."""
    found = _read(file, None, name, on_chunk)
    told = [f"{name} {of_type}" for name, of_type in zip(found.names, found.types, strict=True)]
    more = f" and {len(told) - TOLD:,} more" if len(told) > TOLD else ""
    what = "1 row" if found.rows == 1 else f"{found.rows:,} rows"
    return f"The file is a Parquet file with {what} and the columns {', '.join(told[:TOLD])}{more}."


def _read(file: InputFile, rows: Path | None, name: str, on_chunk: Callable[[], None]) -> Converted:
    folder = Path(tempfile.gettempdir()) if rows is None else rows.parent
    free, kept = shutil.disk_usage(folder).free, reserve(folder)
    most = most_unpacked(file.size)
    room = max(free - kept, 0)
    found = read_apart(
        convert,
        name=name,
        what="Parquet file",
        advice="Save it again, or as CSV.",
        on_chunk=on_chunk,
        path=file.path,
        rows=rows,
        most=min(most, room),
    )
    check_columns_fit(found.names, name)
    if found.is_too_large and room < most:
        raise NoRoomToRead(name, f"{free:,} bytes are free, and {kept:,} are reserved")
    if found.is_too_large:
        what = f"more than {most:,} bytes when unpacked"
        raise InputTooLarge(name, what, most, "Import it in parts.")
    if found.refusal:
        raise UnreadableInput(name, found.refusal)
    if not found.names:
        raise UnreadableInput(name, "the Parquet file has no columns.")
    return found


def _reason(cells: list[str]) -> tuple[str, str] | None:
    """Why a row can't be a record."""
    if any(len(cell) > MAX_CELL_CHARACTERS for cell in cells):
        return "cell_too_long", f"A cell has more than {MAX_CELL_CHARACTERS:,} characters."
    if sum(map(len, cells)) > MAX_ROW_CHARACTERS:
        return "row_too_long", f"The row has more than {MAX_ROW_CHARACTERS:,} characters."
    return None


def _raw(cells: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode("utf-8", "surrogatepass")
