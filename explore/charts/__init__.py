"""Figures as charts: Vega-Lite specs, and the table of the same numbers.

A spec says what is drawn, never in which colour: ``static/charts.js`` takes colours and fonts from
the stylesheet, so that a chart follows the light or dark scheme of its page.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import altair as alt

from explore.charts.chart import Cell, Chart, Linked, linked
from explore.charts.histogram import distribution
from explore.charts.parts import (
    KEPT,
    STATUSES,
    Bar,
    bar_chart,
    bars,
    count_axis,
    height_of,
    label_axis,
    labels_of,
    lines_of,
    pareto,
    spec_of,
    status_colour,
    values_url,
    with_data,
)
from explore.charts.timeseries import values_over_time
from explore.charts.volume import cells_by_status, over_hours, over_time, parts_by_status, records
from explore.metrics.record_counts import Totals, add_up
from explore.metrics.result_values import Categories, Reason, Repairs
from explore.metrics.scope import Scope, can_be_asked_for
from web.control_chars import visible
from web.numbers import percent

__all__ = [
    "Chart",
    "Linked",
    "by_category",
    "by_source",
    "distribution",
    "failures",
    "left_out",
    "mean_by_category",
    "over_hours",
    "over_time",
    "rejections",
    "repairs",
    "values_over_time",
]

MOST_SOURCES = 15


def by_source(totals: dict[str, Totals], scope: Scope) -> Chart:
    """Records by source, stacked by status: the largest sources."""
    ordered = sorted(totals.items(), key=lambda item: (-item[1].total, item[0]))
    shown = [(name, part) for name, part in ordered[:MOST_SOURCES] if part.total]
    rest = add_up(part for _, part in ordered[MOST_SOURCES:])
    notes = []
    if rest.total:
        others = len(ordered) - MOST_SOURCES
        notes.append(f"Not drawn: {records(rest.total)} of {others:,} smaller sources.")
    labels = labels_of([name for name, _ in shown])
    data = [
        {"label": label, "name": name, **part}
        for label, (name, totals_of_it) in zip(labels, shown, strict=True)
        for part in parts_by_status(totals_of_it, scope.of(name))
    ]
    return Chart(
        id="by-source",
        title="Records by source",
        empty="No records here.",
        spec=with_data(_stacked(lines_of(labels), height_of(labels)), data),
        headings=["Source", *STATUSES],
        rows=[[name, *cells_by_status(part, scope.of(name))] for name, part in shown],
        palette="status",
        notes=notes,
    )


def by_category(categories: Categories, scope: Scope, name: str = "") -> Chart:
    """Processed records by category."""
    shown = [Bar(part.name, part.records, scope.url(category=part.name)) for part in categories.top]
    others = categories.others
    return Chart(
        id="by-category",
        title="Records by category",
        scope=name,
        empty="No processed record here has a category.",
        spec=bars(shown, "Category", "Processed records", is_count=True),
        headings=["Category", "Processed records"],
        rows=[[bar.name, linked(int(bar.amount), bar.url)] for bar in shown],
        notes=[f"Not drawn: {records(others)} of other categories or of none."]
        if others and shown
        else [],
    )


def mean_by_category(
    categories: Categories,
    value_name: str,
    scope: Scope,
    *,
    repaired: bool,
    name: str = "",
    notes: Sequence[str] = (),
) -> Chart:
    """The mean value of each category, in the order of their number of records."""
    value_name = visible(value_name)
    urls = {
        part.name: values_url(part, scope, repaired, category=part.name) for part in categories.top
    }
    drawn = [
        Bar(part.name, part.mean, urls[part.name])
        for part in categories.top
        if part.mean is not None
    ]
    return Chart(
        id="mean-by-category",
        title=f"Mean {value_name} by category",
        scope=name,
        empty="No processed record here has a category.",
        spec=bars(drawn, "Category", f"Mean {value_name}", is_count=False),
        headings=["Category", "Values", f"Mean {value_name}"],
        rows=[
            [part.name, linked(part.number, urls[part.name]), part.mean] for part in categories.top
        ],
        notes=notes,
    )


def left_out(number_left_out: int) -> list[str]:
    """The sentence about repaired values that are in no chart."""
    if not number_left_out:
        return []
    was = "value was repaired and is" if number_left_out == 1 else "values were repaired and are"
    return [f"{number_left_out:,} {was} left out."]


def failures(reasons: Sequence[Reason], failed: int, scope: Scope) -> Chart:
    """Why records failed: the most frequent reasons, and how much of all failures they make up."""
    told = [reason for reason in reasons if can_be_asked_for(reason.message)]
    shown = [
        Bar(reason.message or "", reason.records, scope.url(reason=reason.message or ""))
        for reason in told
    ]
    rest = failed - sum(reason.records for reason in told)
    return Chart(
        id="failures",
        title="Why records failed",
        empty="No record here has failed.",
        spec=pareto(shown, failed, "Reason", "Failed records"),
        headings=["Reason", "Failed records", "Up to here"],
        rows=_up_to_here(shown, failed),
        palette="failed",
        notes=[f"Not drawn: {records(rest)} with other reasons."] if rest > 0 else [],
    )


def rejections(codes: Sequence[tuple[str, int, str]]) -> Chart:
    """Why rows could not become records: code, how many rows are open, and the list of them."""
    shown = [Bar(code, rows, url) for code, rows, url in codes]
    total = sum(rows for _, rows, _ in codes)
    return Chart(
        id="rejections",
        title="Why rows were rejected",
        empty="No rejected row is open.",
        spec=pareto(shown, total, "Reason", "Open rejected rows"),
        headings=["Reason", "Open rejected rows", "Up to here"],
        rows=_up_to_here(shown, total),
        palette="failed",
        notes=["Rows that are open, whatever the range: they have no timestamp."] if shown else [],
    )


def repairs(rules: Sequence[Repairs], scope: Scope) -> Chart:
    """Which rules have repaired cells, by the number of processed records."""
    shown = [
        Bar(part.rule, part.records, scope.url(rule=part.rule, status="processed"))
        for part in rules
    ]
    return Chart(
        id="repairs",
        title="Repairs by rule",
        empty="No cell of a record here was repaired.",
        spec=bars(shown, "Rule", "Processed records", is_count=True),
        headings=["Rule", "Processed records"],
        rows=[[bar.name, linked(int(bar.amount), bar.url)] for bar in shown],
    )


def _up_to_here(shown: Sequence[Bar], total: int) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    reached = 0
    for bar in shown:
        reached += int(bar.amount)
        share = percent(reached / total * 100)
        rows.append([bar.name, linked(int(bar.amount), bar.url), share])
    return rows


@lru_cache(KEPT)
def _stacked(lines: int, height: int) -> dict[str, Any]:
    chart = bar_chart(height=height).encode(
        x=alt.X("records:Q", title="Records", stack="zero", axis=count_axis()),
        y=label_axis(lines),
        color=status_colour(),
        order=alt.Order("order:Q"),
        href="url:N",
        tooltip=[
            alt.Tooltip("name:N", title="Source"),
            alt.Tooltip("status:N", title="Status"),
            alt.Tooltip("records:Q", title="Records", format=","),
        ],
    )
    return spec_of(chart)
