"""Opens a workbook with the reader of its format. Pure: no Django, no tables."""

from collections.abc import Callable

from ingestion.parsing.dialect import Format
from ingestion.parsing.input_file import InputFile
from ingestion.parsing.readers.books import Book
from ingestion.parsing.readers.calamine_book import CalamineBook
from ingestion.parsing.readers.html_tables import HtmlBook
from ingestion.parsing.readers.ods import OpenDocumentBook
from ingestion.parsing.readers.workbook import Workbook

BOOKS: dict[Format, type[Workbook | OpenDocumentBook | CalamineBook]] = {
    Format.XLSX: Workbook,
    Format.ODS: OpenDocumentBook,
    Format.XLS: CalamineBook,
    Format.XLSB: CalamineBook,
}


def open_book(
    file: InputFile,
    form: Format,
    *,
    name: str,
    sheet: str,
    encoding: str,
    on_chunk: Callable[[], None] = lambda: None,
) -> Book:
    """The workbook in a file; ``sheet`` is the one to choose, see Book. Raises UnreadableInput."""
    if form == Format.HTML:
        return HtmlBook(file, name=name, sheet=sheet, encoding=encoding, on_chunk=on_chunk)
    return BOOKS[form](file.path, name=name, sheet=sheet, on_chunk=on_chunk)
