"""The kinds of rules: each a small function on a column of cells. Pure: no Django, no tables.

A rule set is a list of steps in plain JSON, each ``{"rule": code, ...parameters}``. The codes are
the keys of ``RULES``; a step that is carried out changes the columns of a ``Batch`` and writes
down what it found and what it changed.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

Step = dict[str, Any]


class Absent:
    """Stands for a cell that a row does not have, as opposed to one that is empty."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent()


@dataclass(slots=True)
class Batch:
    """Rows in work: the columns that rules have looked at, and what was found in each row.

    ``errors`` and ``repairs`` have one list a row: errors are {rule, column, value, message},
    repairs are {rule, column, before, after}.
    """

    rows: Sequence[dict[str, Any]]
    now: float
    columns: dict[str, "pd.Series[Any]"] = field(default_factory=dict)
    errors: list[list[dict[str, Any]]] = field(init=False)
    repairs: list[list[dict[str, Any]]] = field(init=False)

    def __post_init__(self) -> None:
        self.errors = [[] for _ in self.rows]
        self.repairs = [[] for _ in self.rows]

    def column(self, name: str) -> "pd.Series[Any]":
        """The cells of a column as they are by now; ABSENT where a row has none."""
        if name not in self.columns:
            self.columns[name] = _cells([row.get(name, ABSENT) for row in self.rows])
        return self.columns[name]


def is_missing(cell: object) -> bool:
    """Whether a cell says nothing: absent, null, empty or blank."""
    return cell is ABSENT or cell is None or (isinstance(cell, str) and not cell.strip())


# Digits as in a number, without what float() takes besides: underscores, names, other scripts.
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


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


def required(batch: Batch, step: Step) -> None:
    """The row fails if one of the columns says nothing."""
    for name in step["columns"]:
        for place, cell in enumerate(batch.column(name)):
            if is_missing(cell):
                value = None if cell is ABSENT else cell
                batch.errors[place].append(
                    {"rule": "required", "column": name, "value": value, "message": "is missing"}
                )


def number(batch: Batch, step: Step) -> None:
    """The cell becomes a number; one that is no finite number is repaired to ``default``."""
    name, default = step["column"], float(step["default"])
    cells = batch.column(name)
    made: list[object] = []
    for place, cell in enumerate(cells):
        found = cell if is_missing(cell) else read_number(cell)
        if found is None and cell is not None:
            found = default
            batch.repairs[place].append(
                {"rule": "number", "column": name, "before": cell, "after": default}
            )
        made.append(found)
    batch.columns[name] = _cells(made)


def text(batch: Batch, step: Step) -> None:
    """Blanks around a text are taken off (``strip``), its letters made small (``lower``)."""

    def cleaned(cell: object) -> object:
        if not isinstance(cell, str):
            return cell
        if step.get("strip"):
            cell = cell.strip()
        return cell.lower() if step.get("lower") else cell

    name = step["column"]
    batch.columns[name] = _cells([cleaned(cell) for cell in batch.column(name)])


def stamp(batch: Batch, step: Step) -> None:
    """A column is added that holds the moment of processing, in Unix seconds."""
    batch.columns[step["column"]] = _cells([batch.now] * len(batch.rows))


def _cells(values: Sequence[object]) -> "pd.Series[Any]":
    """A column that keeps each cell the Python object it is, whatever its neighbours are."""
    return pd.Series(values, dtype=object)


RULES: dict[str, Callable[[Batch, Step], None]] = {
    "required": required,
    "number": number,
    "text": text,
    "stamp": stamp,
}


def describe(step: Step) -> str:
    """A step in words."""
    code = step.get("rule")
    if code == "required":
        return f"{_listed(step['columns'])} must be there"
    if code == "number":
        return (
            f"{step['column']!r} becomes a number; what can't be read as one becomes "
            f"{step['default']} and is kept as a repair"
        )
    if code == "text":
        changes = [
            word
            for flag, word in (
                ("strip", "spaces around it are removed"),
                ("lower", "letters become lower case"),
            )
            if step.get(flag)
        ]
        return f"{step['column']!r}: {' and '.join(changes)}"
    return f"{step['column']!r} is added: the moment of processing, in Unix seconds"


def _listed(names: Sequence[str]) -> str:
    quoted = [repr(name) for name in names]
    return " and ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))
