"""Reads a sheet of an old or binary Excel file with calamine, into a file of rows. Pure.

Calamine reads whole workbooks into memory, so this is called in a process with limits.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from ingestion.parsing.readers.books import COMPARED_SHEETS, FIRST_ROWS
from ingestion.parsing.readers.excel_text import value_text

DAMAGED = "the workbook is damaged. Save it again, as .xlsx or CSV."


@dataclass(slots=True)
class Converted:
    """What was read: the sheets, those that are hidden, and the merged cells of the chosen one.

    ``heads`` are the first rows of the sheets; ``refusal`` says why nothing was read.
    """

    sheets: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    heads: dict[str, list[list[str]]] = field(default_factory=dict)
    merged: list[tuple[int, int, int]] = field(default_factory=list)
    refusal: str = ""


def convert(path: Path, rows: Path | None, *, sheet: str, most: int, most_merged: int) -> Converted:
    """Write the rows of a sheet to the file ``rows``: a JSON list of texts in each line.

    The file may have ``most`` bytes. Without ``rows`` only the sheets and their heads are returned.
    """
    found = Converted()
    try:
        with CalamineWorkbook.from_path(path) as book:
            for meta in book.sheets_metadata:
                if meta.typ == SheetTypeEnum.WorkSheet:
                    found.sheets.append(meta.name)
                    if meta.visible != SheetVisibleEnum.Visible:
                        found.hidden.append(meta.name)
            if rows is None:
                for title in found.sheets[:COMPARED_SHEETS]:
                    head = islice(_rows(book.get_sheet_by_name(title)), FIRST_ROWS)
                    found.heads[title] = list(head)
            else:
                _write(book.get_sheet_by_name(sheet), rows, found, most, most_merged)
    except PasswordError:
        found.refusal = "the workbook is protected by a password. Save it without one."
    except CalamineError:
        found.refusal = DAMAGED
    except BaseException as error:
        # Calamine panics at some damage, which is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        found.refusal = DAMAGED
    return found


def _rows(sheet: CalamineSheet) -> Iterator[list[str]]:
    """The rows from the first of the sheet, without empty cells at their ends."""
    left = [""] * (sheet.start[1] if sheet.start else 0)
    for row in sheet.iter_rows():
        cells = [*left, *map(_text, row)]
        while cells and not cells[-1]:
            cells.pop()
        yield cells


def _write(sheet: CalamineSheet, rows: Path, found: Converted, most: int, most_merged: int) -> None:
    size = 0
    with rows.open("wb") as file:
        for cells in _rows(sheet):
            line = orjson.dumps(cells) + b"\n"
            size += len(line)
            if size > most:
                found.refusal = "its sheet is too large. Save it as .xlsx or CSV."
                return
            file.write(line)
    ranges = sheet.merged_cell_ranges or []
    found.merged = sorted(
        (top + 1, bottom + 1, column)
        for (top, column), (bottom, _) in islice(ranges, most_merged)
        if bottom > top
    )


def _text(value: Any) -> str:
    return value_text(value, "")
