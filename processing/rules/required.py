"""Required cells."""

from processing.rules.base import Batch, Kind, Step, is_missing, listed
from processing.rules.parameters import COLUMNS, Parameter


def required(batch: Batch, step: Step) -> None:
    """The row fails if one of the columns says nothing: it is absent, null, empty or blank."""
    for name in step["columns"]:
        cells = batch.cells(name)
        # Most cells are texts that say something, and quickly seen to be.
        doubtful = [
            place for place, cell in enumerate(cells) if type(cell) is not str or not cell.strip()
        ]
        for place in doubtful:
            if is_missing(cells[place]):
                batch.fail(place, name, "is missing", value=cells[place])


KIND = Kind(
    code="required",
    title="Required",
    summary="Records fail if one of the columns is empty.",
    parameters=(
        Parameter(
            "columns",
            COLUMNS,
            "Columns",
            "Missing, null, empty and blank cells all count as empty.",
        ),
    ),
    apply=required,
    describe=lambda step: f"Require {listed(step['columns'])}",
)
