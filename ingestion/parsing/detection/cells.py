"""Tells numbers, dates and words in the cells of rows apart. Pure."""

import re
from collections import Counter
from collections.abc import Sequence

NUMBER = re.compile(r"\s*+[-+]?(?:[\d.,' ]*[' ])?[.,]*\d[\d.,]*(?:[eE][-+]?\d+)?\s*+%?\s*+")
DATE = re.compile(r"\s*(?:\d{4}([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2\d{2,4})(?:[T ].*)?")
# A sum of money, or a number with the sign behind it or in parentheses.
AMOUNT = re.compile(
    r"\s*+[-+\u2212(]?\s*+[$€£¥₹]?\s*+[-+\u2212]?\d"
    r"[\d.,'\u2019\u00a0\u202f\u2009 ]*+[$€£¥₹%]?[-\u2212)]?\s*+"
)
TIME = re.compile(r"\s*+\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*+")
# What stands for a missing number.
NOTHING = frozenset(
    ("n/a", "na", "n.a.", "nan", "null", "none", "nil", "-", "--", "?", ".", "..", "x", "k.a.",
     "inf", "missing", "unknown", "#n/a", "tbd", "s.d.", "/", "*", "—")
)  # fmt: skip
MISSING = NOTHING | {""}
# The share of non-empty cells that must be numbers or dates for the column to count as such.
MOSTLY = 0.9

Cells = Sequence[str]


def kind_of(cell: str) -> str:
    """The type of a cell: "number", "date" or "" for neither."""
    if DATE.fullmatch(cell):
        return "date"
    return "number" if NUMBER.fullmatch(cell) or AMOUNT.fullmatch(cell) else ""


def kinds_of(rows: Sequence[Cells], mostly: float = MOSTLY) -> list[str]:
    """The type of each column."""
    if not rows:
        return []
    width = min(map(len, rows))
    found = []
    for column in range(width):
        kinds = [kind_of(row[column]) for row in rows if row[column].strip().lower() not in MISSING]
        kind, count = Counter(kinds).most_common(1)[0] if kinds else ("", 0)
        found.append(kind if count >= mostly * len(kinds) else "")
    return found


def is_word(cell: str) -> bool:
    """Whether a cell is not a number, date or time, and does not stand for a missing value.

    "$5" and "5 kg" are numbers for this purpose.
    """
    text = cell.strip()
    if not text or text.lower() in NOTHING or kind_of(text) or TIME.fullmatch(text):
        return False
    return not any(map(str.isdigit, text)) or sum(map(str.isalpha, text)) > 3


def said_by(row: Cells) -> int:
    """How many cells of a row are not blank."""
    return sum(bool(cell.strip()) for cell in row)
