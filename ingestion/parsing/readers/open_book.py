"""Opens a workbook with the reader of its format. Pure: no Django, no tables."""

from collections.abc import Callable

from ingestion.parsing.dialect import Format
from ingestion.parsing.input_file import InputFile
from ingestion.parsing.readers.books import Book


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
    # Loading the libraries takes a third of a second, which only workbooks are to cost.
    if form == Format.HTML:
        from ingestion.parsing.readers.html_tables import HtmlBook

        return HtmlBook(file, name=name, sheet=sheet, encoding=encoding, on_chunk=on_chunk)
    if form == Format.XLSX:
        from ingestion.parsing.readers.workbook import Workbook

        return Workbook(file.path, name=name, sheet=sheet, on_chunk=on_chunk)
    if form == Format.ODS:
        from ingestion.parsing.readers.ods import OpenDocumentBook

        return OpenDocumentBook(file.path, name=name, sheet=sheet, on_chunk=on_chunk)
    from ingestion.parsing.readers.calamine_book import CalamineBook

    return CalamineBook(file.path, name=name, sheet=sheet, on_chunk=on_chunk)
