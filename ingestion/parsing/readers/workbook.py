"""Reads the sheets of a workbook row by row, within limits. Pure: no Django, no tables."""

import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice, takewhile
from pathlib import Path
from typing import IO, Any, cast
from xml.etree.ElementTree import Element

from openpyxl.cell.read_only import ReadOnlyCell
from openpyxl.reader.excel import ExcelReader
from openpyxl.reader.workbook import WorkbookParser
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet._reader import (
    CELL_TAG,
    DATA_TAG,
    FORMULA_TAG,
    ROW_TAG,
    WorkSheetParser,
)
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS

from ingestion.errors import InputTooLarge, UnreadableInput
from ingestion.parsing.limits import (
    MAX_COLUMNS,
    MAX_SHARED_TEXT_BYTES,
    MAX_SHEET_ROWS,
    MAX_SHEETS,
)
from ingestion.parsing.readers.books import FIRST_ROWS, Merged, SheetRow, choose
from ingestion.parsing.readers.excel_text import cell_text
from ingestion.parsing.readers.workbook_parts import (
    DAMAGED_PARTS,
    SAVE_AS_CSV,
    Archive,
    Part,
    WatchedFile,
    merged_down,
)

# The exceptions of openpyxl for a damaged workbook.
DAMAGED = (*DAMAGED_PARTS, InvalidFileException, TypeError, AttributeError, OverflowError)
STRING_TAG, TEXT_TAG, RUN_TAG = (f"{{{SHEET_MAIN_NS}}}{tag}" for tag in ("si", "t", "r"))

# openpyxl warns about skipped content, cell by cell, and Python remembers every shown warning.
warnings.filterwarnings("ignore", module="openpyxl")


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A sheet: its title, the part with its rows, and the book with their formats.

    Its cells use it like a sheet of openpyxl.
    """

    title: str
    part: str
    is_visible: bool
    parent: Any


class _Reader(ExcelReader):
    """openpyxl's reader for everything but the cells, within limits.

    It does not open the archive itself.
    """

    archive: Archive
    package: Any
    parser: WorkbookParser
    wb: Any

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._name = name
        self.archive = Archive(file, name)
        self.valid_files = self.archive.namelist()
        self.shared_strings: list[str] = []
        self.keep_links = self.keep_vba = False
        self.read_only = self.data_only = True

    def sheets(self) -> list[_Sheet]:
        """Read what all sheets share, and list the sheets; charts don't count."""
        self.read_manifest()
        self.read_strings()
        self.read_workbook()
        apply_stylesheet(self.archive, self.wb)
        found = [
            _Sheet(sheet.name, rel.target, sheet.state == "visible", self.wb)
            for sheet, rel in islice(self.parser.find_sheets(), MAX_SHEETS + 1)
            if rel.target in self.valid_files and "chartsheet" not in rel.Type
        ]
        if len(found) > MAX_SHEETS:
            raise InputTooLarge(
                self._name, f"more than {MAX_SHEETS:,} sheets", MAX_SHEETS, SAVE_AS_CSV
            )
        if len({sheet.part for sheet in found}) < len(found):
            raise ValueError("Two sheets are the same part.")
        return found

    def read_strings(self) -> None:
        part = self.package.find(SHARED_STRINGS)
        if part is None:
            return
        size = 0
        with self.archive.open(part.PartName[1:]) as file:
            for event, element in Part(file, self._name).elements(STRING_TAG):
                if event == "start" or element.tag != STRING_TAG:
                    continue
                text = _text_in(element)
                self.shared_strings.append(text)
                size += sys.getsizeof(text)
                if size > MAX_SHARED_TEXT_BYTES:
                    raise InputTooLarge(
                        self._name,
                        f"more than {len(self.shared_strings) - 1:,} texts, which take "
                        f"{size:,} bytes of memory",
                        MAX_SHARED_TEXT_BYTES,
                        SAVE_AS_CSV,
                    )


def _text_in(item: Element) -> str:
    """The text of a shared string: its own, or that of its runs, without phonetic hints."""
    if len(item) == 1 and item[0].tag == TEXT_TAG:
        text = item[0].text or ""
        return text.replace("x005F_", "") if "x" in text else text
    own = item.find(TEXT_TAG)
    parts = [own] if own is not None else [run.find(TEXT_TAG) for run in item.iterfind(RUN_TAG)]
    text = "".join(part.text or "" for part in parts if part is not None)
    return text.replace("x005F_", "")


class Workbook:
    """A workbook in Open XML (.xlsx, .xlsm), read row by row; see Book.

    ``sheet`` is the name of the sheet to choose; "" is the first visible one with a non-empty cell.
    ``on_chunk`` is called repeatedly on opening, which reads all texts.
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
        self.merged: list[Merged] = []
        # Formulas without a stored value, and the first of them.
        self._unsaved, self._first_unsaved = 0, ""
        # Given a path, openpyxl would judge the file by its extension.
        self._file = WatchedFile(path.open("rb", buffering=0))
        self._file.on_read = on_chunk
        try:
            self._reader = _Reader(self._file, name)
            self._sheets = {each.title: each for each in self._reader.sheets()}
            self._sheet = self._sheets[
                choose(self.sheets, self.hidden, sheet, self._has_cells, name=name)
            ]
        except DAMAGED as error:
            self._file.close()
            raise self._damaged() from error
        except BaseException:
            self._file.close()
            raise
        self._file.on_read = None

    @property
    def sheet(self) -> str:
        """The name of the sheet."""
        return self._sheet.title

    @property
    def sheets(self) -> list[str]:
        """The names of all sheets."""
        return list(self._sheets)

    @property
    def hidden(self) -> list[str]:
        """The names of the sheets that can't be seen."""
        return [sheet.title for sheet in self._sheets.values() if not sheet.is_visible]

    @property
    def notes(self) -> list[str]:
        """Whether formulas have no value."""
        if not self._unsaved:
            return []
        formulas = (
            "1 formula has no stored value, so its cell is"
            if self._unsaved == 1
            else f"{self._unsaved:,} formulas have no stored value, so their cells are"
        )
        return [
            f"{formulas} empty; the first is {self._first_unsaved}. Open the workbook in Excel, "
            "save it, and import it again."
        ]

    def report_reads(self, on_chunk: Callable[[], None] | None) -> None:
        """Call ``on_chunk`` on each further read of the file."""
        self._file.on_read = on_chunk

    def close(self) -> None:
        """Close the file."""
        self._reader.archive.close()
        self._file.close()

    @property
    def share_read(self) -> float:
        """How much of the sheet has been read, 0 to 1, by its position in the compressed file."""
        member = self._reader.archive.getinfo(self._sheet.part)
        done = max(self._file.tell() - member.header_offset, 0)
        return min(done / max(member.compress_size, 1), 1.0)

    def rows(self, sheet: str) -> Iterator[SheetRow]:
        """The rows of a sheet, with their numbers from 1, without empty cells at their ends.

        Missing rows are skipped.
        """
        self._sheet = self._sheets[sheet]
        self._unsaved = 0
        try:
            with self._reader.archive.open(self._sheet.part) as file:
                self.merged = merged_down(file, self._name)
        except DAMAGED as error:
            raise self._damaged() from error
        yield from self._rows(self._sheet)

    def first_rows(self, sheet: str, last: int) -> Iterator[SheetRow]:
        """The rows of a sheet up to a number."""
        return takewhile(lambda row: row[0] <= last, self._rows(self._sheets[sheet]))

    def _has_cells(self, sheet: str) -> bool:
        first = islice(self._rows(self._sheets[sheet]), FIRST_ROWS)
        return any(cells for _, cells in first)

    def _rows(self, sheet: _Sheet) -> Iterator[SheetRow]:
        # A formula is read as its result when the workbook was saved.
        parser = WorkSheetParser(
            cast(Any, None),
            self._reader.shared_strings,
            data_only=True,
            epoch=sheet.parent.epoch,
            date_formats=sheet.parent._date_formats,
            timedelta_formats=sheet.parent._timedelta_formats,
        )
        cells: list[str] = []
        try:
            with self._reader.archive.open(sheet.part) as file:
                for event, element in Part(file, self._name).elements(CELL_TAG):
                    if element.tag == CELL_TAG:
                        self._add_cell(cells, parser, sheet, element)
                    elif element.tag == ROW_TAG and event == "start":
                        cells = []
                        self._begin_row(parser, element)
                    elif element.tag == ROW_TAG:
                        while cells and not cells[-1]:
                            cells.pop()
                        yield parser.row_counter, cells
                    elif element.tag == DATA_TAG and event == "end":
                        break
                # Whether all of it is valid is only known at its end.
                while file.read(1 << 16):
                    pass
        except DAMAGED as error:
            raise self._damaged() from error

    def _begin_row(self, parser: Any, row: Element) -> None:
        """Number a row; skipped numbers are missing rows."""
        before = parser.row_counter
        parser.row_counter = int(float(row.get("r", before + 1)))
        parser.col_counter = 0
        if parser.row_counter > MAX_SHEET_ROWS:
            raise InputTooLarge(
                self._name, f"a row number {row.get('r')}", MAX_SHEET_ROWS, SAVE_AS_CSV
            )
        if parser.row_counter <= before:
            raise ValueError("Its rows do not follow each other.")

    def _add_cell(self, cells: list[str], parser: Any, sheet: _Sheet, element: Element) -> None:
        before = parser.col_counter
        found = parser.parse_cell(element)
        column = found["column"]
        if column <= before:
            raise ValueError("Its cells do not follow each other.")
        if column > MAX_COLUMNS:
            raise InputTooLarge(
                self._name,
                f"a cell in column {column:,} of row {parser.row_counter:,}",
                MAX_COLUMNS,
                SAVE_AS_CSV,
            )
        if found["value"] is not None:
            cells += [""] * (column - 1 - len(cells))
            cells.append(cell_text(ReadOnlyCell(cast(Any, sheet), **found)))
        elif element.get("t") != "str" and element.find(FORMULA_TAG) is not None:
            self._unsaved += 1
            self._first_unsaved = self._first_unsaved or (
                f"{get_column_letter(column)}{parser.row_counter}"
            )

    def _damaged(self) -> UnreadableInput:
        return UnreadableInput(self._name, "the workbook is damaged. Save it again, or as CSV.")
