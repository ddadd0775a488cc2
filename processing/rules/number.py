"""Numbers, as people and programs write them."""

import math
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from processing.rules.base import Batch, Kind, Step, is_missing
from processing.rules.parameters import (
    CHOICE,
    FLAG,
    NUMBER,
    TEXTS,
    Parameter,
    column,
    on_failure,
)

# Digits as in a number, without what float() takes besides: underscores, names, other scripts.
# Each text can match in one way only: else a long one that matches in none would take hours.
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
# In a text of these alone, float() takes nothing but numbers.
_PLAIN = b"0123456789+-.eE \t\r\n"

# More currency symbols, or longer ones, would take minutes to compile into a pattern.
MOST_SIGNS = 100
LONGEST_SIGN = 20

_INFINITE = (math.inf, -math.inf)

Reader = Callable[[object], float | None]


def read_number(cell: object) -> float | None:
    """A cell as a finite number, or None if it is none."""
    if isinstance(cell, str):
        cell = cell.strip()
        if not _NUMBER.fullmatch(cell):
            return None
    elif not isinstance(cell, int | float) or isinstance(cell, bool):
        return None
    try:
        number = float(cell)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def plain_numbers(cells: Sequence[object]) -> list[float] | None:
    """All cells as numbers, if they are texts that float() alone can read; else None."""
    try:
        text = "".join(cells)  # type: ignore[arg-type]
        if text.encode().translate(None, _PLAIN):
            return None
        numbers = list(map(float, cells))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return numbers if all(map(math.isfinite, numbers)) else None


def number(batch: Batch, step: Step) -> None:
    """The cell becomes a number. A cell that says nothing stays; of one that is no finite number
    becomes what ``on_failure`` says."""
    name = step["column"]
    cells = batch.cells(name)
    read = reader(step)
    made: list[Any] | None = None
    if read is read_number:
        # What most columns hold, and quickly read; only what is left is looked at one by one.
        made = plain_numbers(cells) or _mostly_plain(cells)
    made = made or [None] * len(cells)
    for place, found in enumerate(made):
        if found is None:
            made[place] = _made(batch, step, place, cells[place], read)
    batch.put(name, made)


def _mostly_plain(cells: Sequence[Any]) -> list[float | None]:
    """Texts that are numbers as numbers, None for all else."""
    is_number = _NUMBER.fullmatch
    found = [float(cell) if type(cell) is str and is_number(cell) else None for cell in cells]
    return [None if number in _INFINITE else number for number in found]


def _made(batch: Batch, step: Step, place: int, cell: object, read: Reader) -> object:
    found = read(cell)
    if found is not None or is_missing(cell):
        return cell if found is None else found
    if step["on_failure"] == "fail":
        batch.fail(place, step["column"], "is not a number", value=cell)
        return cell
    after = float(step["default"]) if step["on_failure"] == "default" else None
    batch.repair(place, step["column"], cell, after)
    return after


def reader(step: Step) -> Reader:
    """The function that reads cells as the step says numbers are written."""
    return _reader(
        step["decimal"], step["thousands"], step["percent"], tuple(step["currency"] or ())
    )


@lru_cache(maxsize=256)
def _reader(decimal: str, thousands: str, percent: bool, currency: tuple[str, ...]) -> Reader:
    if (decimal, thousands, percent, currency) == (".", "", False, ()):
        return read_number
    whole = "[0-9]+"
    # A space that separates thousands is often one that does not break.
    separator = "[ \u00a0\u202f]" if thousands == " " else re.escape(thousands)
    if thousands:
        whole = rf"(?:[0-9]{{1,3}}(?:{separator}[0-9]{{3}})+|[0-9]+)"
    point = re.escape(decimal)
    digits = rf"(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?"
    # The longest first: "US$" before "$".
    longest_first = sorted(map(str.strip, currency), key=len, reverse=True)
    signs = f"(?:{'|'.join(map(re.escape, longest_first))})"
    hundredth = r"(?P<percent>\s*+%)?" if percent else ""
    pattern = re.compile(
        rf"(?P<minus>[+-]?)\s*+(?:{signs}\s*+)?(?P<sign>[+-]?)(?P<digits>{digits})"
        rf"(?:\s*+{signs})?{hundredth}"
        if currency
        else rf"(?P<minus>[+-]?)(?P<sign>)(?P<digits>{digits}){hundredth}"
    )

    def read(cell: object) -> float | None:
        if not isinstance(cell, str):
            return read_number(cell)
        found = pattern.fullmatch(cell.strip())
        if found is None or (found["minus"] and found["sign"]):
            return None
        digits = re.sub(separator, "", found["digits"]) if thousands else found["digits"]
        result = float(found["minus"] + found["sign"] + digits.replace(decimal, "."))
        if percent and found["percent"]:
            result /= 100
        return result if math.isfinite(result) else None

    return read


def describe(step: Step) -> str:
    written = [
        "decimal comma" if step["decimal"] == "," else "",
        f"thousands separator {step['thousands']!r}" if step["thousands"] else "",
        "percent" if step["percent"] else "",
        f"currency symbols {', '.join(step['currency'])}" if step["currency"] else "",
    ]
    details = ", ".join(filter(None, written))
    otherwise = {
        "default": f"become {step['default']} (recorded as repairs)",
        "empty": "are emptied (recorded as repairs)",
        "fail": "fail the record",
    }[step["on_failure"]]
    return (
        f"Convert {step['column']!r} to a number{f' ({details})' if details else ''}; "
        f"unreadable values {otherwise}"
    )


def conflict(step: Step) -> str | None:
    if step["decimal"] == step["thousands"]:
        return "'decimal' and 'thousands' must be different"
    if any(
        not sign.strip() or set(sign) & set("0123456789+-.,%") for sign in step["currency"] or ()
    ):
        return "symbols in 'currency' can't be blank or contain digits, '+', '-', '.', ',' or '%'"
    signs = step["currency"] or ()
    if len(signs) > MOST_SIGNS or any(len(sign) > LONGEST_SIGN for sign in signs):
        return f"'currency' can have {MOST_SIGNS} symbols of {LONGEST_SIGN} characters at most"
    return None


KIND = Kind(
    code="number",
    title="Number",
    summary="Convert cells to numbers; unreadable cells are repaired or fail the record.",
    parameters=(
        column(),
        on_failure("default", "default", "empty", "fail"),
        Parameter("default", NUMBER, "Default", "Replaces cells that fail.", 0.0),
        Parameter(
            "decimal",
            CHOICE,
            "Decimal separator",
            default=".",
            choices=[(".", "Point: 1.5"), (",", "Comma: 1,5")],
        ),
        Parameter(
            "thousands",
            CHOICE,
            "Thousands separator",
            "Only accepted between groups of three digits.",
            default="",
            choices=[
                ("", "None"),
                (",", "Comma: 1,000"),
                (".", "Point: 1.000"),
                (" ", "Space: 1 000"),
                ("'", "Apostrophe: 1'000"),
            ],
        ),
        Parameter("percent", FLAG, "Read 12% as 0.12", default=False),
        Parameter(
            "currency",
            TEXTS,
            "Currency symbols",
            "Removed before or after the number, for example € or EUR. Numbers with other symbols "
            "are not read, so that currencies are never mixed.",
            None,
        ),
    ),
    apply=number,
    describe=describe,
    conflict=conflict,
)
