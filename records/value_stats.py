"""Figures over results: categories, values and reasons of failure.

They aggregate the current results, one pass over them for each figure: nothing keeps counters of
these. Records dated within a span are found by a join with their records.
"""

import json
import math
from collections import Counter
from dataclasses import dataclass

from django.db.models import Avg, Count, F, FloatField, Max, Min, Q, Sum
from django.db.models.functions import Cast, Floor, Greatest, Least

from records.filters.conditions import Rules
from records.models import ProcessingResult
from records.querysets import ResultQuerySet
from records.scope import can_be_asked_for
from records.stats import Span

# How many of the newest values tell where most values lie, and so which part a histogram draws.
SAMPLE = 5_000
BINS = 24


@dataclass(frozen=True, slots=True)
class Category:
    """The records of one category, and those of their values that are shown.

    ``least`` and ``greatest`` are the extremes of the ``number`` values that ``mean`` is of.
    """

    name: str
    records: int
    number: int = 0
    mean: float | None = None
    least: float | None = None
    greatest: float | None = None


@dataclass(frozen=True, slots=True)
class Categories:
    """The categories with the most records; ``others`` counts the records that are in none of
    these."""

    top: list[Category]
    others: int = 0


@dataclass(frozen=True, slots=True)
class Values:
    """What the values of processed records come to.

    ``left_out`` counts repaired values, which stand for cells that could not be read.
    """

    records: int = 0
    number: int = 0
    total: float = 0.0
    lowest: float | None = None
    highest: float | None = None
    left_out: int = 0

    @property
    def mean(self) -> float | None:
        return self.total / self.number if self.number else None


@dataclass(frozen=True, slots=True)
class Bin:
    """How many values lie from ``start`` up to, but not including, ``end``.

    ``least`` and ``greatest`` are the extremes of these values; None without any.
    """

    start: float
    end: float
    records: int
    least: float | None = None
    greatest: float | None = None


@dataclass(frozen=True, slots=True)
class Distribution:
    """A histogram of where most values lie, and how many lie below and above it."""

    bins: list[Bin]
    below: Bin | None = None
    above: Bin | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """A sentence with which records failed, and how many did."""

    message: str | None
    records: int


@dataclass(frozen=True, slots=True)
class Repairs:
    """In how many processed records a rule has repaired a cell."""

    rule: str
    records: int


def current_results(source: str | None = None, span: Span | None = None) -> ResultQuerySet:
    """The results that count today, of one source or all, of all days or those of the span."""
    results = ProcessingResult.objects.current().of_source(source).order_by()
    return results.dated(*span) if span else results


def values(results: ResultQuerySet, *, repaired: bool = False) -> Values:
    """Number, sum and extremes of the values among the results."""
    shown = _shown(repaired)
    found = results.filter(success=True).aggregate(
        records=Count("pk"),
        number=Count("pk", filter=shown),
        total=Sum("value", filter=shown),
        lowest=Min("value", filter=shown),
        highest=Max("value", filter=shown),
        left_out=Count("pk", filter=Q(repaired=True)),
    )
    return Values(
        records=found["records"],
        number=found["number"],
        total=found["total"] or 0.0,
        lowest=found["lowest"],
        highest=found["highest"],
        left_out=0 if repaired else found["left_out"],
    )


def categories(
    results: ResultQuerySet, everything: Values, *, repaired: bool, limit: int = 15
) -> Categories:
    """The ``limit`` categories with the most records; ``everything`` tells what remains.

    Those that no list of records can be asked for, blank or far too long, are among the others.
    """
    shown = _shown(repaired)
    rows = (
        results.filter(success=True, category__isnull=False)
        .values("category")
        .annotate(
            records=Count("pk"),
            number=Count("pk", filter=shown),
            mean=Avg("value", filter=shown),
            least=Min("value", filter=shown),
            greatest=Max("value", filter=shown),
        )
        .order_by("-records", "category")[:limit]
    )
    top = [
        Category(
            row["category"],
            row["records"],
            row["number"],
            row["mean"],
            row["least"],
            row["greatest"],
        )
        for row in rows
        if can_be_asked_for(row["category"])
    ]
    return Categories(top, everything.records - sum(category.records for category in top))


def distribution(results: ResultQuerySet, everything: Values, *, repaired: bool) -> Distribution:
    """A histogram of the values among the results, in at most some 50 bins of a round width.

    A few far outliers would press all the rest into one bin, so the bins cover where most of the
    newest values lie; how many values lie outside is counted.
    """
    if everything.lowest is None or everything.highest is None:
        return Distribution([])
    usable = results.with_value(repaired=repaired)
    newest = usable.order_by("-pk").values_list("value", flat=True)[:SAMPLE]
    sample = sorted(value for value in newest if value is not None)
    low, high = _where_most_lie(sample, everything.lowest, everything.highest)
    histogram = _count_bins(usable, low, high, sample)
    outside = sum(part.records for part in (histogram.below, histogram.above) if part)
    if outside > everything.number / 20:
        # The newest values are no fair sample of all of them.
        histogram = _count_bins(usable, everything.lowest, everything.highest, sample)
    return histogram


def failure_reasons(results: ResultQuerySet, *, limit: int = 10) -> list[Reason]:
    """The messages with which most records failed."""
    rows = (
        results.filter(success=False)
        .values("error_message")
        .annotate(records=Count("pk"))
        .order_by("-records", "error_message")[:limit]
    )
    return [Reason(row["error_message"], row["records"]) for row in rows]


def repairs(results: ResultQuerySet) -> list[Repairs]:
    """The rules that have repaired cells of processed records, most records first."""
    rows = (
        results.filter(success=True)
        .exclude(repairs=[])
        .annotate(rules=Rules(F("repairs")))
        .values("rules")
        .annotate(records=Count("pk"))
    )
    counts: Counter[str] = Counter()
    for row in rows:
        # Several cells of a record may have been repaired by the same rule.
        for rule in set(json.loads(row["rules"])):
            counts[rule] += row["records"]
    return [Repairs(rule, number) for rule, number in counts.most_common()]


def _shown(repaired: bool) -> Q:
    """The same values as ResultQuerySet.with_value finds."""
    drawable = Q(value__range=(-1e300, 1e300))
    return drawable if repaired else drawable & Q(repaired=False)


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
        .annotate(records=Count("pk"), least=Min("value"), greatest=Max("value"))
    )
    # A value on an edge may be taken for one beside it, as sums of fractions are not exact: the
    # least and the greatest value of a bin tell exactly which ones it counts.
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
