"""Cells that must be there."""

from processing.rules.base import ABSENT, Batch, Kind, Step, is_missing, listed
from processing.rules.parameters import COLUMNS, Parameter


def required(batch: Batch, step: Step) -> None:
    """The row fails if one of the columns says nothing: it is absent, null, empty or blank."""
    for name in step["columns"]:
        cells = batch.cells(name)
        if not _all_say_something(cells):
            for place, cell in enumerate(cells):
                if is_missing(cell):
                    batch.fail(place, name, "is missing", value=cell)


def _all_say_something(cells: list[object]) -> bool:
    """Whether all are texts that are not blank: what most columns are, and quickly seen."""
    try:
        return all(map(str.strip, cells))  # type: ignore[arg-type]
    except TypeError:
        return all(cell is not ABSENT and not is_missing(cell) for cell in cells)


KIND = Kind(
    code="required",
    title="Must be there",
    summary="The record fails where one of the columns says nothing.",
    parameters=(
        Parameter("columns", COLUMNS, "Columns", "Absent, null, empty and blank are all alike."),
    ),
    apply=required,
    describe=lambda step: f"{listed(step['columns'])} must be there",
)
