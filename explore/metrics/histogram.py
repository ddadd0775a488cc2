"""Histograms: bins of a round width, and the values outside of them."""

import math
from dataclasses import dataclass, replace

from django.db.models import Count, F, FloatField, Max, Min
from django.db.models.functions import Cast, Floor, Greatest, Least

from explore.metrics.result_values import Values
from records.models.querysets import ResultQuerySet

# How many of the newest values tell where most values lie, and so which part a histogram draws.
SAMPLE = 5_000
BINS = 24
# A single value with more than this share of them would leave all others too small to be seen.
NEARLY_ALL = 0.9


@dataclass(frozen=True, slots=True)
class Bin:
    """How many values lie from ``start`` up to, but not including, ``end``.

    ``minimum`` and ``maximum`` are the extremes of these values; None without any.
    """

    start: float
    end: float
    records: int
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class Distribution:
    """A histogram of where most values lie, and how many lie below and above it.

    ``frequent`` is a single value that nearly all records have, which the bins leave out.
    """

    bins: list[Bin]
    below: Bin | None = None
    above: Bin | None = None
    frequent: Bin | None = None


def distribution(results: ResultQuerySet, everything: Values, *, repaired: bool) -> Distribution:
    """A histogram of the values among the results, in at most some 50 bins of a round width.

    A few far outliers would press all the rest into one bin, so the bins cover where most of the
    newest values lie; how many values lie outside is counted. So is a value that nearly all have,
    as 0 often is, where its bin would hide the others that lie in it.
    """
    usable = results.with_value(repaired=repaired)
    sample = _sample(usable)
    ends = everything.lowest, everything.highest
    histogram = _histogram(usable, sample, everything.number, *ends)
    frequent = _hiding(histogram, sample)
    if frequent is None:
        return histogram
    others = usable.exclude(value=frequent)
    found = others.aggregate(number=Count("pk"), lowest=Min("value"), highest=Max("value"))
    number = everything.number - found["number"]
    return replace(
        _histogram(others, _sample(others), **found),
        frequent=Bin(frequent, frequent, number, frequent, frequent),
    )


def _sample(usable: ResultQuerySet) -> list[float]:
    newest = usable.order_by("-pk").values_list("value", flat=True)[:SAMPLE]
    return sorted(value for value in newest if value is not None)


def _histogram(
    usable: ResultQuerySet,
    sample: list[float],
    number: int,
    lowest: float | None,
    highest: float | None,
) -> Distribution:
    if lowest is None or highest is None:
        return Distribution([])
    histogram = _count_bins(usable, *_where_most_lie(sample, lowest, highest), sample)
    outside = sum(part.records for part in (histogram.below, histogram.above) if part)
    if outside > number / 20:
        # The newest values are no fair sample of all of them.
        return _count_bins(usable, lowest, highest, sample)
    return histogram


def _hiding(histogram: Distribution, sample: list[float]) -> float | None:
    """The value that nearly all of a sample are, if there are others in its bin."""
    middle = sample[len(sample) // 2] if sample else None
    if middle is None or sample.count(middle) <= NEARLY_ALL * len(sample):
        return None
    fullest = max(histogram.bins, key=lambda part: part.records)
    return None if fullest.minimum == fullest.maximum else middle


def _where_most_lie(sample: list[float], lowest: float, highest: float) -> tuple[float, float]:
    if not sample:
        return lowest, highest
    low = sample[len(sample) // 100]
    high = sample[-1 - len(sample) // 100]
    if highest - lowest <= 3 * (high - low) or low == high:
        return lowest, highest
    margin = (high - low) / 4
    return max(lowest, low - margin), min(highest, high + margin)


def _count_bins(
    results: ResultQuerySet, low: float, high: float, sample: list[float]
) -> Distribution:
    width = _round_width(high - low or abs(high) / BINS or 1.0)
    if all(value.is_integer() for value in sample) and abs(high) < 1e15:
        width = max(1.0, math.ceil(width))
    start = math.floor(low / width) * width
    number = max(1, math.floor((high - start) / width) + 1)
    place = Floor((Cast(F("value"), FloatField()) - start) / width)
    rows = (
        results.annotate(place=Greatest(Least(place, float(number)), -1.0))
        .values("place")
        .annotate(records=Count("pk"), minimum=Min("value"), maximum=Max("value"))
    )
    # A value on an edge may be taken for one beside it, as sums of fractions are not exact: the
    # minimum and the maximum value of a bin tell exactly which ones it counts.
    found = {int(row.pop("place")): row for row in rows}

    def part(index: int) -> Bin:
        end = start + (index + 1) * width
        return Bin(start + index * width, end, **found.get(index, {"records": 0}))

    return Distribution(
        bins=[part(index) for index in range(number)],
        below=part(-1) if -1 in found else None,
        above=part(number) if number in found else None,
    )


def _round_width(spread: float) -> float:
    """1, 2 or 5 times a power of ten, by which the spread falls into about BINS parts."""
    rough = max(spread / BINS, 1e-300)
    power = 10.0 ** math.floor(math.log10(rough))
    return next((step * power for step in (1, 2, 5) if step * power >= rough), 10 * power)
