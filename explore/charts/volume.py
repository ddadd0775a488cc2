"""Records over time, by status."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

import altair as alt

from explore.charts.chart import Cell, Chart, linked
from explore.charts.parts import (
    STATUS_FILTERS,
    STATUSES,
    bar_chart,
    count_axis,
    spec_of,
    status_colour,
    with_data,
)
from explore.metrics.intervals import Drawn, end_of, in_steps, week_start, where_most_lie
from explore.metrics.record_counts import Days, Span, Totals
from explore.metrics.scope import Scope

TIME_UNITS = {
    "hour": alt.TimeUnitParams(unit="utcyearmonthdatehours"),
    "day": alt.TimeUnitParams(unit="utcyearmonthdate"),
    "week": alt.TimeUnitParams(unit="utcyearweek"),
    "month": alt.TimeUnitParams(unit="utcyearmonth"),
    "year": alt.TimeUnitParams(unit="utcyear"),
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: when it begins, what it holds, and which records that are."""

    label: str
    start: str
    said: str
    totals: Totals
    scope: Scope


def over_time(days: Days, scope: Scope) -> Chart:
    """Records by the day, week, month or year of their timestamp, stacked by status.

    A few records dated far from all others are not drawn; a note and the table count them.
    """
    drawn = where_most_lie(days)
    unit, buckets = in_steps(drawn.days)
    # Weeks and months may reach beyond what is drawn, which the table has in rows of its own.
    near = scope.within(drawn.days.span) if drawn.days.span else scope
    steps = [
        Bar(
            start.isoformat(),
            drawn_at(start, unit).isoformat(),
            when(start, unit)[1],
            totals,
            near.within(Span(start, end_of(start, unit))),
        )
        for start, totals in buckets.items()
    ]
    notes = _outside(drawn)
    if undated := days.undated.total:
        notes.append(f"Not shown: {records(undated)} without a timestamp.")
    earlier = _far("Earlier", drawn.before, scope)
    later = _far("Later", drawn.after, scope)
    return _chart(unit, steps, [*earlier, *steps, *later], notes)


def over_hours(hours: Mapping[datetime, Totals], scope: Scope) -> Chart:
    """Records by the hour (UTC) of their timestamp, stacked by status."""
    steps = [
        Bar(
            when(start, "hour")[0],
            f"{start:%Y-%m-%dT%H:%M}Z",
            when(start, "hour")[1],
            totals,
            scope.between(start, start + timedelta(hours=1)),
        )
        for start, totals in sorted(hours.items())
    ]
    return _chart("hour", steps, steps, [])


def _far(label: str, days: Days, scope: Scope) -> list[Bar]:
    return [Bar(label, "", "", days.totals, scope.within(days.span))] if days.span else []


def _chart(unit: str, steps: Sequence[Bar], listed: Sequence[Bar], notes: list[str]) -> Chart:
    """The steps drawn; the table also lists those that are not."""
    data = [
        {"date": step.start, "when": step.said, **part}
        for step in steps
        for part in parts_by_status(step.totals, step.scope)
    ]
    return Chart(
        id="over-time",
        title="Records over time",
        empty="No records have a timestamp.",
        spec=with_data(_in_time(unit, days_shifted(unit)), data),
        headings=[f"{unit.capitalize()} (UTC)", *STATUSES],
        rows=[
            [step.label, *cells_by_status(step.totals, step.scope)]
            for step in listed
            if step.totals.total
        ],
        palette="status",
        notes=notes,
        zoom=unit,
        shift=days_shifted(unit),
        wide=True,
    )


def days_shifted(unit: str) -> int:
    """How many days earlier steps are drawn: Vega's weeks begin on Sunday.

    The axis is labelled with the days that are meant.
    """
    return week_start() if unit == "week" else 0


def drawn_at(start: date, unit: str) -> date:
    """The day, or moment, at which a step is drawn."""
    shift = days_shifted(unit)
    return start - timedelta(days=shift) if start.toordinal() > shift else start


@lru_cache
def _in_time(unit: str, shift: int) -> dict[str, Any]:
    chart = bar_chart(height=260).encode(
        x=alt.X(
            "date:T",
            timeUnit=TIME_UNITS[unit],
            **time_axis(unit, shift),
        ),
        y=alt.Y("records:Q", title="Records", stack="zero", axis=count_axis()),
        color=status_colour(),
        order=alt.Order("order:Q"),
        href="url:N",
        tooltip=[
            alt.Tooltip("when:N", title=unit.capitalize()),
            alt.Tooltip("status:N", title="Status"),
            alt.Tooltip("records:Q", title="Records", format=","),
        ],
    )
    return spec_of(chart)


def time_axis(unit: str, shift: int) -> dict[str, Any]:
    """Title and labels of an axis of time, on which steps are drawn ``shift`` days earlier."""
    formats = {"year": "%Y", "week": "%-d %b %Y", "hour": "%H:%M", "day": "%-d %b"}
    labels: dict[str, Any] = {}
    if shift:
        meant = f"utcOffset('day', datum.value, {shift})"
        labels["labelExpr"] = f"utcFormat({meant}, '{formats[unit]}')"
    axis = alt.Axis(
        labelOverlap=True,
        labelSeparation=12,
        labelBound=16,
        labelFlush=28,
        grid=False,
        format=formats.get(unit, "%b %Y"),
        **labels,
    )
    return {"title": f"Timestamp, by {unit} (UTC)", "axis": axis}


def when(start: date, unit: str) -> tuple[str, str]:
    """When a step begins, as tables have it and in words. Vega would say it in the local zone."""
    if isinstance(start, datetime) and unit == "hour":
        return f"{start:%Y-%m-%d %H:%M}", f"{start.day} {start:%b %Y, %H:%M} UTC"
    label = f"{start:%Y-%m-%d}".rjust(10, "0")
    if unit in ("year", "month"):
        return label, f"{start:%Y}" if unit == "year" else f"{start:%b %Y}"
    words = f"{start.day} {start:%b %Y}"
    return label, f"week of {words}" if unit == "week" else words


def by_status(totals: Totals) -> Iterable[tuple[str, int]]:
    return zip(STATUSES, (totals.processed, totals.failed, totals.waiting), strict=True)


def parts_by_status(totals: Totals, scope: Scope) -> Iterator[dict[str, Any]]:
    """The parts of a stack, each of which leads to the records of the scope that it counts."""
    for order, (status, number) in enumerate(by_status(totals)):
        if number:
            url = scope.url(status=STATUS_FILTERS[status])
            yield {"status": status, "records": number, "order": order, "url": url}


def cells_by_status(totals: Totals, scope: Scope) -> list[Cell]:
    """The number of each status, linked to the records of the scope that have it."""
    return [
        linked(number, scope.url(status=STATUS_FILTERS[status])) if number else number
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
        parts.append(f"{number} before {shown.first} (earliest: {before.first})")
    if shown and (after := drawn.after.span):
        number = records(drawn.after.totals.total)
        parts.append(f"{number} after {shown.last} (latest: {after.last})")
    return [f"Not shown: {' and '.join(parts)}."] if parts else []
