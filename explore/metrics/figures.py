"""The figures that nobody keeps counters of: they aggregate current results, records and rejects.

One pass over all of them takes seconds where there are millions. So they are kept for as long as
nothing has changed, and while runs change something all the time, they are made anew only now and
then; ``as_of`` says from when they are. The work for them is bounded either way.
"""

import hashlib
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from explore.metrics import histogram, record_counts, result_values, timeseries
from explore.metrics.histogram import Distribution
from explore.metrics.record_counts import Days, Totals
from explore.metrics.result_values import Categories, Reason, Repairs, Values
from explore.metrics.scope import Scope
from explore.metrics.timeseries import TimeSeries
from records.models import (
    DataRecord,
    IngestionRun,
    ProcessingResult,
    ProcessingRun,
    RejectedRow,
)
from records.visible_sources import visible_marks
from web.process_cache import process_cache

# Among as many records figures are made while a page waits; among more it loads them afterwards.
AT_ONCE = 100_000
# Figures that were made this quickly are never out of date; of others, making them takes at most
# one part in so many of the time.
QUICK = 0.5
SELDOM = 20
KEPT = 24 * 3600
# Days of which the hours are told apart.
MOST_DAYS_BY_HOUR = 2


@dataclass(frozen=True, slots=True)
class Figures:
    """What the charts of results show, made at a moment within so many seconds.

    ``hours`` is None for more than some days; ``codes`` are those of rejected rows.
    """

    values: Values
    categories: Categories
    distribution: Distribution
    series: TimeSeries
    reasons: list[Reason]
    repairs: list[Repairs]
    codes: list[tuple[str, int]]
    hours: dict[datetime, Totals] | None
    as_of: datetime
    seconds: float
    # See state_of.
    state: str


def is_by_hour(scope: Scope) -> bool:
    """Whether its records are shown by the hour."""
    return scope.span is not None and scope.span.days <= MOST_DAYS_BY_HOUR


def state_of(days: Days) -> str:
    """A text that is another one after every change of what figures are made from.

    A record that changes its status or its day changes its counters, a result that is made anew
    has a number of its own, and whatever a run does it counts.
    """
    counters = (sorted(days.dated.items()), days.undated)
    ingested = IngestionRun.objects.standing("created", "updated", "rejected")
    processed = ProcessingRun.objects.standing("processed", "failed", "unchanged")
    last = (ProcessingResult.objects.last_id(), RejectedRow.objects.last_id())
    return hashlib.sha256(repr((counters, ingested, processed, last)).encode()).hexdigest()


def figures_of(
    scope: Scope, *, valued: str | None, repaired: bool, days: Days, state: str, wait: bool
) -> Figures | None:
    """The figures of a scope, whose records lie on ``days``; values are those of one source.

    ``state`` is that of now. None where they have to be made first and that takes long, unless
    one is ready to ``wait``.
    """
    asked = repr((scope, valued, repaired, visible_marks()))
    key = f"figures-{hashlib.sha256(asked.encode()).hexdigest()}"
    kept: Figures | None = process_cache.get(key)
    if kept and _is_good(kept, state):
        return kept
    if not wait and days.totals.total > AT_ONCE:
        return None
    made = _make(scope, valued, repaired, days, state)
    process_cache.set(key, made, KEPT)
    return made


def _is_good(figures: Figures, state: str) -> bool:
    age = (timezone.now() - figures.as_of).total_seconds()
    return figures.state == state or QUICK < figures.seconds > age / SELDOM


def _make(scope: Scope, valued: str | None, repaired: bool, days: Days, state: str) -> Figures:
    as_of, began = timezone.now(), time.perf_counter()
    results = result_values.current_results(scope.source, scope.span)
    of_values = result_values.current_results(valued, scope.span)
    values = result_values.values(of_values, repaired=repaired)
    own = days if valued in (None, scope.source) else record_counts.by_day(valued)
    return Figures(
        values=values,
        categories=result_values.categories(of_values, values, repaired=repaired),
        distribution=histogram.distribution(of_values, values, repaired=repaired),
        series=timeseries.time_series(
            result_values.current_results(valued),
            own.within(scope.span) if scope.span else own,
            by_hour=is_by_hour(scope),
            repaired=repaired,
        ),
        reasons=result_values.failure_reasons(results),
        repairs=result_values.repairs(results),
        codes=_codes(scope.source),
        hours=_hours(scope) if is_by_hour(scope) else None,
        as_of=as_of,
        seconds=time.perf_counter() - began,
        state=state,
    )


def _codes(source: str | None) -> list[tuple[str, int]]:
    rows = RejectedRow.objects.open()
    if source:
        rows = rows.of_source(source)
    return [(row["code"], row["rows"]) for row in rows.per_code()]


def _hours(scope: Scope) -> dict[datetime, Totals]:
    records = DataRecord.objects.open()
    if scope.source:
        records = records.of_source(scope.source)
    counts: dict[datetime, dict[str, int]] = defaultdict(dict)
    if scope.span:
        for row in records.dated(*scope.span).per_hour():
            counts[row["hour"]][row["status"]] = row["records"]
    return {hour: record_counts.Totals(**counts[hour]) for hour in sorted(counts)}
