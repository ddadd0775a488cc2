"""Checks the length of rows, and describes rows that break the rules. Pure."""

import csv
from collections.abc import Iterable, Iterator

from ingestion.parsing.limits import MAX_CELL_CHARACTERS, MAX_ROW_CHARACTERS

csv.field_size_limit(MAX_CELL_CHARACTERS)


def as_many_as_a_row(lines: list[str]) -> list[str]:
    """The first lines that together are longer than any row, if there are enough."""
    characters = 0
    for place, line in enumerate(lines):
        characters += len(line)
        if characters > MAX_ROW_CHARACTERS:
            return lines[: place + 1]
    return lines


def not_too_long(lines: Iterable[str]) -> Iterator[str]:
    """The lines; raises csv.Error at one that is longer than any row."""
    for line in lines:
        if len(line) > MAX_ROW_CHARACTERS:
            raise csv.Error("row too long")
        yield line


def ragged(found: int, width: int) -> tuple[str, str]:
    """The code and the message of a row with too few or too many cells."""
    cells = "1 cell" if found == 1 else f"{found} cells"
    code = "too_few_cells" if found < width else "too_many_cells"
    return code, f"The row has {cells}, but the header has {width}."


def malformed(error: csv.Error) -> tuple[str, str]:
    """The code and the message of a row that breaks the rules of quoting."""
    text = str(error)
    if text == "row too long":
        return "row_too_long", f"The row has more than {MAX_ROW_CHARACTERS:,} characters."
    if "field larger" in text:
        return (
            "cell_too_long",
            f"A cell has more than {MAX_CELL_CHARACTERS:,} characters, or its quote is never "
            "closed.",
        )
    if "unexpected end" in text:
        return "unclosed_quote", "A quote is opened but never closed."
    return "misplaced_quote", "There is text between a closing quote and the next delimiter."
