"""Numbers, as people and programs write them."""

import math
from collections.abc import Sequence
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
from records.number_text import (
    LONGEST_SYMBOL,
    MOST_SYMBOLS,
    PLAIN,
    Reader,
    plain_numbers,
    reader,
    style_of,
    styled_numbers,
)
from records.number_text import (
    NUMBER as PATTERN,
)

_INFINITE = (math.inf, -math.inf)


def number(batch: Batch, step: Step) -> None:
    """The cell becomes a number. A cell that says nothing stays; of one that is no finite number
    becomes what ``on_failure`` says."""
    name = step["column"]
    cells = batch.cells(name)
    style = style_of(step)
    read = reader(style)
    # What most columns hold, and quickly read; only what is left is looked at one by one.
    if style == PLAIN:
        at_once: Sequence[float | None] | None = plain_numbers(cells) or _mostly_plain(cells)
    else:
        at_once = styled_numbers(cells, style)
    made: list[Any] = list(at_once or [None] * len(cells))
    for place, found in enumerate(made):
        if found is None:
            made[place] = _made(batch, step, place, cells[place], read)
    batch.put(name, made)


def _mostly_plain(cells: Sequence[Any]) -> list[float | None]:
    """Texts that are numbers as numbers, None for all else."""
    is_number = PATTERN.fullmatch
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


def describe(step: Step) -> str:
    written = [
        "decimal comma" if step["decimal"] == "," else "",
        f"thousands separator {step['thousands']!r}" if step["thousands"] else "",
        "Indian groups" if step["lakh"] else "",
        "percent" if step["percent"] else "",
        f"currency symbols {', '.join(step['currency'])}" if step["currency"] else "",
        "other ways of writing signs" if step["variants"] else "",
        {"plus": "CR positive, DR negative", "minus": "CR negative, DR positive"}.get(
            step["credit"], ""
        ),
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
    if step["lakh"] and not step["thousands"]:
        return "'lakh' needs a separator in 'thousands'"
    if any(
        not sign.strip() or set(sign) & set("0123456789+-.,%") for sign in step["currency"] or ()
    ):
        return "symbols in 'currency' can't be blank or contain digits, '+', '-', '.', ',' or '%'"
    signs = step["currency"] or ()
    if len(signs) > MOST_SYMBOLS or any(len(sign) > LONGEST_SYMBOL for sign in signs):
        return f"'currency' can have {MOST_SYMBOLS} symbols of {LONGEST_SYMBOL} characters at most"
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
        Parameter(
            "lakh",
            FLAG,
            "Indian groups: 12,34,567",
            "Needs a thousands separator.",
            default=False,
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
        Parameter(
            "variants",
            FLAG,
            "Read other ways of writing signs",
            "A minus behind the number, parentheses as negative, typographic minus signs, "
            "all kinds of spaces and apostrophes between thousands, digits of other scripts.",
            default=False,
        ),
        Parameter(
            "credit",
            CHOICE,
            "CR and DR behind a number",
            "Also C and D, and H and S (Haben and Soll).",
            default="",
            choices=[
                ("", "Not read"),
                ("plus", "CR is positive, DR is negative"),
                ("minus", "CR is negative, DR is positive"),
            ],
        ),
    ),
    apply=number,
    describe=describe,
    conflict=conflict,
)
