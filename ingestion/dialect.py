"""How the rows of an input are written, and what its user says about that. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Format(StrEnum):
    """What kind of document holds the rows."""

    DELIMITED = "delimited"
    JSON = "json"
    NDJSON = "ndjson"
    XLSX = "xlsx"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the rows of an input, and the cells of a row, are told apart."""

    format: Format = Format.DELIMITED
    # Of delimited text. A quote of "" is none.
    delimiter: str = ","
    quote: str = '"'
    escape: str | None = None
    # Lines (of a workbook: rows) above the header, and how many rows the header has; 0: none.
    skip: int = 0
    header: int = 1
    # Empty columns to the left of the table, and empty cells that its rows have too many at
    # their ends.
    left: int = 0
    surplus: int = 0
    # Of a workbook.
    sheet: str = ""
    # Of JSON: the names that lead to the rows, joined by dots; "" is the document itself.
    rows_path: str = ""
