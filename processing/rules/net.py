"""Columns added up, and others subtracted, into one signed number."""

import math

from processing.rules.base import Batch, Kind, Step, is_missing, listed
from processing.rules.parameters import COLUMN, COLUMNS, Parameter
from records.number_text import read_number


def net(batch: Batch, step: Step) -> None:
    """A column becomes the sum of some columns, less that of others.

    A blank cell counts as 0; the sum of blank cells is null. A cell that is not a number fails
    the record.
    """
    signs = {**dict.fromkeys(step["columns"], 1.0), **dict.fromkeys(step["subtract"] or (), -1.0)}
    columns = {name: batch.cells(name) for name in signs}
    made: list[object] = []
    for place in range(len(batch.rows)):
        terms = []
        for name, sign in signs.items():
            cell = columns[name][place]
            if is_missing(cell):
                continue
            number = read_number(cell)
            if number is None:
                batch.fail(place, name, "is not a number", value=cell)
            else:
                terms.append(sign * number)
        total = math.fsum(terms) if terms else None
        made.append(total if total is None or math.isfinite(total) else None)
    batch.put(step["into"], made)


def describe(step: Step) -> str:
    less = f" and subtract {listed(step['subtract'])}" if step["subtract"] else ""
    return f"Add {listed(step['columns'])}{less} into {step['into']!r}"


def conflict(step: Step) -> str | None:
    if both := set(step["columns"]) & set(step["subtract"] or ()):
        return f"{min(both)!r} can't be added and subtracted"
    return None


KIND = Kind(
    code="net",
    title="Add and subtract columns",
    summary="Make one signed number of several columns, such as debit and credit.",
    parameters=(
        Parameter("columns", COLUMNS, "Add", "Number columns; empty cells count as nothing."),
        Parameter("subtract", COLUMNS, "Subtract", "Leave blank if they are negative.", None),
        Parameter("into", COLUMN, "New column", "An existing column of this name is replaced."),
    ),
    apply=net,
    describe=describe,
    conflict=conflict,
)
