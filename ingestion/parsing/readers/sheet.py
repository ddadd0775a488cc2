"""Reads a sheet of a workbook, each cell as the text that Excel shows. Pure."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from types import TracebackType
from typing import Any, Self

from ingestion.errors import UnreadableInput
from ingestion.parsing.dialect import Dialect, Format
from ingestion.parsing.input_file import InputFile
from ingestion.parsing.limits import MAX_CELL_CHARACTERS
from ingestion.parsing.readers.aside import REASONS, Tally
from ingestion.parsing.readers.base import Chunk
from ingestion.parsing.readers.books import ALL_SHEETS, SheetRow, header_of, named, visible
from ingestion.parsing.readers.header import free_name, joined, numbered, unique_names
from ingestion.parsing.readers.merged import MergedCells
from ingestion.parsing.readers.open_book import open_book
from records.rows import Reject

# How many rows give the width of a table without a header.
HEADER_ROWS = 100
# A chunk ends early where its rows have many cells.
CHUNK_CELLS = 1 << 19

# The column with the name of the sheet, if several are read.
SHEET_COLUMN = "sheet"


class SheetReader:
    """The rows of a sheet, or of all visible sheets with the same columns.

    ``lines`` are the row numbers of Excel; in a further sheet they go on where the one before
    ended. Then the first column is the name of the sheet.
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
        self._dialect = dialect
        self._size = file.size
        self._book = open_book(
            file,
            Format(dialect.format),
            name=name,
            sheet=dialect.sheet,
            encoding=encoding,
            on_chunk=on_chunk,
        )
        self._reads_all = dialect.sheet == ALL_SHEETS
        self.blank_rows = 0
        self.columns: list[str] = []
        self.notes: list[str] = []
        self._sheet = self._book.sheet
        # How many lines the sheets before had.
        self._passed = 0
        # The last row of the header, to find where it is repeated.
        self._header: list[str] = []
        self._aside = dict(dialect.aside)
        self._tally = Tally()
        try:
            rows = self._book.rows(self._sheet)
            self._rows = (row for row in rows if row[0] > dialect.skip)
            # The number of the last row that was returned: missing ones after it are blank.
            self._line = dialect.skip
            self._ahead: list[SheetRow] = []
            self._book.report_reads(on_chunk)
            self._read_header(name)
            # Rows may be read by another thread.
            self._book.report_reads(None)
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
        yield from self._chunks(chain(self._ahead, self._rows), size)
        if self._reads_all:
            yield from self._other_sheets(size)
        self.notes += self._tally.notes()

    def _chunks(self, rows: Iterable[SheetRow], size: int) -> Iterator[Chunk]:
        """The rows of a sheet, below its header."""
        merged = MergedCells(self._book, self._line)
        taken: list[SheetRow] = []
        cells = 0
        for row in rows:
            merged.fill(*row)
            taken.append(row)
            cells += len(row[1])
            if len(taken) == size or cells > CHUNK_CELLS:
                yield self._chunk(taken)
                taken, cells = [], 0
        if taken:
            yield self._chunk(taken)
        where = f"Sheet {self._sheet!r}: " if self._reads_all else ""
        self.notes += [f"{where}{note}" for note in (merged.note(), *self._book.notes) if note]

    def _other_sheets(self, size: int) -> Iterator[Chunk]:
        """The rows of the other visible sheets that have the same header."""
        dialect = self._dialect
        wanted = header_of(self._book, self._sheet, dialect)
        others: list[str] = []
        for sheet in visible(self._book):
            if sheet == self._book.sheet:
                continue
            if header_of(self._book, sheet, dialect) != wanted:
                others.append(sheet)
                continue
            self._passed += self._line
            self.notes.append(f"The lines of sheet {sheet!r} are counted from {self._passed + 1}.")
            self._sheet = sheet
            rows = ((n, cells) for n, cells in self._book.rows(sheet) if n > dialect.skip)
            header = dialect.header
            while header and (row := next(rows, None)) is not None:
                header -= bool(row[1])
                self._line = row[0]
            yield from self._chunks(rows, size)
        if others:
            self.notes.append(f"Sheets with other columns were not read: {named(others)}.")

    def _read_header(self, name: str) -> None:
        left = self._dialect.left
        header: list[SheetRow] = []
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
            names = (joined(rows, name=name) if len(rows) > 1 else rows[0])[left:]
            self.columns, self.notes = unique_names(names, name=name, line=header[0][0])
            self._line, self._header = header[-1]
        else:
            # Rows end with their last non-empty cell, so the longest of them gives the width.
            width = max((len(cells) for _, cells in self._ahead), default=0) - left
            self.columns = numbered(max(width, 1), name=name)
        if self._reads_all:
            self.columns = [free_name(SHEET_COLUMN, self.columns), *self.columns]

    def _chunk(self, taken: list[SheetRow]) -> Chunk:
        left, width = self._dialect.left, len(self.columns)
        lines: list[int] = []
        rows: list[dict[str, Any]] = []
        rejects: list[Reject] = []
        raws: list[list[str]] = []
        for line, cells in taken:
            self.blank_rows += line - self._line - 1
            self._line = line
            if not cells:
                self.blank_rows += 1
                continue
            number, found = self._passed + line, cells
            if self._reads_all:
                cells = [*cells[:left], self._sheet, *cells[left:]]
            padded = cells + [""] * (left + width - len(cells))
            code = self._aside.get(line)
            if code is None and found == self._header:
                code = "repeated_header"
            reason = _refusal(cells, left, width) if code is None else REASONS[code]
            if reason is not None:
                rejects.append(Reject(number, _raw(padded if code else cells), *reason))
                continue
            lines.append(number)
            raws.append(padded)
            rows.append(dict(zip(self.columns, padded[left:], strict=True)))
        self._tally.add((reject.line, reject.code) for reject in rejects)
        return Chunk(
            lines=lines,
            rows=rows,
            rejects=rejects,
            raw=lambda index: _raw(raws[index]),
            bytes_read=int(self._book.share_read * self._size),
        )


def _refusal(cells: list[str], left: int, width: int) -> tuple[str, str] | None:
    if any(cells[:left]):
        return "cell_outside_table", "There is text outside the columns of the table."
    if len(cells) > left + width:
        found = len(cells) - left
        return "too_many_cells", f"The row has {found} cells, but the header has {width}."
    if any(len(cell) > MAX_CELL_CHARACTERS for cell in cells):
        return "cell_too_long", f"A cell has more than {MAX_CELL_CHARACTERS:,} characters."
    return None


def _raw(cells: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode("utf-8", "surrogatepass")
