"""Figures over results: categories, values and reasons of failure.

They aggregate the current results, one pass over them for each figure: nothing keeps counters of
these. Records dated within a span are found by a join with their records.
"""

import json
from collections import Counter
from dataclasses import dataclass

from django.db.models import Avg, Count, F, Max, Min, Q, Sum

from explore.filters.sql import Rules
from explore.metrics.record_counts import Span
from explore.metrics.scope import can_be_asked_for
from records.models import ProcessingResult
from records.models.querysets import ResultQuerySet


@dataclass(frozen=True, slots=True)
class Category:
    """The records of one category, and those of their values that are shown.

    ``minimum`` and ``maximum`` are the extremes of the ``number`` values that ``mean`` is of.
    """

    name: str
    records: int
    number: int = 0
    mean: float | None = None
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class Categories:
    """The categories with the most records; ``others`` counts the records that are in none of
    these."""

    top: list[Category]
    others: int = 0


@dataclass(frozen=True, slots=True)
class Values:
    """What the values of processed records come to.

    ``left_out`` counts excluded repaired values, which replace cells that could not be read.
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
            minimum=Min("value", filter=shown),
            maximum=Max("value", filter=shown),
        )
        .order_by("-records", "category")[:limit]
    )
    top = [
        Category(
            row["category"],
            row["records"],
            row["number"],
            row["mean"],
            row["minimum"],
            row["maximum"],
        )
        for row in rows
        if can_be_asked_for(row["category"])
    ]
    return Categories(top, everything.records - sum(category.records for category in top))


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
