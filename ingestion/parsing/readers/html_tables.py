"""Reads the tables of an HTML document, such as reports that are called .xls. Pure."""

import io
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from itertools import takewhile

from ingestion.errors import InputTooLarge, UnreadableInput
from ingestion.parsing.input_file import InputFile
from ingestion.parsing.limits import (
    MAX_COLUMNS,
    MAX_HTML_CHARACTERS,
    MAX_MERGED,
    MAX_REPEATED_CELLS,
    MAX_ROW_CHARACTERS,
    MAX_SHEET_ROWS,
    MAX_SHEETS,
)
from ingestion.parsing.readers.books import Merged, SheetRow, choose
from ingestion.parsing.readers.workbook_parts import SAVE_AS_CSV

CHUNK_CHARACTERS = 1 << 16
SPACE = re.compile(r"[ \t\r\n\f]+")
# Their content is not text.
HIDDEN = ("script", "style", "template")
ROW_ENDS = ("tr", "table", "thead", "tbody", "tfoot")


class HtmlBook:
    """An HTML document, whose tables are its sheets; see Book.

    They are called "Table 1" and so on. A table within another one is a sheet of its own.
    """

    notes: list[str] = []
    hidden: list[str] = []

    def __init__(
        self,
        file: InputFile,
        *,
        name: str,
        sheet: str,
        encoding: str,
        on_chunk: Callable[[], None] = lambda: None,
    ) -> None:
        self._input, self._name, self._encoding = file, name, encoding
        self._on_chunk = on_chunk
        self._read = 0
        self.merged: list[Merged] = []
        # For each table, whether it has two rows with two cells: others hold text or a layout.
        self._is_table: list[int] = []
        for number, row in self._all_rows():
            while len(self._is_table) <= number:
                self._is_table.append(0)
            self._is_table[number] += len(row) > 1
            if len(self._is_table) > MAX_SHEETS:
                what = f"more than {MAX_SHEETS:,} tables"
                raise InputTooLarge(name, what, MAX_SHEETS, SAVE_AS_CSV)
        self.sheets = [f"Table {number}" for number in range(1, len(self._is_table) + 1)]
        if not self.sheets:
            raise UnreadableInput(name, "it is an HTML document without a table.")
        self.sheet = choose(self.sheets, (), sheet, self._has_cells, name=name)

    def _has_cells(self, sheet: str) -> bool:
        number = self.sheets.index(sheet)
        return self._is_table[number] > 1 or not any(count > 1 for count in self._is_table)

    @property
    def share_read(self) -> float:
        return min(self._read / max(self._input.size, 1), 1.0)

    def report_reads(self, on_chunk: Callable[[], None] | None) -> None:
        """Nothing to report: all of the file has been read on opening."""

    def close(self) -> None:
        """Nothing is open between reads."""

    def rows(self, sheet: str) -> Iterator[SheetRow]:
        """The rows of a table, with their numbers from 1."""
        wanted = self.sheets.index(sheet)
        placed = _Placed(self._name)
        self.merged = placed.merged
        for number, row in self._all_rows():
            if number == wanted:
                yield placed.row(row)

    def first_rows(self, sheet: str, last: int) -> Iterator[SheetRow]:
        """The rows of a sheet up to a number."""
        return takewhile(lambda row: row[0] <= last, self.rows(sheet))

    def _all_rows(self) -> Iterator[tuple[int, list["_Cell"]]]:
        """The rows of all tables, each with the index of its table."""
        parser = _Parser(self._name)
        with self._input.open() as file:
            text = io.TextIOWrapper(file, encoding=self._encoding, errors="replace", newline="")
            while chunk := text.read(CHUNK_CHARACTERS):
                self._on_chunk()
                self._read = file.tell()
                parser.feed(chunk)
                if len(parser.rawdata) > MAX_HTML_CHARACTERS:
                    what = f"a tag, a comment or a text of {len(parser.rawdata):,} characters"
                    raise InputTooLarge(self._name, what, MAX_HTML_CHARACTERS, SAVE_AS_CSV)
                yield from parser.take()
            # An unfinished tag at the end is dropped: to look for text in it may take minutes.
            if len(parser.rawdata) <= CHUNK_CHARACTERS:
                parser.close()
            parser.finish()
            yield from parser.take()


class _Cell:
    """A cell of a table as it is written: its text, and how many columns and rows it covers."""

    def __init__(self, attributes: dict[str, str | None], *, is_header: bool) -> None:
        self.parts: list[str] = []
        self.columns = _span(attributes.get("colspan"), MAX_COLUMNS)
        self.rows = _span(attributes.get("rowspan"), MAX_SHEET_ROWS)
        self.is_header = is_header

    @property
    def text(self) -> str:
        lines = [SPACE.sub(" ", line).strip() for line in "".join(self.parts).split("\0")]
        return "\n".join(lines).strip()


def _span(text: str | None, most: int) -> int:
    number = (text or "").strip()
    return min(max(int(number), 1), most) if re.fullmatch("[0-9]{1,9}", number) else 1


class _Parser(HTMLParser):
    """Collects the rows of tables as they end."""

    def __init__(self, name: str) -> None:
        super().__init__(convert_charrefs=True)
        self._name = name
        self._tables = 0
        # Of each table that is open: its index, its row and its cell, if one is open.
        self._open: list[tuple[int, list[_Cell] | None, _Cell | None]] = []
        self._ended: list[tuple[int, list[_Cell]]] = []
        self._hidden = 0
        self._characters = 0

    def take(self) -> list[tuple[int, list[_Cell]]]:
        """The rows that have ended."""
        ended, self._ended = self._ended, []
        return ended

    def finish(self) -> None:
        """End the rows that were left open."""
        while self._open:
            self._end_row()
            self._open.pop()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            if len(self._open) >= 50:
                raise UnreadableInput(self._name, "its tables are nested too deeply.")
            self._open.append((self._tables, None, None))
            self._tables += 1
        elif tag in HIDDEN:
            self._hidden += 1
        elif self._open:
            number, row, cell = self._open[-1]
            if tag == "tr":
                self._end_row()
                self._open[-1] = number, [], None
            elif tag in ("td", "th"):
                row = [] if row is None else row
                row.append(_Cell(dict(attrs), is_header=tag == "th"))
                if len(row) > MAX_COLUMNS:
                    what = f"a row of {len(row):,} cells"
                    raise InputTooLarge(self._name, what, MAX_COLUMNS, SAVE_AS_CSV)
                self._open[-1] = number, row, row[-1]
            elif tag in ("br", "p", "div", "li") and cell is not None and cell.parts:
                cell.parts.append("\0")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # <td/> is an empty cell, but <script/> starts a script.
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in HIDDEN:
            self._hidden = max(self._hidden - 1, 0)
        elif self._open:
            number, row, _ = self._open[-1]
            if tag in ("td", "th"):
                self._open[-1] = number, row, None
            elif tag in ROW_ENDS:
                self._end_row()
            if tag == "table":
                self._open.pop()

    def handle_data(self, data: str) -> None:
        cell = self._open[-1][2] if self._open else None
        if cell is None or self._hidden:
            return
        cell.parts.append(data.replace("\0", "\ufffd"))
        self._characters += len(data)
        if self._characters > MAX_ROW_CHARACTERS:
            what = f"a row of more than {MAX_ROW_CHARACTERS:,} characters"
            raise InputTooLarge(self._name, what, MAX_ROW_CHARACTERS, SAVE_AS_CSV)

    def _end_row(self) -> None:
        number, row, _ = self._open[-1]
        if row is not None:
            self._ended.append((number, row))
            self._characters = 0
        self._open[-1] = number, None, None


class _Placed:
    """Puts the cells of rows into their columns, where cells of rows above leave room."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._line = 0
        # The last row in which each column is covered by a cell above.
        self._covered: dict[int, int] = {}
        # How many cells were made for those that span several.
        self._made = 0
        self.merged: list[Merged] = []

    def row(self, written: list[_Cell]) -> SheetRow:
        self._line += 1
        cells: list[str] = []
        for cell in written:
            while self._covered.get(len(cells), 0) >= self._line:
                cells.append("")
                self._made += 1
            column = len(cells)
            if column + cell.columns > MAX_COLUMNS:
                what = f"a cell in column {column + cell.columns:,} of row {self._line:,}"
                raise InputTooLarge(self._name, what, MAX_COLUMNS, SAVE_AS_CSV)
            cells.append(cell.text)
            cells += [""] * (cell.columns - 1)
            self._made += cell.columns - 1
            if cell.rows > 1:
                for place in range(column, column + cell.columns):
                    self._covered[place] = self._line + cell.rows - 1
                if not cell.is_header:
                    self.merged.append(Merged(self._line, self._line + cell.rows - 1, column))
        if len(self.merged) > MAX_MERGED:
            raise InputTooLarge(self._name, "too many merged cells", MAX_MERGED, SAVE_AS_CSV)
        if self._made > MAX_REPEATED_CELLS:
            what = f"{self._made:,} cells that others span"
            raise InputTooLarge(self._name, what, MAX_REPEATED_CELLS, SAVE_AS_CSV)
        while cells and not cells[-1]:
            cells.pop()
        return self._line, cells
