"""Columns put together into one."""

from processing.rules.base import Batch, Kind, Step, as_text, is_missing, listed
from processing.rules.parameters import COLUMN, COLUMNS, FLAG, TEXT, Parameter


def combine(batch: Batch, step: Step) -> None:
    """A column is made of the texts of others; a cell that is no text as its JSON.

    Null where all of them say nothing, or one does and ``skip_missing`` is off.
    """
    columns = [batch.cells(name) for name in step["columns"]]
    made: list[object] = []
    for cells in zip(*columns, strict=True):
        said = [as_text(cell) for cell in cells if not is_missing(cell)]
        complete = len(said) == len(cells)
        made.append(
            step["separator"].join(said) if said and (complete or step["skip_missing"]) else None
        )
    batch.put(step["into"], made)


KIND = Kind(
    code="combine",
    title="Combine columns",
    summary="A column is made of the texts of others.",
    parameters=(
        Parameter("columns", COLUMNS, "Columns", "In this order."),
        Parameter("into", COLUMN, "New column", "A column of that name is replaced."),
        Parameter("separator", TEXT, "Between them", default=" "),
        Parameter(
            "skip_missing",
            FLAG,
            "Leave out what is empty",
            "Otherwise the new cell is empty where one of them is.",
            default=True,
        ),
    ),
    apply=combine,
    describe=lambda step: (
        f"{step['into']!r} is made of {listed(step['columns'])}, "
        f"with {step['separator']!r} between them"
    ),
)
