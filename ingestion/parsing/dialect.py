"""The dialect of an input, and the parsing options that a user can set. Pure."""

import codecs
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ingestion.errors import InvalidReading


class Format(StrEnum):
    """The file format of an input."""

    DELIMITED = "delimited"
    JSON = "json"
    NDJSON = "ndjson"
    XLSX = "xlsx"
    XLS = "xls"
    XLSB = "xlsb"
    ODS = "ods"
    HTML = "html"
    PARQUET = "parquet"


# Formats with sheets. The tables of an HTML document count as sheets.
WORKBOOKS = (Format.XLSX, Format.XLS, Format.XLSB, Format.ODS, Format.HTML)


class Shape(StrEnum):
    """What the rows of a JSON document are."""

    # The objects of a list, or a single object.
    OBJECTS = ""
    # The members of an object, each of which is an object.
    KEYED = "keyed"
    # Lists of cells; the first one is the header, or another list in the document.
    LISTS = "lists"
    # Documents that follow each other.
    DOCUMENTS = "documents"


class Spaces(StrEnum):
    """Spaces that are no part of cells: none, after delimiters, around cells, or runs of spaces
    that are the delimiters."""

    NONE = ""
    AFTER = "after"
    AROUND = "around"
    RUNS = "runs"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How rows and cells are separated in an input."""

    format: Format = Format.DELIMITED
    # Of delimited text. A quote of "" is none.
    delimiter: str = ","
    quote: str = '"'
    escape: str | None = None
    # Lines (of a workbook: rows) above the header, and how many rows the header has; 0: none.
    skip: int = 0
    header: int = 1
    # Empty columns to the left of the table, and empty cells that its rows have too many at
    # their ends; -1 where it is the header that has one too many.
    left: int = 0
    surplus: int = 0
    # How many columns on the left have no cell in the header, such as the row names of R.
    unnamed: int = 0
    # Whether the header has empty cells between its names for which rows have no cell.
    gaps: bool = False
    # Of delimited text: see Spaces; whether each line is in quotes; where columns begin that are
    # aligned by spaces; the delimiter of the header, if it is another one.
    spaces: Spaces = Spaces.NONE
    wrapped: bool = False
    cuts: Sequence[int] = ()
    header_delimiter: str = ""
    # Whether the header breaks the rules of quoting: it is what stands between the delimiters.
    plain_header: bool = False
    # The fewest cells of a row that may lack blank cells at its end; 0: rows are complete.
    fewest: int = 0
    # Lines whose rows are no data, each with its reject code, in ascending order.
    aside: Sequence[tuple[int, str]] = ()
    # The line from which on rows belong to other tables; 0: there are none.
    end: int = 0
    # Of a workbook; "*" is every visible sheet with the same columns.
    sheet: str = ""
    # Of JSON: the names (or list indexes) that lead to the rows, joined by dots; "" is the document
    # itself. What the rows are, and the path to the list of column names if it is not among them.
    rows_path: str = ""
    shape: str = Shape.OBJECTS
    header_path: str = ""
    # How many levels of nested objects are columns of their own, with dots in their names.
    nested: int = 0


# Names for characters that are hard to type.
CHARACTERS = {
    "tab": "\t",
    "\\t": "\t",
    "comma": ",",
    "semicolon": ";",
    "pipe": "|",
    "colon": ":",
    "space": " ",
}
# Encodings of which one can't tell bytes from text row by row under this name.
PLAIN_NAMES = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
# Codecs of Python that are no encodings of files.
NOT_FOR_FILES = {"idna", "punycode", "utf-7", "undefined", "unicode_escape", "raw_unicode_escape"}
NOT_FOR_FILES |= {name.replace("_", "-") for name in NOT_FOR_FILES}
# No table starts so far down, and no header has so many rows.
MAX_SKIP = 1_000_000
MAX_HEADER_ROWS = 20


def check_reading(reading: Mapping[str, Any]) -> dict[str, Any]:
    """The parsing options that a user set, as ``encoding`` and fields of a Dialect.

    ``reading`` holds texts: encoding, format, delimiter, quote ("none"), escape ("none"), header
    (the line of the header, "FIRST-LAST" or "none"), skip, sheet, rows_path. Empty ones are
    ignored. Raises InvalidReading.
    """
    said = {name: str(value) for name, value in reading.items() if value not in (None, "")}
    for name in said:
        if name not in CHECKS:
            raise InvalidReading(name, said[name], f"the options are {', '.join(CHECKS)}")
    checked = {name: CHECKS[name](text) for name, text in said.items() if name != "header"}
    if "header" in said:
        checked |= _header(said["header"], checked.get("skip", 0))
    if checked.get("format") not in (None, Format.DELIMITED):
        for name in ("delimiter", "quote", "escape"):
            if name in said:
                raise InvalidReading(name, said[name], "it applies to delimited text only")
    if "delimiter" in checked and checked["delimiter"] in (
        checked.get("quote"),
        checked.get("escape"),
    ):
        raise InvalidReading(
            "delimiter", said["delimiter"], "it must differ from the quote and the escape"
        )
    return checked


def joined(remembered: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """The parsing options of a source, overridden by those given for this input.

    If the format changes, only the encoding is kept from the source.
    """
    kind = remembered.get("format", Format.DELIMITED)
    if said.get("format", kind) != kind:
        remembered = {name: text for name, text in remembered.items() if name == "encoding"}
    return {**remembered, **said}


def _encoding(text: str) -> str:
    try:
        info = codecs.lookup(text)
        # Not every codec makes text of bytes.
        "a".encode(info.name)
        known = isinstance(b"a\0\0\0".decode(info.name, "replace"), str)
    except (LookupError, ValueError, TypeError):
        known = False
    if not known or info.name in NOT_FOR_FILES:
        raise InvalidReading("encoding", text, "use a name such as utf-8 or cp1252")
    return PLAIN_NAMES.get(info.name, info.name)


def _format(text: str) -> Format:
    try:
        return Format(text.lower())
    except ValueError:
        raise InvalidReading("format", text, f"use one of {', '.join(Format)}") from None


def _one_character(name: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        character = CHARACTERS.get(text.lower(), text)
        code = re.fullmatch(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4}))", character)
        if code:
            character = chr(int(code[1] or code[2], 16))
        if len(character) != 1 or character in "\0\r\n" or "\ud800" <= character <= "\udfff":
            raise InvalidReading(name, text, 'use one character or "tab"')
        return character

    return check


def _quote(text: str) -> str:
    return "" if text.lower() == "none" else _one_character("quote")(text)


def _escape(text: str) -> str | None:
    return None if text.lower() == "none" else _one_character("escape")(text)


def _skip(text: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", text.strip()) or int(text) > MAX_SKIP:
        raise InvalidReading("skip", text, f"use a number of lines, at most {MAX_SKIP:,}")
    return int(text)


def _header(text: str, skip: int) -> dict[str, int]:
    if text.strip().lower() == "none":
        return {"skip": skip, "header": 0}
    lines = re.fullmatch(r"\s*([0-9]{1,9})(?:\s*-\s*([0-9]{1,9}))?\s*", text)
    if not lines:
        raise InvalidReading("header", text, 'use a line number, a range such as "2-3", or "none"')
    first, last = int(lines[1]), int(lines[2] or lines[1])
    if not skip < first <= MAX_SKIP:
        raise InvalidReading("header", text, f"it must come after the {skip} lines to skip")
    if not first <= last < first + MAX_HEADER_ROWS:
        raise InvalidReading("header", text, f"a header has 1 to {MAX_HEADER_ROWS} rows")
    return {"skip": first - 1, "header": last - first + 1}


def _name(what: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if "\0" in text or len(text) > 1_000:
            raise InvalidReading(what, text, "it is too long or contains a NUL character")
        return text

    return check


CHECKS: dict[str, Callable[[str], Any]] = {
    "encoding": _encoding,
    "format": _format,
    "delimiter": _one_character("delimiter"),
    "quote": _quote,
    "escape": _escape,
    "header": str,
    "skip": _skip,
    "sheet": _name("sheet"),
    "rows_path": _name("rows_path"),
}
