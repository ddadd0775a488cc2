"""Texts in one form."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import partial

from processing.rules.base import Batch, Kind, Step, in_words
from processing.rules.parameters import FLAG, Parameter, column

Change = Callable[[str], str]
SPACES = re.compile(r"\s+")

# What can be done to a text, in this order, and in words. Each raises TypeError for anything else.
CHANGES: dict[str, tuple[Change, str]] = {
    "normalize": (partial(unicodedata.normalize, "NFC"), "its letters are written in one way"),
    "collapse": (partial(SPACES.sub, " "), "several spaces become one"),
    "strip": (str.strip, "spaces around it are removed"),
    "lower": (str.lower, "letters become lower case"),
    "upper": (str.upper, "letters become upper case"),
}


def text(batch: Batch, step: Step) -> None:
    """Texts are put into one form; a cell that is no text stays what it is."""
    name = step["column"]
    changes = [change for code, (change, _) in CHANGES.items() if step[code]]
    cells = batch.cells(name)
    try:
        for change in changes:
            cells = list(map(change, cells))
    except TypeError:
        cells = [_changed(cell, changes) for cell in batch.cells(name)]
    batch.put(name, cells)


def _changed(cell: object, changes: Sequence[Change]) -> object:
    if isinstance(cell, str):
        for change in changes:
            cell = change(cell)
    return cell


def describe(step: Step) -> str:
    changes = [words for code, (_, words) in CHANGES.items() if step[code]]
    return f"{step['column']!r}: {in_words(changes) or 'it stays what it is'}"


def conflict(step: Step) -> str | None:
    both = step["lower"] and step["upper"]
    return "letters can't become both lower and upper case" if both else None


KIND = Kind(
    code="text",
    title="Text",
    summary="Texts are put into one form: spaces, case, and the way letters are written.",
    parameters=(
        column(),
        Parameter("strip", FLAG, "Remove spaces around it", default=False),
        Parameter(
            "collapse",
            FLAG,
            "Make several spaces one",
            "Tabs and line ends count as spaces.",
            default=False,
        ),
        Parameter("lower", FLAG, "Lower case", default=False),
        Parameter("upper", FLAG, "Upper case", default=False),
        Parameter(
            "normalize",
            FLAG,
            "Write letters in one way",
            "An é may be one character or two; it becomes one (Unicode NFC).",
            default=False,
        ),
    ),
    apply=text,
    describe=describe,
    conflict=conflict,
)
