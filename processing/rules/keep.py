"""Columns kept, and all others taken out."""

from processing.rules.base import Batch, Kind, Step, listed
from processing.rules.parameters import COLUMNS, Parameter


def keep(batch: Batch, step: Step) -> None:
    """All other columns are taken out of the cleaned data; the record itself keeps them."""
    batch.keep(step["columns"])


KIND = Kind(
    code="keep",
    title="Keep columns",
    summary="Remove all other columns from the result; the original data keeps them.",
    parameters=(Parameter("columns", COLUMNS, "Columns"),),
    apply=keep,
    describe=lambda step: f"Keep only {listed(step['columns'])}",
)
