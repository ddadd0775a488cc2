"""Reads the sheets of an OpenDocument spreadsheet row by row, within limits. Pure."""

import re
from collections.abc import Callable, Iterator
from itertools import islice, takewhile
from pathlib import Path
from xml.etree.ElementTree import Element

from ingestion.errors import InputTooLarge, UnreadableInput
from ingestion.parsing.limits import (
    MAX_COLUMNS,
    MAX_MERGED,
    MAX_REPEATED_CELLS,
    MAX_SHEET_ROWS,
    MAX_SHEETS,
)
from ingestion.parsing.readers.books import FIRST_ROWS, Merged, SheetRow, choose
from ingestion.parsing.readers.workbook_parts import (
    DAMAGED_PARTS,
    SAVE_AS_CSV,
    Archive,
    Part,
    WatchedFile,
)

NAMESPACE = "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}"
TABLE, OFFICE, TEXT, STYLE = (NAMESPACE % name for name in ("table", "office", "text", "style"))
CELL, COVERED, ROW, SHEET = (
    f"{TABLE}{tag}" for tag in ("table-cell", "covered-table-cell", "table-row", "table")
)
NUMBERS = ("float", "percentage", "currency")
DURATION = re.compile(r"PT([0-9]{1,9})H([0-9]{1,2})M([0-9]{1,2})(?:[.,][0-9]*)?S")


class OpenDocumentBook:
    """An OpenDocument spreadsheet; see Book. Its sheets are all in one part of the archive."""

    notes: list[str] = []

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
        self._file = WatchedFile(path.open("rb", buffering=0))
        self._file.on_read = on_chunk
        try:
            self._archive = Archive(self._file, name)
            self._sheets = self._list()
            self.sheet = choose(self.sheets, self.hidden, sheet, self._has_cells, name=name)
        except DAMAGED_PARTS as error:
            self._file.close()
            raise self._damaged() from error
        except BaseException:
            self._file.close()
            raise
        self._file.on_read = None

    @property
    def sheets(self) -> list[str]:
        return list(self._sheets)

    @property
    def hidden(self) -> list[str]:
        return [title for title, is_visible in self._sheets.items() if not is_visible]

    @property
    def share_read(self) -> float:
        member = self._archive.getinfo("content.xml")
        done = max(self._file.tell() - member.header_offset, 0)
        return min(done / max(member.compress_size, 1), 1.0)

    def report_reads(self, on_chunk: Callable[[], None] | None) -> None:
        """Call ``on_chunk`` on each further read of the file."""
        self._file.on_read = on_chunk

    def close(self) -> None:
        self._archive.close()
        self._file.close()

    def rows(self, sheet: str) -> Iterator[SheetRow]:
        """The rows of a sheet, with their numbers from 1; empty ones are skipped."""
        self.merged = []
        yield from self._rows(sheet)

    def first_rows(self, sheet: str, last: int) -> Iterator[SheetRow]:
        """The rows of a sheet up to a number."""
        return takewhile(lambda row: row[0] <= last, self._rows(sheet))

    def _list(self) -> dict[str, bool]:
        """The names of the sheets, and whether they are visible."""
        found: dict[str, bool] = {}
        hidden, style = set(), ""
        with self._archive.open("content.xml") as file:
            for event, element in Part(file, self._name).elements(CELL):
                if event != "start":
                    continue
                if element.tag == f"{STYLE}style":
                    style = element.get(f"{STYLE}name", "")
                elif element.tag == f"{STYLE}table-properties":
                    if element.get(f"{TABLE}display") == "false":
                        hidden.add(style)
                elif element.tag == SHEET and (title := element.get(f"{TABLE}name")):
                    found[title] = element.get(f"{TABLE}style-name") not in hidden
                    if len(found) > MAX_SHEETS:
                        what = f"more than {MAX_SHEETS:,} sheets"
                        raise InputTooLarge(self._name, what, MAX_SHEETS, SAVE_AS_CSV)
        return found

    def _has_cells(self, sheet: str) -> bool:
        return any(cells for _, cells in islice(self._rows(sheet), FIRST_ROWS))

    def _rows(self, sheet: str) -> Iterator[SheetRow]:
        row, repeated, is_here = _Row(self._name), 0, False
        line = 0
        try:
            with self._archive.open("content.xml") as file:
                for event, element in Part(file, self._name).elements(CELL):
                    tag = element.tag
                    if tag == SHEET and event == "start":
                        is_here = element.get(f"{TABLE}name") == sheet
                    elif tag == SHEET and is_here:
                        return
                    elif not is_here:
                        continue
                    elif tag == ROW and event == "start":
                        row.begin(line + 1)
                        times = _count(element, "number-rows-repeated")
                    elif tag == ROW:
                        self.merged += row.merged
                        if len(self.merged) > MAX_MERGED:
                            what = "too many merged cells"
                            raise InputTooLarge(self._name, what, MAX_MERGED, SAVE_AS_CSV)
                        if row.cells:
                            repeated += row.repeated + (times - 1) * len(row.cells)
                            self._check(line + times, repeated)
                            for number in range(line + 1, line + times + 1):
                                yield number, list(row.cells)
                        line += times
                    elif tag == CELL or (tag == COVERED and event == "start"):
                        row.add(element)
        except DAMAGED_PARTS as error:
            raise self._damaged() from error

    def _check(self, line: int, repeated: int) -> None:
        if line > MAX_SHEET_ROWS:
            raise InputTooLarge(self._name, f"a row number {line:,}", MAX_SHEET_ROWS, SAVE_AS_CSV)
        if repeated > MAX_REPEATED_CELLS:
            what = f"{repeated:,} cells that repeat others"
            raise InputTooLarge(self._name, what, MAX_REPEATED_CELLS, SAVE_AS_CSV)

    def _damaged(self) -> UnreadableInput:
        return UnreadableInput(self._name, "the workbook is damaged. Save it again, or as CSV.")


class _Row:
    """The cells of a row; ``repeated`` is how many of them repeat another one."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.begin(0)

    def begin(self, line: int) -> None:
        self._line = line
        self._column = 0
        self.repeated = 0
        self.cells: list[str] = []
        self.merged: list[Merged] = []

    def add(self, element: Element) -> None:
        times = _count(element, "number-columns-repeated")
        text = _text(element) if element.tag == CELL else ""
        if text:
            if self._column + times > MAX_COLUMNS:
                what = f"a cell in column {self._column + times:,} of row {self._line:,}"
                raise InputTooLarge(self._name, what, MAX_COLUMNS, SAVE_AS_CSV)
            self.cells += [""] * (self._column - len(self.cells))
            self.cells += [text] * times
            self.repeated += times - 1
            rows = _count(element, "number-rows-spanned")
            if rows > 1:
                self.merged.append(Merged(self._line, self._line + rows - 1, self._column))
        self._column += times


def _count(element: Element, name: str) -> int:
    return max(int(element.get(f"{TABLE}{name}", "1")[:9]), 1)


def _text(cell: Element) -> str:
    """A cell as the text that is shown, except for the formats of dates and numbers."""
    shown = "\n".join(_paragraph(part) for part in cell.findall(f"{TEXT}p"))
    kind = cell.get(f"{OFFICE}value-type")
    value = cell.get(f"{OFFICE}value", "")
    if kind in NUMBERS and value:
        # An id such as 00501 is often a number that is displayed with leading zeros.
        zeros = shown.lstrip("0")
        is_padded = shown.isdecimal() and value == (zeros or "0")
        return shown if is_padded else value
    if kind == "date":
        return cell.get(f"{OFFICE}date-value", shown).replace("T", " ")
    if kind == "time":
        parts = DURATION.fullmatch(cell.get(f"{OFFICE}time-value", ""))
        return f"{int(parts[1]):02}:{parts[2]:>02}:{parts[3]:>02}" if parts else shown
    if kind == "boolean":
        return cell.get(f"{OFFICE}boolean-value", shown).upper()
    return shown or cell.get(f"{OFFICE}string-value", "")


def _paragraph(paragraph: Element) -> str:
    parts = [paragraph.text or ""]
    for child in paragraph:
        if child.tag == f"{TEXT}s":
            parts.append(" " * min(int(child.get(f"{TEXT}c", "1")[:6]), 1000))
        elif child.tag in (f"{TEXT}tab", f"{TEXT}line-break"):
            parts.append("\t" if child.tag == f"{TEXT}tab" else "\n")
        elif child.tag != f"{OFFICE}annotation":
            parts.append(_paragraph(child))
        parts.append(child.tail or "")
    return "".join(parts)
