"""Figures as charts: Vega-Lite specs, and the table of the same numbers.

A spec says what is drawn, never in which colour: ``static/charts.js`` takes colours and fonts from
the stylesheet, so that a chart follows the light or dark scheme of its page.
"""

import itertools
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

import altair as alt

from records.numbers import number
from records.stats import Days, Totals, add_up
from records.value_stats import Categories, Category, Distribution, Reason

TIME_UNITS = {
    "day": alt.TimeUnitParams(unit="utcyearmonthdate"),
    "week": alt.TimeUnitParams(unit="utcyearweek"),
    "month": alt.TimeUnitParams(unit="utcyearmonth"),
    "year": alt.TimeUnitParams(unit="utcyear"),
}
# Parts of a stack from the bottom, in the order of the status colours of charts.js.
STATUSES = ("Processed", "Failed", "Waiting")
# Pixels; characters; lines.
LINE_HEIGHT = 14
LABEL_WIDTH = 26
LABEL_LINES = 3

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
    """Records by the day, week, month or year of their timestamp, stacked by status."""
    unit, buckets = _buckets(days)
    data = [
        {"date": start.isoformat(), "status": status, "records": records, "order": order}
        for start, totals in buckets.items()
        for order, (status, records) in enumerate(_by_status(totals))
    ]
    chart = _chart(data, height=260).encode(
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
                format=_time_format(unit),
            ),
        ),
        y=alt.Y("records:Q", title="Records", stack="zero", axis=_count_axis()),
        color=_status_colour(),
        order=alt.Order("order:Q"),
        tooltip=[
            alt.Tooltip("date:T", title=unit.capitalize(), format=_time_format(unit, full=True)),
            alt.Tooltip("status:N", title="Status"),
            alt.Tooltip("records:Q", title="Records", format=","),
        ],
    )
    notes = []
    if days.undated.total:
        notes.append(f"{_records(days.undated.total)} without a timestamp can't be placed in time.")
    return Chart(
        id="over-time",
        title="Records over time",
        empty="No record here has a timestamp.",
        spec=_spec(chart),
        headings=[f"{unit.capitalize()} of", *STATUSES],
        rows=[
            [start.isoformat(), *(records for _, records in _by_status(totals))]
            for start, totals in buckets.items()
            if totals.total
        ],
        palette="status",
        notes=notes,
        wide=True,
    )


def by_source(totals: dict[str, Totals]) -> Chart:
    """Records by source, stacked by status; the largest sources, the others in one bar."""
    ordered = sorted(totals.items(), key=lambda item: (-item[1].total, item[0]))
    shown = [(name, part) for name, part in ordered[:15] if part.total]
    rest = add_up(part for _, part in ordered[15:])
    if rest.total:
        shown.append((f"{len(ordered) - 15:,} others", rest))
    labels = _labels([name for name, _ in shown])
    data = [
        {"label": label, "name": name, "status": status, "records": records, "order": order}
        for label, (name, part) in zip(labels, shown, strict=True)
        for order, (status, records) in enumerate(_by_status(part))
    ]
    chart = _chart(data, height=_height(labels)).encode(
        x=alt.X("records:Q", title="Records", stack="zero", axis=_count_axis()),
        y=_label_axis(labels),
        color=_status_colour(),
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
        spec=_spec(chart),
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
        spec=_bars(rows, "Category", "Processed records", _count_axis()),
        headings=["Category", "Processed records"],
        rows=rows,
    )


def mean_by_category(
    categories: Categories, value_name: str, scope: str = "", notes: Sequence[str] = ()
) -> Chart:
    """The mean value of each category, in the order of their number of records."""
    rows = [(name, part.mean) for name, part in _named(categories)]
    drawn = [(name, mean) for name, mean in rows if mean is not None]
    return Chart(
        id="mean-by-category",
        title=f"Mean {value_name} by category",
        scope=scope,
        empty="No processed record here has a category.",
        spec=_bars(drawn, "Category", f"Mean {value_name}", _value_axis()),
        headings=["Category", f"Mean {value_name}"],
        rows=rows,
        notes=notes,
    )


def distribution(
    histogram: Distribution, value_name: str, scope: str = "", notes: Sequence[str] = ()
) -> Chart:
    """How often which values occur."""
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
        _chart(data, height=240)
        .mark_rect()
        .encode(
            x=alt.X(
                "start:Q",
                title=value_name,
                scale=alt.Scale(zero=False, nice=False),
                axis=_value_axis(grid=False),
            ),
            x2="end:Q",
            y=alt.Y("records:Q", title="Processed records", axis=_count_axis()),
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
        spec=_spec(chart),
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
        spec=_bars(rows, "Reason", "Failed records", _count_axis()),
        headings=["Reason", "Failed records"],
        rows=rows,
        palette="failed",
    )


def _chart(data: list[dict[str, Any]], *, height: int) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=data), width="container", height=height).mark_bar()


def _spec(chart: alt.Chart) -> dict[str, Any]:
    # What is drawn is known to be valid: checking each spec against the schema of Vega-Lite
    # costs more than all queries of a page. A test checks it instead.
    return chart.to_dict(validate=False)


def _bars(
    rows: Sequence[tuple[str, float]], name_title: str, amount_title: str, axis: alt.Axis
) -> dict[str, Any]:
    """Horizontal bars in the order of the rows."""
    labels = _labels([name for name, _ in rows])
    data = [
        {"label": label, "name": name, "amount": amount, "shown": number(amount)}
        for label, (name, amount) in zip(labels, rows, strict=True)
    ]
    chart = _chart(data, height=_height(labels)).encode(
        x=alt.X("amount:Q", title=amount_title, axis=axis),
        y=_label_axis(labels),
        tooltip=[
            alt.Tooltip("name:N", title=name_title),
            alt.Tooltip("shown:N", title="Amount"),
        ],
    )
    return _spec(chart)


def _labels(names: Sequence[str]) -> list[str]:
    """Names in a few short lines each, all different: a cell may hold a whole page of text.

    All have as many lines, the shorter ones in the middle, for Vega sets labels by the first line.
    """
    wrapped = [
        textwrap.wrap(name, LABEL_WIDTH, max_lines=LABEL_LINES, placeholder=" …") or ["(empty)"]
        for name in names
    ]
    most = max(map(len, wrapped), default=1)
    labels: dict[str, None] = {}
    for lines in wrapped:
        above = (most - len(lines)) // 2
        label = "\n".join([*[""] * above, *lines, *[""] * (most - len(lines) - above)])
        copies = (f"{label} ({count})" for count in itertools.count(2))
        labels[label if label not in labels else next(c for c in copies if c not in labels)] = None
    return list(labels)


def _lines(labels: Sequence[str]) -> int:
    return labels[0].count("\n") + 1 if labels else 1


def _height(labels: Sequence[str]) -> int:
    """Room for as many bars, each as high as its label."""
    return len(labels) * max(26, _lines(labels) * LINE_HEIGHT + 10)


def _label_axis(labels: Sequence[str]) -> alt.Y:
    axis = alt.Axis(
        labelExpr=r"split(datum.label, '\n')",
        labelLimit=200,
        labelLineHeight=LINE_HEIGHT,
        labelOffset=-(_lines(labels) - 1) * LINE_HEIGHT / 2,
        labelPadding=8,
        labelOverlap=False,
        grid=False,
        ticks=False,
        domain=False,
    )
    # sort=None keeps the order of the data: names out of files stay out of Vega's expressions.
    return alt.Y("label:N", sort=None, title=None, axis=axis)


def _count_axis() -> alt.Axis:
    """Whole numbers, short where they are large: 12k."""
    return alt.Axis(
        labelExpr="datum.value % 1 ? '' : format(datum.value, datum.value < 10000 ? ',' : '~s')",
        tickCount=5,
        domain=False,
        ticks=False,
    )


def _value_axis(*, grid: bool = True) -> alt.Axis:
    return alt.Axis(
        labelExpr="datum.value && (abs(datum.value) >= 1e15 || abs(datum.value) < 1e-3)"
        " ? format(datum.value, '.3~e')"
        " : format(datum.value, abs(datum.value) >= 1e5 ? '.3~s' : ',.4~f')",
        tickCount=6,
        labelOverlap=True,
        grid=grid,
        domain=False,
        ticks=False,
    )


def _status_colour() -> alt.Color:
    return alt.Color(
        "status:N",
        sort=list(STATUSES),
        scale=alt.Scale(domain=list(STATUSES)),
        legend=alt.Legend(title=None, orient="top", direction="horizontal"),
    )


def _by_status(totals: Totals) -> Iterable[tuple[str, int]]:
    return zip(STATUSES, (totals.processed, totals.failed, totals.waiting), strict=True)


def _named(categories: Categories) -> list[tuple[str, Category]]:
    named = [(category.name or "", category) for category in categories.top]
    return [*named, *([("Other or none", categories.other)] if categories.other else [])]


def _records(number: int) -> str:
    return "1 record" if number == 1 else f"{number:,} records"


def _buckets(days: Days) -> tuple[str, dict[date, Totals]]:
    """The days in as many steps as a chart can show: by day, week, month or year."""
    span = days.span
    length = span.days if span else 0
    unit = "day" if length <= 100 else "week" if length <= 750 else "month"
    if length > 366 * 15:
        unit = "year"
    parts: dict[date, list[Totals]] = defaultdict(list)
    for day, totals in days.dated.items():
        parts[_start(day, unit)].append(totals)
    return unit, {start: add_up(found) for start, found in sorted(parts.items())}


def _start(day: date, unit: str) -> date:
    if unit == "week":
        # Vega's weeks begin on Sunday.
        since_sunday = day.isoweekday() % 7
        return day - timedelta(days=min(since_sunday, day.toordinal() - 1))
    if unit == "month":
        return day.replace(day=1)
    return day.replace(month=1, day=1) if unit == "year" else day


def _time_format(unit: str, *, full: bool = False) -> str:
    if unit == "year":
        return "%Y"
    if unit == "day" or full:
        return "%-d %b %Y" if full else "%-d %b"
    return "%b %Y"
