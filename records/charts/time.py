"""Records over time, by status."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import altair as alt

from records.charts.chart import Cell, Chart, linked
from records.charts.parts import (
    STATUS_FILTERS,
    STATUSES,
    bar_chart,
    count_axis,
    spec_of,
    status_colour,
    with_data,
)
from records.charts.steps import (
    TIME_UNITS,
    Drawn,
    end_of,
    in_steps,
    time_format,
    where_most_lie,
)
from records.scope import Scope
from records.stats import Days, Span, Totals


@dataclass(frozen=True, slots=True)
class Step:
    """One bar: when it begins, what it holds, and which records that are."""

    label: str
    start: str
    totals: Totals
    scope: Scope


def over_time(days: Days, scope: Scope) -> Chart:
    """Records by the day, week, month or year of their timestamp, stacked by status.

    A few records dated far from all others are not drawn; a note and the table count them.
    """
    drawn = where_most_lie(days)
    unit, buckets = in_steps(drawn.days)
    near = drawn.days.span
    steps = []
    for start, totals in buckets.items():
        step = Span(start, end_of(start, unit))
        # Weeks and months may reach beyond what is drawn, which the table has in rows of its own.
        whole = scope.within(near).within(step) if near else scope.within(step)
        steps.append(Step(start.isoformat(), start.isoformat(), totals, whole))
    notes = _outside(drawn)
    if undated := days.undated.total:
        notes.append(f"{records(undated)} without a timestamp can't be placed in time.")
    earlier = _far("Earlier", drawn.before, scope)
    later = _far("Later", drawn.after, scope)
    return _chart(unit, steps, [*earlier, *steps, *later], notes)


def over_hours(hours: Mapping[datetime, Totals], scope: Scope) -> Chart:
    """Records by the hour (UTC) of their timestamp, stacked by status."""
    steps = [
        Step(
            f"{start:%Y-%m-%d %H:%M}",
            f"{start:%Y-%m-%dT%H:%M}Z",
            totals,
            scope.between(start, start + timedelta(hours=1)),
        )
        for start, totals in sorted(hours.items())
    ]
    return _chart("hour", steps, steps, [])


def _far(label: str, days: Days, scope: Scope) -> list[Step]:
    return [Step(label, "", days.totals, scope.within(days.span))] if days.span else []


def _chart(unit: str, steps: Sequence[Step], listed: Sequence[Step], notes: list[str]) -> Chart:
    """The steps drawn; the table also lists those that are not."""
    data = [
        {
            "date": step.start,
            "status": status,
            "records": number,
            "order": order,
            "url": step.scope.url(status=STATUS_FILTERS[status]),
        }
        for step in steps
        for order, (status, number) in enumerate(by_status(step.totals))
    ]
    return Chart(
        id="over-time",
        title="Records over time",
        empty="No record here has a timestamp.",
        spec=with_data(_in_time(unit), data),
        headings=[f"{unit.capitalize()} of", *STATUSES],
        rows=[
            [step.label, *cells_by_status(step.totals, step.scope)]
            for step in listed
            if step.totals.total
        ],
        palette="status",
        notes=notes,
        wide=True,
    )


@lru_cache
def _in_time(unit: str) -> dict[str, Any]:
    chart = bar_chart(height=260).encode(
        x=alt.X(
            "date:T",
            timeUnit=TIME_UNITS[unit],
            title=f"Timestamp, by {unit} (UTC)",
            axis=alt.Axis(
                labelOverlap=True,
                labelSeparation=12,
                labelBound=16,
                labelFlush=28,
                grid=False,
                format=time_format(unit),
            ),
        ),
        y=alt.Y("records:Q", title="Records", stack="zero", axis=count_axis()),
        color=status_colour(),
        order=alt.Order("order:Q"),
        href="url:N",
        tooltip=[
            alt.Tooltip("date:T", title=unit.capitalize(), format=time_format(unit, full=True)),
            alt.Tooltip("status:N", title="Status"),
            alt.Tooltip("records:Q", title="Records", format=","),
        ],
    )
    return spec_of(chart)


def by_status(totals: Totals) -> Iterable[tuple[str, int]]:
    return zip(STATUSES, (totals.processed, totals.failed, totals.waiting), strict=True)


def cells_by_status(totals: Totals, scope: Scope) -> list[Cell]:
    """The number of each status, linked to the records of the scope that have it."""
    return [
        linked(number, scope.url(status=STATUS_FILTERS[status]))
        for status, number in by_status(totals)
    ]


def records(number: int) -> str:
    return "1 record" if number == 1 else f"{number:,} records"


def _outside(drawn: Drawn) -> list[str]:
    """The sentence about records dated so far off that they are not drawn."""
    shown = drawn.days.span
    parts = []
    if shown and (before := drawn.before.span):
        number = records(drawn.before.totals.total)
        parts.append(f"{number} before {shown.first} (from {before.first} on)")
    if shown and (after := drawn.after.span):
        number = records(drawn.after.totals.total)
        parts.append(f"{number} after {shown.last} (up to {after.last})")
    return [f"Not drawn: {' and '.join(parts)}."] if parts else []
