"""Statistics as charts: Vega-Lite specs, and a table of the same numbers.

A spec contains no colours: ``static/charts.js`` takes colours and fonts from the stylesheet, so
that a chart follows the light or dark scheme of its page.
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
from records.reject_codes import title_of
from web.control_chars import escape_control_chars
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
        notes.append(f"Not shown: {records(rest.total)} in {others:,} smaller sources.")
    labels = labels_of([name for name, _ in shown])
    data = [
        {"label": label, "name": name, **part}
        for label, (name, totals_of_it) in zip(labels, shown, strict=True)
        for part in parts_by_status(totals_of_it, scope.of(name))
    ]
    return Chart(
        id="by-source",
        title="Records by source",
        empty="No records.",
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
        empty="No processed records have a category.",
        spec=bars(shown, "Category", "Processed records", is_count=True),
        headings=["Category", "Processed records"],
        rows=[[bar.name, linked(int(bar.amount), bar.url)] for bar in shown],
        notes=[f"Not shown: {records(others)} in other categories or without a category."]
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
    """The average value of each category, categories with the most records first."""
    value_name = escape_control_chars(value_name)
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
        title=f"Average {value_name} by category",
        scope=name,
        empty="No processed records have a category.",
        spec=bars(drawn, "Category", f"Average {value_name}", is_count=False),
        headings=["Category", "Values", f"Average {value_name}"],
        rows=[
            [part.name, linked(part.number, urls[part.name]), part.mean] for part in categories.top
        ],
        notes=notes,
    )


def left_out(number_left_out: int) -> list[str]:
    """The note about repaired values that the charts exclude."""
    if not number_left_out:
        return []
    return [f"{number_left_out:,} repaired value{'' if number_left_out == 1 else 's'} excluded."]


def failures(reasons: Sequence[Reason], failed: int, scope: Scope) -> Chart:
    """The most frequent reasons why records failed, with their cumulative share of failures."""
    told = [reason for reason in reasons if can_be_asked_for(reason.message)]
    shown = [
        Bar(reason.message or "", reason.records, scope.url(reason=reason.message or ""))
        for reason in told
    ]
    rest = failed - sum(reason.records for reason in told)
    return Chart(
        id="failures",
        title="Failure reasons",
        empty="No failed records.",
        spec=pareto(shown, failed, "Reason", "Failed records"),
        headings=["Reason", "Failed records", "Cumulative %"],
        rows=_up_to_here(shown, failed),
        palette="failed",
        notes=[f"Not shown: {records(rest)} with other reasons."] if rest > 0 else [],
    )


def rejections(codes: Sequence[tuple[str, int, str]]) -> Chart:
    """Why rows were rejected: code, number of open rows, and the URL that lists them."""
    shown = [Bar(title_of(code), rows, url) for code, rows, url in codes]
    total = sum(rows for _, rows, _ in codes)
    return Chart(
        id="rejections",
        title="Rejection reasons",
        empty="No open rejected rows.",
        spec=pareto(shown, total, "Reason", "Open rejected rows"),
        headings=["Reason", "Open rejected rows", "Cumulative %"],
        rows=_up_to_here(shown, total),
        palette="failed",
        notes=["All open rows, regardless of the date range."] if shown else [],
    )


def repairs(rules: Sequence[Repairs], scope: Scope) -> Chart:
    """The number of processed records in which each rule has repaired a cell."""
    shown = [
        Bar(part.rule, part.records, scope.url(rule=part.rule, status="processed"))
        for part in rules
    ]
    return Chart(
        id="repairs",
        title="Repairs by rule",
        empty="No repairs.",
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
