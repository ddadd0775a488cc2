"""Records as a workbook with one sheet, created in a temporary file."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.writer.excel import ExcelWriter

from explore.export.cells import as_text, head_of
from explore.export.errors import TooLargeForExcel
from explore.export.options import Options
from explore.export.pieces import pieces
from explore.export.walk import Progress, Table

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS, MOST_COLUMNS, MOST_CHARACTERS = 1_048_576, 16_384, 32_767

# Characters that XML has no place for, and text that reads like what stands for them.
UNFIT = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
# A number, which Excel shows by the same digits. It keeps 15 of them.
PLAIN = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
MOST_DIGITS = 15
# The first moment that Excel counts right: it takes 1900 for a leap year.
FIRST_MOMENT = datetime(1900, 3, 1)  # noqa: DTZ001 (cells have no zone)
SECONDS, MILLISECONDS = "yyyy-mm-dd hh:mm:ss", "yyyy-mm-dd hh:mm:ss.000"

Value = str | int | Decimal | datetime


def content(table: Table, *, options: Options, progress: Progress) -> Iterator[bytes]:
    """The table; raw: all cells are text, else plain numbers are numbers, and timestamps dates.

    Nothing in it is ever a formula. Raises TooLargeForExcel before the first byte.
    """
    head = head_of(
        table.columns, table.result_columns, raw=options.raw, has_closed=table.has_closed
    )
    if table.total >= MOST_ROWS:
        raise TooLargeForExcel(
            f"An Excel sheet can hold {MOST_ROWS - 1:,} records, and this export has "
            f"{table.total:,}."
        )
    if len(head) > MOST_COLUMNS:
        raise TooLargeForExcel(
            f"An Excel sheet can hold {MOST_COLUMNS:,} columns, and this export has {len(head):,}."
        )
    # Not in a generator's first step, but here: who asked is to learn what is too large.
    file = tempfile.TemporaryFile()  # noqa: SIM115 (closed when it has been handed on)
    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet("Records")
    sheet.freeze_panes = "A2"
    try:
        for row in _rows(table, head, raw=options.raw, progress=progress):
            sheet.append([_cell(sheet, cell) for cell in row])
        # Not `book.save`, which leaves the archive open when there is no room for it.
        with ZipFile(file, "w", ZIP_DEFLATED) as archive:
            ExcelWriter(book, archive).save()
        file.seek(0)
    except BaseException:
        with file:
            _discard(sheet)
        raise
    return pieces(file)


def _discard(sheet: Any) -> None:
    """Close and remove the file that openpyxl writes the rows to, as saving would have done.

    What is still to be written to it may find no room either.
    """
    if (writer := sheet._writer) is None:
        return
    for generator in (sheet._rows, writer.xf):
        with suppress(OSError):
            generator.close()
    with suppress(FileNotFoundError):
        writer.cleanup()


def _rows(table: Table, head: list[str], *, raw: bool, progress: Progress) -> Iterator[list[Any]]:
    yield head
    if raw:
        for rows in table.data(progress):
            for data in rows:
                yield [as_text(data.get(column)) for column in table.columns]
        return
    for chunk in table.chunks(progress):
        for key, timestamp, *told, data, made, closer in zip(*chunk, strict=True):
            cells = [*map(data.get, table.columns), *map(made.get, table.result_columns)]
            closers = [_number_or_text(closer)] if table.has_closed else []
            yield [key, _moment_or_text(timestamp), *told, *closers, *map(_number_or_text, cells)]


def _moment_or_text(timestamp: str) -> datetime | str:
    """A timestamp, UTC, as the date that Excel shows; as text where Excel would change it."""
    if not timestamp:
        return ""
    moment = datetime.fromisoformat(timestamp).replace(tzinfo=None)
    return timestamp if moment < FIRST_MOMENT or moment.microsecond % 1000 else moment


def _number_or_text(cell: Any) -> str | int | Decimal:
    text = as_text(cell)
    is_plain = len(text) <= MOST_DIGITS and PLAIN.fullmatch(text)
    if is_plain and (text[0] != "-" or float(text)):
        return Decimal(text) if "." in text else int(text)
    return text


def _cell(sheet: Any, value: Value) -> Any:
    if isinstance(value, datetime):
        moment = WriteOnlyCell(sheet)
        moment.value = value
        moment.number_format = MILLISECONDS if value.microsecond else SECONDS
        return moment
    if isinstance(value, Decimal):
        number = WriteOnlyCell(sheet)
        number.value = value
        number.number_format = "0." + "0" * -int(value.as_tuple().exponent)
        return number
    if isinstance(value, int):
        return value
    if not value:
        return None
    if len(value) > MOST_CHARACTERS:
        raise TooLargeForExcel(
            f"An Excel cell can hold {MOST_CHARACTERS:,} characters, and one cell has "
            f"{len(value):,}."
        )
    cell = WriteOnlyCell(sheet, value=UNFIT.sub(_escaped, value))
    # However it begins, it is text.
    cell.data_type = "s"
    return cell


def _escaped(found: re.Match[str]) -> str:
    """As Excel writes a character that XML can't hold."""
    return f"_x{ord(found[0]):04X}_"
