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
    "normalize": (partial(unicodedata.normalize, "NFC"), "normalize Unicode"),
    "collapse": (partial(SPACES.sub, " "), "collapse spaces"),
    "strip": (str.strip, "trim spaces"),
    "lower": (str.lower, "convert to lower case"),
    "upper": (str.upper, "convert to upper case"),
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
    return f"Clean text in {step['column']!r}: {in_words(changes) or 'no changes'}"


def conflict(step: Step) -> str | None:
    both = step["lower"] and step["upper"]
    return "choose either 'lower' or 'upper', not both" if both else None


KIND = Kind(
    code="text",
    title="Clean text",
    summary="Clean up spaces, case and Unicode.",
    parameters=(
        column(),
        Parameter("strip", FLAG, "Trim spaces", default=False),
        Parameter(
            "collapse",
            FLAG,
            "Collapse spaces",
            "Replaces several spaces, tabs and line breaks by one space.",
            default=False,
        ),
        Parameter("lower", FLAG, "Lower case", default=False),
        Parameter("upper", FLAG, "Upper case", default=False),
        Parameter(
            "normalize",
            FLAG,
            "Normalize Unicode",
            "Uses one form for characters that can be written in several ways, such as é (NFC).",
            default=False,
        ),
    ),
    apply=text,
    describe=describe,
    conflict=conflict,
)
