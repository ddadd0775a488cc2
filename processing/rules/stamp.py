"""The time of processing."""

from processing.rules.base import Batch, Kind, Step
from processing.rules.parameters import column


def stamp(batch: Batch, step: Step) -> None:
    """A column is added that holds the moment of processing, in Unix seconds."""
    batch.put(step["column"], [batch.now] * len(batch.rows))


KIND = Kind(
    code="stamp",
    title="Add processing time",
    summary="Add a column with the time of processing, in Unix seconds.",
    parameters=(column("An existing column of this name is replaced."),),
    apply=stamp,
    describe=lambda step: f"Add {step['column']!r}: the time of processing, in Unix seconds",
)
