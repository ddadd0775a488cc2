"""Rows that are no data: which kind a row is, and in words. Pure: no Django, no tables.

Detection finds out which rows of the right width are no data, from the whole input (see
``ingestion.parsing.detection.aside``). A row of another width is no data in any case; here is
told what it is rather.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ingestion.errors import RowError
from ingestion.parsing.readers.row_text import ragged

# A mark at the beginning of a line that makes it a comment.
COMMENT = re.compile(r"\s*+(?:#|//|;|%|--(?!-))")
_MARK = re.compile(r"[#/;%-]")
# A line that only separates, such as "-----" or "|---|:--:|".
RULE = re.compile(r"[\s|+:=_*~-]*+")
STROKES = ("---", "===", "___", "***", "~~~", ":-", "-:")

# One reason for each kind, with its code.
REASONS = {
    reason.code: (reason.code, reason.message)
    for reason in (
        RowError("repeated_header", "The row repeats the header."),
        RowError("units", "The row below the header has the units of the columns."),
        RowError("question", "The row below the header describes the columns."),
        RowError("total", "The row has totals of the rows above it."),
        RowError("comment", "The line is a comment."),
        RowError("rule", "The line only separates rows."),
        RowError("footer", "The line below the table is no row of it."),
        RowError("other_table", "The line belongs to another table below the first one."),
    )
}
# Each kind in a note: one row, and several.
COUNTED = {
    "repeated_header": ("1 repeated header", "{} repeated headers"),
    "units": ("1 row of units", "{} rows of units"),
    "question": ("1 row that describes the columns", "{} rows that describe the columns"),
    "total": ("1 total", "{} totals"),
    "comment": ("1 comment", "{} comments"),
    "rule": ("1 dashed line", "{} dashed lines"),
    "footer": ("1 line below the table", "{} lines below the table"),
    "other_table": ("1 line of another table", "{} lines of other tables"),
}


def is_rule(text: str) -> bool:
    """Whether a line or a row, as text, only separates rows."""
    return RULE.fullmatch(text) is not None and _has_stroke(text)


def is_comment(text: str) -> bool:
    """Whether a line begins as a comment does."""
    return COMMENT.match(text) is not None


def has_rule(texts: Iterable[str]) -> bool:
    """Whether one of many texts only separates rows."""
    return _has_stroke("\n".join(texts)) and any(map(is_rule, set(texts)))


def _has_stroke(text: str) -> bool:
    return any(stroke in text for stroke in STROKES)


def has_comment(texts: Iterable[str]) -> bool:
    """Whether one of many texts begins as a comment does."""
    return _MARK.search("\n".join(texts)) is not None and any(map(is_comment, set(texts)))


def ragged_reason(cells: Sequence[str], width: int) -> tuple[str, str]:
    """The code and the message of a row with too few or too many cells."""
    if is_rule("".join(cells)):
        return REASONS["rule"]
    if is_comment(cells[0]):
        return REASONS["comment"]
    if "\0" in cells[0]:
        # The padding of a file that was not closed in order.
        return "nul_character", "The row contains a NUL character."
    return ragged(len(cells), width)


def other_reason(cells: Sequence[str]) -> tuple[str, str]:
    """The code and the message of a row below the first table."""
    if is_rule("".join(cells)):
        return REASONS["rule"]
    return REASONS["comment" if is_comment(cells[0]) else "other_table"]


@dataclass(slots=True)
class Tally:
    """How many rows of which kind were set aside, and the first line of each kind."""

    counts: dict[str, int] = field(default_factory=dict)
    first: dict[str, int] = field(default_factory=dict)

    def add(self, codes: Iterable[tuple[int, str]]) -> None:
        """Count rows, given by line and code."""
        for line, code in codes:
            if code in REASONS:
                self.counts[code] = self.counts.get(code, 0) + 1
                self.first[code] = min(line, self.first.get(code, line))

    def notes(self) -> Iterator[str]:
        """One sentence on all of them, if there are any."""
        if self.counts:
            kinds = [
                COUNTED[code][count > 1].format(f"{count:,}")
                + (f" (line {self.first[code]:,})" if count == 1 else "")
                + (f" (the first in line {self.first[code]:,})" if count > 1 else "")
                for code, count in self.counts.items()
            ]
            yield (
                f"Rows that are no data were set aside: {', '.join(kinds)}. They are rejected "
                "rows, and can be imported as data."
            )
