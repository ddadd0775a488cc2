"""How fast work goes."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from records.models import IngestionRun, ProcessingRun
from records.models.querysets import RunQuerySet

# How many of the last runs tell how fast work goes.
LAST = 200


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast the last runs of a kind went.

    ``thousand`` is how many seconds 1,000 rows or records take, ``seconds`` how many a run takes:
    the median of all runs, and the 95th percentile.
    """

    kind: str
    runs: int
    items: int
    per_second: float
    thousand: float
    thousand_p95: float
    seconds: float
    seconds_p95: float


def speed(source: str | None = None) -> list[Speed]:
    """How fast rows were read and records processed, by the last finished runs that did any."""
    ingested, processed = IngestionRun.objects.finished(), ProcessingRun.objects.finished()
    if source:
        ingested, processed = (
            ingested.filter(source__name=source),
            processed.filter(source__name=source),
        )
    found = [
        _speed("Rows read", ingested.filter(read__gt=0), ["read"]),
        _speed("Records processed", processed, ["processed", "failed", "unchanged"]),
    ]
    return [item for item in found if item]


def _speed(kind: str, runs: RunQuerySet, counts: Sequence[str]) -> Speed | None:
    work = []
    for started, finished, *numbers in runs.values_list("started_at", "finished_at", *counts)[
        :LAST
    ]:
        if started and finished and finished > started and sum(numbers):
            work.append(((finished - started).total_seconds(), sum(numbers)))
    if not work:
        return None
    seconds = [length for length, _ in work]
    thousand = [length / number * 1000 for length, number in work]
    items = sum(number for _, number in work)
    return Speed(
        kind=kind,
        runs=len(work),
        items=items,
        per_second=items / sum(seconds),
        thousand=median(thousand),
        thousand_p95=_p95(thousand),
        seconds=median(seconds),
        seconds_p95=_p95(seconds),
    )


def _p95(numbers: Sequence[float]) -> float:
    """The 95th percentile."""
    return quantiles(numbers, n=20, method="inclusive")[-1] if len(numbers) > 1 else numbers[0]
