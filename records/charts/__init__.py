"""Figures as charts: Vega-Lite specs, and the table of the same numbers.

A spec says what is drawn, never in which colour: ``static/charts.js`` takes colours and fonts from
the stylesheet, so that a chart follows the light or dark scheme of its page.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import altair as alt

from records.charts.parts import (
    STATUSES,
    bar_chart,
    bars,
    count_axis,
    height_of,
    label_axis,
    labels_of,
    spec_of,
    status_colour,
    value_axis,
)
from records.charts.steps import TIME_UNITS, Drawn, in_steps, time_format, where_most_lie
from records.numbers import number
from records.stats import Days, Totals, add_up
from records.value_stats import Categories, Category, Distribution, Reason
from records.visible import visible

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Chart:
    """One figure of a page.

    ``scope`` names the one source that it shows where the page shows several. ``notes`` are
    sentences about what it leaves out; ``empty`` is what to say without any rows.
    """

    id: str
    title: str
    spec: dict[str, Any]
    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    empty: str
    palette: Literal["plain", "status", "failed"] = "plain"
    scope: str = ""
    notes: Sequence[str] = ()
    wide: bool = False


def over_time(days: Days) -> Chart:
    """Records by the day, week, month or year of their timestamp, stacked by status.

    A few records dated far from all others are not drawn; a note and the table count them.
    """
    drawn = where_most_lie(days)
    unit, buckets = in_steps(drawn.days)
    data = [
        {"date": start.isoformat(), "status": status, "records": records, "order": order}
        for start, totals in buckets.items()
        for order, (status, records) in enumerate(_by_status(totals))
    ]
    chart = bar_chart(data, height=260).encode(
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
        tooltip=[
            alt.Tooltip("date:T", title=unit.capitalize(), format=time_format(unit, full=True)),
            alt.Tooltip("status:N", title="Status"),
            alt.Tooltip("records:Q", title="Records", format=","),
        ],
    )
    notes = _outside(drawn)
    if days.undated.total:
        notes.append(f"{_records(days.undated.total)} without a timestamp can't be placed in time.")
    return Chart(
        id="over-time",
        title="Records over time",
        empty="No record here has a timestamp.",
        spec=spec_of(chart),
        headings=[f"{unit.capitalize()} of", *STATUSES],
        rows=[
            [label, *(records for _, records in _by_status(totals))]
            for label, totals in (
                ("Earlier", drawn.before.totals),
                *((start.isoformat(), totals) for start, totals in buckets.items()),
                ("Later", drawn.after.totals),
            )
            if totals.total
        ],
        palette="status",
        notes=notes,
        wide=True,
    )


def _outside(drawn: Drawn) -> list[str]:
    """The sentence about records dated so far off that they are not drawn."""
    shown = drawn.days.span
    parts = []
    if shown and (before := drawn.before.span):
        records = _records(drawn.before.totals.total)
        parts.append(f"{records} before {shown.first} (from {before.first} on)")
    if shown and (after := drawn.after.span):
        records = _records(drawn.after.totals.total)
        parts.append(f"{records} after {shown.last} (up to {after.last})")
    return [f"Not drawn: {' and '.join(parts)}."] if parts else []


def by_source(totals: dict[str, Totals]) -> Chart:
    """Records by source, stacked by status; the largest sources, the others in one bar."""
    ordered = sorted(totals.items(), key=lambda item: (-item[1].total, item[0]))
    shown = [(name, part) for name, part in ordered[:15] if part.total]
    rest = add_up(part for _, part in ordered[15:])
    if rest.total:
        shown.append((f"{len(ordered) - 15:,} others", rest))
    labels = labels_of([name for name, _ in shown])
    data = [
        {"label": label, "name": name, "status": status, "records": records, "order": order}
        for label, (name, part) in zip(labels, shown, strict=True)
        for order, (status, records) in enumerate(_by_status(part))
    ]
    chart = bar_chart(data, height=height_of(labels)).encode(
        x=alt.X("records:Q", title="Records", stack="zero", axis=count_axis()),
        y=label_axis(labels),
        color=status_colour(),
        order=alt.Order("order:Q"),
        tooltip=[
            alt.Tooltip("name:N", title="Source"),
            alt.Tooltip("status:N", title="Status"),
            alt.Tooltip("records:Q", title="Records", format=","),
        ],
    )
    return Chart(
        id="by-source",
        title="Records by source",
        empty="No records here.",
        spec=spec_of(chart),
        headings=["Source", *STATUSES],
        rows=[[name, *(records for _, records in _by_status(part))] for name, part in shown],
        palette="status",
    )


def by_category(categories: Categories, scope: str = "") -> Chart:
    """Processed records by category."""
    rows = [(name, part.records) for name, part in _named(categories)]
    return Chart(
        id="by-category",
        title="Records by category",
        scope=scope,
        empty="No processed record here has a category.",
        spec=bars(rows, "Category", "Processed records", count_axis()),
        headings=["Category", "Processed records"],
        rows=rows,
    )


def mean_by_category(
    categories: Categories, value_name: str, scope: str = "", notes: Sequence[str] = ()
) -> Chart:
    """The mean value of each category, in the order of their number of records."""
    value_name = visible(value_name)
    rows = [(name, part.mean) for name, part in _named(categories)]
    drawn = [(name, mean) for name, mean in rows if mean is not None]
    return Chart(
        id="mean-by-category",
        title=f"Mean {value_name} by category",
        scope=scope,
        empty="No processed record here has a category.",
        spec=bars(drawn, "Category", f"Mean {value_name}", value_axis()),
        headings=["Category", f"Mean {value_name}"],
        rows=rows,
        notes=notes,
    )


def distribution(
    histogram: Distribution, value_name: str, scope: str = "", notes: Sequence[str] = ()
) -> Chart:
    """How often which values occur."""
    value_name = visible(value_name)
    data = [
        {
            "start": part.start,
            "end": part.end,
            "range": f"{number(part.start)} to {number(part.end)}",
            "records": part.records,
        }
        for part in histogram.bins
    ]
    # Rectangles, because the interpreter can't work out the gaps that Vega-Lite puts between bars.
    chart = (
        bar_chart(data, height=240)
        .mark_rect()
        .encode(
            x=alt.X(
                "start:Q",
                title=value_name,
                scale=alt.Scale(zero=False, nice=False),
                axis=value_axis(grid=False),
            ),
            x2="end:Q",
            y=alt.Y("records:Q", title="Processed records", axis=count_axis()),
            y2=alt.datum(0),
            tooltip=[
                alt.Tooltip("range:N", title="Value"),
                alt.Tooltip("records:Q", title="Records", format=","),
            ],
        )
    )
    outside = []
    if histogram.below:
        outside.append(f"{histogram.below:,} below")
    if histogram.above:
        outside.append(f"{histogram.above:,} above")
    if outside:
        outside_note = f"Not drawn: {' and '.join(outside)} the part where most values lie."
        notes = [*notes, outside_note]
    return Chart(
        id="distribution",
        title=f"Distribution of {value_name}",
        scope=scope,
        empty="No processed record here has a value that could be read.",
        spec=spec_of(chart),
        headings=["From", "Below", "Processed records"],
        rows=[[part.start, part.end, part.records] for part in histogram.bins],
        notes=notes,
    )


def left_out(number_left_out: int) -> list[str]:
    """The sentence about repaired values that are in no chart."""
    if not number_left_out:
        return []
    was = "value was repaired and is" if number_left_out == 1 else "values were repaired and are"
    return [f"{number_left_out:,} {was} left out."]


def failures(reasons: Sequence[Reason], failed: int) -> Chart:
    """Why records failed: the most frequent reasons, and the others in one bar."""
    rest = failed - sum(reason.records for reason in reasons)
    rows = [(reason.message, reason.records) for reason in reasons]
    if rest > 0:
        rows.append(("Other reasons", rest))
    return Chart(
        id="failures",
        title="Why records failed",
        empty="No record here has failed.",
        spec=bars(rows, "Reason", "Failed records", count_axis()),
        headings=["Reason", "Failed records"],
        rows=rows,
        palette="failed",
    )


def _by_status(totals: Totals) -> Iterable[tuple[str, int]]:
    return zip(STATUSES, (totals.processed, totals.failed, totals.waiting), strict=True)


def _named(categories: Categories) -> list[tuple[str, Category]]:
    named = [(category.name or "", category) for category in categories.top]
    return [*named, *([("Other or none", categories.other)] if categories.other else [])]


def _records(number: int) -> str:
    return "1 record" if number == 1 else f"{number:,} records"
