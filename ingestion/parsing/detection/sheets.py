"""Finds the table in a workbook: its sheet, and its place in it. Pure: no Django."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from ingestion.parsing.detection.aside import aside_in_sheet
from ingestion.parsing.detection.layout import find_layout
from ingestion.parsing.dialect import Dialect, Format
from ingestion.parsing.input_file import InputFile
from ingestion.parsing.readers.books import (
    ALL_SHEETS,
    COMPARED_SHEETS,
    Book,
    header_of,
    named,
    visible,
)
from ingestion.parsing.readers.open_book import open_book

# How many rows are read to find the table in a sheet.
SAMPLE_ROWS = 60
# Sheets with up to this many rows are searched for rows that are no data.
MOST_ROWS = 20_000


@dataclass(slots=True)
class Sheets:
    """The dialect of a workbook, notes on it, and the sheets that may be chosen."""

    dialect: Dialect
    notes: list[str] = field(default_factory=list)
    choices: list[str] = field(default_factory=list)


def find_table(
    file: InputFile,
    dialect: Dialect,
    *,
    name: str,
    encoding: str,
    said: Mapping[str, Any],
    on_chunk: Callable[[], None] = lambda: None,
) -> Sheets:
    """Choose the sheet of a workbook, and find the table in it.

    ``said`` are parsing options as checked, which ``dialect`` has. Raises UnreadableInput.
    """
    book = open_book(
        file,
        dialect.format,
        name=name,
        sheet=dialect.sheet,
        encoding=encoding,
        on_chunk=on_chunk,
    )
    book.report_reads(on_chunk)
    try:
        skip = dialect.skip
        rows: list[list[str]] = []
        for line, cells in book.first_rows(book.sheet, skip + SAMPLE_ROWS):
            if line > skip:
                rows += [[] for _ in range(line - skip - 1 - len(rows))]
                rows.append(cells)
        width = max(map(len, rows), default=0)
        # A row of one cell may be a title, like a line of text above a table.
        padded = [
            [*row, *[""] * (width - len(row))] if sum(map(bool, row)) > 1 else row for row in rows
        ]
        layout = find_layout(padded, above="skip" not in said, header=said.get("header"))
        found = replace(
            dialect,
            sheet=dialect.sheet or book.sheet,
            skip=skip + layout.first,
            header=layout.header,
            left=layout.left,
        )
        notes = list(layout.notes(skip + layout.first + 1, width - layout.left))
        if found.sheet != ALL_SHEETS:
            found = replace(found, aside=_aside(book, found))
        return Sheets(found, [*_notes(book, found, said), *notes], _choices(book, found))
    finally:
        book.close()


def _aside(book: Book, dialect: Dialect) -> Sequence[tuple[int, str]]:
    """The rows of the chosen sheet that are no data, unless it is large: it is read for that."""
    rows = (row for row in book.rows(dialect.sheet) if row[0] > dialect.skip)
    header = list(islice((cells for _, cells in rows if cells), dialect.header))
    found = list(islice(rows, MOST_ROWS + 1))
    if not header or len(found) > MOST_ROWS:
        return ()
    # A repeated header is known as such.
    found = [row for row in found if row[1] != header[-1]]
    return aside_in_sheet(found, dialect=dialect, width=max(map(len, header)))


def _choices(book: Book, dialect: Dialect) -> list[str]:
    return [*([ALL_SHEETS] if len(_alike(book, dialect)) > 1 else []), *book.sheets]


def _notes(book: Book, dialect: Dialect, said: Mapping[str, Any]) -> Iterator[str]:
    alike = _alike(book, dialect)
    is_html = dialect.format == Format.HTML
    if dialect.format in (Format.XLS, Format.XLSB):
        yield (
            "This Excel format is read without number formats and errors: leading zeros that a "
            "format adds are missing, and cells with an error such as #N/A are empty. Save the "
            "workbook as .xlsx to keep them."
        )
    if is_html and len(book.sheets) == 1:
        yield "The file is an HTML document; the rows are those of its table."
    if "sheet" not in said and len(book.sheets) > 1:
        what = "file is an HTML document with" if is_html else "workbook has"
        sheets = "tables" if is_html else "sheets"
        yield f"The {what} {len(book.sheets)} {sheets}; {book.sheet!r} was read."
        if len(alike) > 1:
            yield (
                f"{len(alike)} {sheets} have the same columns: {named(alike)}. To import all of "
                f"them, set the sheet to {ALL_SHEETS}."
            )
    if book.hidden:
        are = "sheet is" if len(book.hidden) == 1 else "sheets are"
        yield f"{len(book.hidden)} {are} hidden: {named(book.hidden)}."


def _alike(book: Book, dialect: Dialect) -> list[str]:
    """The visible sheets that have the header of the chosen one, which is among them."""
    if not dialect.header:
        return [book.sheet]
    wanted = header_of(book, book.sheet, dialect)
    return [
        sheet
        for sheet in visible(book)[:COMPARED_SHEETS]
        if sheet == book.sheet or header_of(book, sheet, dialect) == wanted
    ]
