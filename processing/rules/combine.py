"""Columns put together into one."""

from processing.rules.base import Batch, Kind, Step, as_text, is_missing, listed
from processing.rules.parameters import COLUMN, COLUMNS, FLAG, TEXT, Parameter
from processing.rules.size import CELL_TOO_LONG, length_of_parts
from records.rows import MAX_CELL_CHARACTERS


def combine(batch: Batch, step: Step) -> None:
    """A column is made of the texts of others; a cell that is no text as its JSON.

    Null where all of them say nothing, or one does and ``skip_missing`` is off.
    """
    columns = [batch.cells(name) for name in step["columns"]]
    made: list[object] = []
    for place, cells in enumerate(zip(*columns, strict=True)):
        said = [as_text(cell) for cell in cells if not is_missing(cell)]
        complete = len(said) == len(cells)
        whole: str | None = None
        if said and (complete or step["skip_missing"]):
            # What is too long is not made at all: of many records it would fill the memory.
            if length_of_parts(said, step["separator"]) > MAX_CELL_CHARACTERS:
                batch.fail(place, step["into"], CELL_TOO_LONG)
            else:
                whole = step["separator"].join(said)
        made.append(whole)
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
