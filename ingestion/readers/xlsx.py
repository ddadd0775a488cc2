"""The rows of a sheet of an Excel workbook, each cell as the text that Excel shows. Pure."""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from xml.etree.ElementTree import ParseError

import openpyxl
from defusedxml import DefusedXmlException
from openpyxl.utils.exceptions import InvalidFileException

from ingestion.dialect import Dialect
from ingestion.errors import UnreadableInput
from ingestion.input_file import InputFile
from ingestion.packed import MAX_RATIO, MAX_UNPACKED_BYTES
from ingestion.readers.base import MAX_CELL_CHARACTERS, Chunk
from ingestion.readers.header import joined, numbered, unique_names
from records.rows import Reject

# In so many rows the width of a table without a header is looked for.
HEADER_ROWS = 100
# What a damaged workbook makes openpyxl raise.
DAMAGED = (
    zipfile.BadZipFile, InvalidFileException, DefusedXmlException, ParseError, KeyError,
    ValueError, TypeError, AttributeError, IndexError, EOFError, OverflowError,
    NotImplementedError,
)  # fmt: skip


class _WatchedFile(io.BufferedReader):
    """A file that tells each time something is read from it."""

    on_read: Callable[[], None] | None = None

    def read(self, size: int | None = -1, /) -> bytes:
        if self.on_read is not None:
            self.on_read()
        return super().read(size)


class Workbook:
    """A workbook that is read row by row, and the one sheet of it that matters.

    ``sheet`` is its name; "" is the first one that can be seen and has a filled cell.
    ``on_chunk`` is called again and again while it is opened: all of its texts are read then.
    """

    def __init__(
        self,
        path: Path,
        *,
        name: str,
        sheet: str,
        on_chunk: Callable[[], None] = lambda: None,
    ) -> None:
        self._name = name
        _check_size(path, name)
        # By its path openpyxl would judge a file by the ending of its name.
        self._file = _WatchedFile(path.open("rb", buffering=0))
        self._file.on_read = on_chunk
        try:
            # A formula counts as what it came to when the workbook was saved.
            self._book: Any = openpyxl.load_workbook(self._file, read_only=True, data_only=True)
        except DAMAGED as error:
            self._file.close()
            raise self._damaged() from error
        self.sheets = [ws.title for ws in self._book.worksheets]
        try:
            self._sheet = self._choose(sheet)
        except BaseException:
            self.close()
            raise
        self.sheet = str(self._sheet.title)
        self._file.on_read = None

    def close(self) -> None:
        """Close the file."""
        self._book.close()
        self._file.close()

    @property
    def share_read(self) -> float:
        """How much of the sheet has been read, 0 to 1: by where it stands, packed, in the file."""
        archive: Any = self._book._archive
        member = archive.getinfo(self._sheet._worksheet_path)
        return min(max(self._file.tell() - member.header_offset, 0) / member.compress_size, 1.0)

    def rows(self) -> Iterator[list[str]]:
        """The rows from the first one of the sheet, without empty cells at their ends."""
        yield from self._rows(self._sheet)

    def _rows(self, sheet: Any) -> Iterator[list[str]]:
        # What the file says about the size of a sheet is often wrong.
        sheet.reset_dimensions()
        try:
            for row in sheet.iter_rows():
                cells = [_text(cell) for cell in row]
                while cells and not cells[-1]:
                    cells.pop()
                yield cells
        except DAMAGED as error:
            raise self._damaged() from error

    def _choose(self, name: str) -> Any:
        if name:
            if name not in self.sheets:
                raise UnreadableInput(
                    self._name,
                    f"it has no sheet {name!r}. Its sheets are: "
                    f"{', '.join(map(repr, self.sheets))}.",
                )
            return self._book[name]
        seen = [ws for ws in self._book.worksheets if ws.sheet_state == "visible"]
        for sheet in seen:
            if any(islice(self._rows(sheet), HEADER_ROWS)):
                return sheet
        raise UnreadableInput(self._name, "it has no sheet with a filled cell.")

    def _damaged(self) -> UnreadableInput:
        return UnreadableInput(self._name, "the workbook is damaged. Save it anew, or as CSV.")


class XlsxReader:
    """The rows of a sheet; ``lines`` are the numbers that Excel gives to its rows."""

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
        self._dialect = dialect
        self._size = file.size
        self._book = Workbook(file.path, name=name, sheet=dialect.sheet, on_chunk=on_chunk)
        self.blank_rows = 0
        self.columns: list[str] = []
        self.notes: list[str] = []
        try:
            self._rows = enumerate(self._book.rows(), start=1)
            for _ in islice(self._rows, dialect.skip):
                pass
            self._ahead: list[tuple[int, list[str]]] = []
            self._read_header(name)
        except BaseException:
            self._book.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._book.close()

    def chunks(self, size: int) -> Iterator[Chunk]:
        """The rows, at most ``size`` of them at a time."""
        rows = self._remaining()
        while taken := list(islice(rows, size)):
            yield self._chunk(taken)

    def _remaining(self) -> Iterator[tuple[int, list[str]]]:
        yield from self._ahead
        yield from self._rows

    def _read_header(self, name: str) -> None:
        left = self._dialect.left
        header: list[tuple[int, list[str]]] = []
        for line, cells in self._rows:
            if not self._dialect.header:
                self._ahead.append((line, cells))
                if len(self._ahead) == HEADER_ROWS:
                    break
            elif cells:
                header.append((line, cells))
                if len(header) == self._dialect.header:
                    break
        if self._dialect.header and not header:
            raise UnreadableInput(name, "it has no header row.")
        if header:
            rows = [cells for _, cells in header]
            names = (joined(rows) if len(rows) > 1 else rows[0])[left:]
            self.columns, self.notes = unique_names(names, name=name, line=header[0][0])
        else:
            # Rows end with their last filled cell, so the longest of them tells the width.
            width = max((len(cells) for _, cells in self._ahead), default=0) - left
            self.columns = numbered(max(width, 1))

    def _chunk(self, taken: list[tuple[int, list[str]]]) -> Chunk:
        left, width = self._dialect.left, len(self.columns)
        lines: list[int] = []
        rows: list[dict[str, Any]] = []
        rejects: list[Reject] = []
        raws: list[list[str]] = []
        for line, cells in taken:
            if not cells:
                self.blank_rows += 1
                continue
            reason = _refusal(cells, left, width)
            if reason is not None:
                rejects.append(Reject(line, _raw(cells), *reason))
                continue
            lines.append(line)
            raws.append(cells)
            padded = cells[left:] + [""] * (left + width - max(len(cells), left))
            rows.append(dict(zip(self.columns, padded, strict=True)))
        return Chunk(
            lines=lines,
            rows=rows,
            rejects=rejects,
            raw=lambda index: _raw(raws[index]),
            bytes_read=int(self._book.share_read * self._size),
        )


def _refusal(cells: list[str], left: int, width: int) -> tuple[str, str] | None:
    if any(cells[:left]):
        return "cell_outside_table", "A cell beside the columns of the table is filled."
    if len(cells) > left + width:
        return "too_many_cells", f"The row has {len(cells) - left} cells, the header {width}."
    if any(len(cell) > MAX_CELL_CHARACTERS for cell in cells):
        return "cell_too_long", f"A cell has more than {MAX_CELL_CHARACTERS:,} characters."
    return None


def _raw(cells: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode("utf-8", "surrogatepass")


def _text(cell: Any) -> str:
    """A cell as the text that Excel shows, but for the way it writes dates, and for rounding."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _number(value, cell.number_format or "")
    if isinstance(value, datetime):
        has_time = value.time() != time() or re.search("[hs]", cell.number_format or "", re.I)
        return value.isoformat(sep=" ") if has_time else value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return _duration(value) if isinstance(value, timedelta) else str(value)


def _number(value: float, number_format: str) -> str:
    whole = int(value) if isinstance(value, int) or value.is_integer() else None
    if whole is None or abs(whole) >= 10**15:
        return repr(value)
    # An id such as 00501 is often a number that is shown with zeros before it.
    return str(whole).zfill(len(number_format)) if set(number_format) == {"0"} else str(whole)


def _duration(value: timedelta) -> str:
    seconds = round(value.total_seconds())
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _check_size(path: Path, name: str) -> None:
    """Refuse a workbook that would unpack to more than any honest one."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except zipfile.BadZipFile as error:
        raise UnreadableInput(name, "the workbook is damaged. Save it anew, or as CSV.") from error
    if size > max(MAX_UNPACKED_BYTES, MAX_RATIO * path.stat().st_size):
        raise UnreadableInput(name, f"it unpacks to {size:,} bytes, which is too much.")
