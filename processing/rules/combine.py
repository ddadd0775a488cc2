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
    summary="Join several columns into one.",
    parameters=(
        Parameter("columns", COLUMNS, "Columns", "Joined in this order."),
        Parameter("into", COLUMN, "New column", "An existing column of this name is replaced."),
        Parameter("separator", TEXT, "Separator", default=" "),
        Parameter(
            "skip_missing",
            FLAG,
            "Skip empty cells",
            "If off, the new cell is empty when one of the columns is empty.",
            default=True,
        ),
    ),
    apply=combine,
    describe=lambda step: (
        f"Combine {listed(step['columns'])} into {step['into']!r}, "
        f"separated by {step['separator']!r}"
    ),
)
