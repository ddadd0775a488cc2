"""The moment of processing."""

from processing.rules.base import Batch, Kind, Step
from processing.rules.parameters import column


def stamp(batch: Batch, step: Step) -> None:
    """A column is added that holds the moment of processing, in Unix seconds."""
    batch.put(step["column"], [batch.now] * len(batch.rows))


KIND = Kind(
    code="stamp",
    title="Stamp",
    summary="A column is added that holds the moment of processing, in Unix seconds.",
    parameters=(column("A column of that name is replaced."),),
    apply=stamp,
    describe=lambda step: f"{step['column']!r} is added: the moment of processing, in Unix seconds",
)
