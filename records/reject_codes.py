"""The reject codes: why a row could not become a record, in words for charts, filters and pages.

One definition of each. Pure: no Django, no tables.
"""

from typing import NamedTuple


class RejectCode(NamedTuple):
    """A code as it is stored, what people call it, what it means and what to do about it."""

    code: str
    title: str
    description: str
    remedy: str
    # Whether the row seems to be no data, so it is imported only if someone asks for it.
    is_no_data: bool = False


CATALOGUE: dict[str, RejectCode] = {
    found.code: found
    for found in (
        RejectCode(
            "too_few_cells",
            "Too few cells",
            "The row has fewer cells than the header has columns.",
            "Add the missing cells, or check whether a line break or a delimiter was lost.",
        ),
        RejectCode(
            "too_many_cells",
            "Too many cells",
            "The row has more cells than the header has columns.",
            "Quote cells that contain the delimiter, or remove the surplus cells.",
        ),
        RejectCode(
            "cell_outside_table",
            "Cell outside the table",
            "A cell next to the columns of the table has content.",
            "Move the content into a column, or delete it.",
        ),
        RejectCode(
            "cell_too_long",
            "Cell too long",
            "A cell has more characters than a cell may have, often because of an open quote.",
            "Close the quote, or shorten the cell.",
        ),
        RejectCode(
            "row_too_long",
            "Row too long",
            "The row has more characters than a row may have.",
            "Check the line ends and quotes before this row, or split the row.",
        ),
        RejectCode(
            "row_cut_off",
            "Row cut off",
            "The file ended in the middle of this row while it was being read.",
            "Load the file again when it is complete.",
        ),
        RejectCode(
            "unclosed_quote",
            "Unclosed quote",
            "A quote is opened and never closed.",
            "Close the quote, or double it if it is part of the text.",
        ),
        RejectCode(
            "misplaced_quote",
            "Misplaced quote",
            "Text follows a closing quote before the next delimiter.",
            "Double the quotes inside a quoted cell.",
        ),
        RejectCode(
            "no_json",
            "Invalid JSON",
            "The row is not valid JSON.",
            "Correct the row. The reason names the position of the error.",
        ),
        RejectCode(
            "not_an_object",
            "Not an object",
            "The row is a JSON value other than an object, so it has no column names.",
            "Write the row as an object of names and values, or check the path to the rows.",
        ),
        RejectCode(
            "not_a_list",
            "Not a list",
            "The row is a JSON value other than a list, but the rows of its document are lists.",
            "Write the row as a list with a value for each column, or check the path to the rows.",
        ),
        RejectCode(
            "repeated_name",
            "Repeated name",
            "A JSON object contains the same name more than once.",
            "Remove or rename one of them.",
        ),
        RejectCode(
            "nested_too_deeply",
            "Nested too deeply",
            "The JSON of the row has more levels than a row may have.",
            "Flatten the row.",
        ),
        RejectCode(
            "not_one_row",
            "Not exactly one row",
            "The repaired text contains no row, or several.",
            "Enter exactly one row.",
        ),
        RejectCode(
            "unknown_line",
            "Unknown line",
            "A row of a repaired file does not say which line it came from.",
            "Keep the two columns for run and line as they were downloaded.",
        ),
        RejectCode(
            "invalid_event",
            "Invalid CloudEvent",
            "The event lacks an attribute that each CloudEvent has, or has one twice.",
            "Send the event with id, source, type and specversion 1.0.",
        ),
        RejectCode(
            "missing_key",
            "Missing key",
            "The key columns of the row are empty.",
            "Fill in the key, or choose other key columns for the source.",
        ),
        RejectCode(
            "key_too_long",
            "Key too long",
            "The key of the row has more characters than a record ID may have.",
            "Shorten the key, or choose other key columns for the source.",
        ),
        RejectCode(
            "key_conflict",
            "Key already exists",
            "A record with this key exists with different data, and the source keeps it unchanged.",
            "Correct the key, or let the source update existing records.",
        ),
        RejectCode(
            "nul_character",
            "NUL character",
            "A cell contains a NUL character, which databases can't store.",
            "Remove the character.",
        ),
        RejectCode(
            "bad_bytes",
            "Invalid bytes",
            "A cell contains bytes that are not valid in the encoding of the file.",
            "Replay the rows in the right encoding, or correct the cell.",
        ),
        RejectCode(
            "unpaired_surrogate",
            "Broken character",
            "A cell contains half of a surrogate pair, which is not a character.",
            "Replace the character.",
        ),
        RejectCode(
            "unstorable",
            "Cannot be stored",
            "The row contains something that databases can't store.",
            "Simplify the row.",
        ),
        RejectCode(
            "repeated_header",
            "Repeated header",
            "The row repeats the header, as in files that were joined.",
            "Nothing needs to be done. If it is data, import it as data.",
            is_no_data=True,
        ),
        RejectCode(
            "units",
            "Units",
            "The row below the header has the units of the columns.",
            "Nothing needs to be done. If it is data, import it as data.",
            is_no_data=True,
        ),
        RejectCode(
            "question",
            "Description of columns",
            "The row below the header describes the columns, such as the questions of a survey.",
            "Nothing needs to be done. If it is data, import it as data.",
            is_no_data=True,
        ),
        RejectCode(
            "total",
            "Total",
            "The row has the totals of rows above it.",
            "Nothing needs to be done. If it is data, import it as data.",
            is_no_data=True,
        ),
        RejectCode(
            "comment",
            "Comment",
            "The line begins like a comment.",
            "Nothing needs to be done. If it is data, import it as data.",
            is_no_data=True,
        ),
        RejectCode(
            "rule",
            "Separating line",
            "The line only separates rows.",
            "Nothing needs to be done. If it is data, import it as data.",
            is_no_data=True,
        ),
        RejectCode(
            "footer",
            "Below the table",
            "The line below the table is a text or a balance.",
            "Nothing needs to be done. If it is data, import it as data.",
            is_no_data=True,
        ),
        RejectCode(
            "other_table",
            "Other table",
            "The line belongs to another table below the first one.",
            "To read that table, import the file again and set its header line.",
            is_no_data=True,
        ),
    )
}
# The codes of rows that seem to be no data.
NO_DATA = frozenset(code for code, found in CATALOGUE.items() if found.is_no_data)


def title_of(code: str) -> str:
    """What people call a code; one that is not in the catalogue is shown in words."""
    found = CATALOGUE.get(code)
    return found.title if found else code.replace("_", " ").capitalize()
