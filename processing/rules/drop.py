"""Columns taken out."""

from processing.rules.base import Batch, Kind, Step, listed
from processing.rules.parameters import COLUMNS, Parameter


def drop(batch: Batch, step: Step) -> None:
    """The columns are taken out of the cleaned data; the record itself keeps them."""
    for name in step["columns"]:
        batch.drop(name)


KIND = Kind(
    code="drop",
    title="Drop columns",
    summary="Remove columns from the result; the original data keeps them.",
    parameters=(Parameter("columns", COLUMNS, "Columns"),),
    apply=drop,
    describe=lambda step: f"Drop {listed(step['columns'])}",
)
