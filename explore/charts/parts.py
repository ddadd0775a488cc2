"""Parts that charts share: bars, labels and axes."""

import itertools
import textwrap
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import altair as alt

from explore.metrics.histogram import Bin
from explore.metrics.result_values import Category
from explore.metrics.scope import Scope
from web.control_chars import escape_control_chars
from web.numbers import number

# Parts of a stack from the bottom, in the order of the status colours of charts.js.
STATUSES = ("Processed", "Failed", "Waiting")
# What the explorer is asked for to list each part.
STATUS_FILTERS = {
    "Processed": ["processed"],
    "Failed": ["failed"],
    "Waiting": ["raw", "processing"],
}
NO_DATA = alt.InlineData(values=[])
# How many layouts of a kind are kept.
KEPT = 256
# Pixels; characters; lines.
LINE_HEIGHT = 14
LABEL_WIDTH = 26
LABEL_LINES = 3


def bar_chart(*, height: int) -> alt.Chart:
    return alt.Chart(NO_DATA, width="container", height=height).mark_bar()


def with_data(layout: dict[str, Any], data: list[dict[str, Any]]) -> dict[str, Any]:
    """The spec of a layout with its data. Layouts are kept: making one takes 20 ms and more."""
    kept = {key: value for key, value in layout.items() if key != "datasets"}
    return kept | {"data": {"name": "rows", "values": data}}


def spec_of(chart: alt.TopLevelMixin) -> dict[str, Any]:
    """The spec of a layout; marks that lead somewhere are named by what their tooltip says."""
    # What is drawn is known to be valid: checking each spec against the schema of Vega-Lite
    # costs more than all queries of a page. A test checks it instead.
    spec = chart.to_dict(validate=False)
    for part in spec.get("layer", [spec]):
        if "href" in part["encoding"]:
            part["mark"]["description"] = {"expr": _spoken(part["encoding"]["tooltip"])}
    return spec


def _spoken(tooltip: Sequence[Mapping[str, str]]) -> str:
    """An expression of Vega for "Day: 1 Mar 2026, Records: 1,200"."""
    said = []
    for item in tooltip:
        value = f"datum[{item['field']!r}]"
        shown = f"format({value}, {item['format']!r})" if "format" in item else value
        said.append(f"{item['title'] + ': '!r} + {shown}")
    return " + ', ' + ".join(said)


class Bar(NamedTuple):
    """A horizontal bar, and the list of what it counts."""

    name: str
    amount: float
    url: str


def bars(
    rows: Sequence[Bar], name_title: str, amount_title: str, *, is_count: bool
) -> dict[str, Any]:
    """Horizontal bars in the order of the rows."""
    labels = labels_of([row.name for row in rows])
    data = [
        {
            "label": label,
            "name": escape_control_chars(row.name),
            "amount": row.amount,
            "shown": number(row.amount),
            "url": row.url,
        }
        for label, row in zip(labels, rows, strict=True)
    ]
    layout = _bars(name_title, amount_title, is_count, lines_of(labels), height_of(labels))
    return with_data(layout, data)


@lru_cache(KEPT)
def _bars(
    name_title: str, amount_title: str, is_count: bool, lines: int, height: int
) -> dict[str, Any]:
    axis = count_axis() if is_count else value_axis()
    chart = bar_chart(height=height).encode(
        x=alt.X("amount:Q", title=amount_title, axis=axis),
        y=label_axis(lines),
        href="url:N",
        tooltip=[
            alt.Tooltip("name:N", title=name_title),
            alt.Tooltip("shown:N", title=amount_title),
        ],
    )
    return spec_of(chart)


def pareto(rows: Sequence[Bar], total: int, name_title: str, amount_title: str) -> dict[str, Any]:
    """Horizontal bars, and the share of the total that each and those above it make up."""
    labels = labels_of([row.name for row in rows])
    reached = itertools.accumulate(row.amount for row in rows)
    data = [
        {
            "label": label,
            "name": escape_control_chars(row.name),
            "amount": row.amount,
            "share": upto / total,
            "url": row.url,
        }
        for label, row, upto in zip(labels, rows, reached, strict=True)
    ]
    layout = _pareto(name_title, amount_title, lines_of(labels), height_of(labels))
    return with_data(layout, data)


@lru_cache(KEPT)
def _pareto(name_title: str, amount_title: str, lines: int, height: int) -> dict[str, Any]:
    tooltip = [
        alt.Tooltip("name:N", title=name_title),
        alt.Tooltip("amount:Q", title=amount_title, format=","),
        alt.Tooltip("share:Q", title="Cumulative share", format=".1%"),
    ]
    share_axis = alt.Axis(
        format=".0%", tickCount=5, orient="top", grid=False, domain=False, ticks=False
    )
    base = alt.Chart().encode(y=label_axis(lines), tooltip=tooltip)
    drawn = base.mark_bar().encode(
        x=alt.X("amount:Q", title=amount_title, axis=count_axis()), href="url:N"
    )
    line = base.mark_line(point=True).encode(
        x=alt.X(
            "share:Q",
            title="Cumulative %",
            scale=alt.Scale(domain=[0, 1]),
            axis=share_axis,
        ),
        order=alt.Order("share:Q"),
    )
    chart = alt.layer(
        drawn,
        line,
        data=NO_DATA,
        width="container",
        height=height,
    ).resolve_scale(x="independent")
    return spec_of(chart)


def values_url(part: Bin | Category, scope: Scope, repaired: bool, **wanted: str) -> str:
    """The records whose values a part counts: those from its minimum to its maximum."""
    if part.minimum is None or part.maximum is None:
        return ""
    kept = {} if repaired else {"repaired": "0"}
    return scope.url(value_from=part.minimum, value_to=part.maximum, **kept, **wanted)


def labels_of(names: Sequence[str]) -> list[str]:
    """Names in a few short lines each, all different: a cell may hold a whole page of text.

    All have as many lines, the shorter ones in the middle, for Vega sets labels by the first line.
    """
    wrapped = [
        textwrap.wrap(
            escape_control_chars(name), LABEL_WIDTH, max_lines=LABEL_LINES, placeholder=" …"
        )
        or ["(empty)"]
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


def lines_of(labels: Sequence[str]) -> int:
    return labels[0].count("\n") + 1 if labels else 1


def height_of(labels: Sequence[str]) -> int:
    """Room for as many bars, each as high as its label."""
    return len(labels) * max(26, lines_of(labels) * LINE_HEIGHT + 10)


def label_axis(lines: int) -> alt.Y:
    """An axis of names, each of so many lines."""
    axis = alt.Axis(
        labelExpr=r"split(datum.label, '\n')",
        labelLimit=200,
        labelLineHeight=LINE_HEIGHT,
        labelOffset=-(lines - 1) * LINE_HEIGHT / 2,
        labelPadding=8,
        labelOverlap=False,
        grid=False,
        ticks=False,
        domain=False,
    )
    # sort=None keeps the order of the data: names out of files stay out of Vega's expressions.
    return alt.Y("label:N", sort=None, title=None, axis=axis)


def count_axis() -> alt.Axis:
    """Whole numbers, short where they are large: 12k."""
    return alt.Axis(
        labelExpr="datum.value % 1 ? '' : format(datum.value, datum.value < 10000 ? ',' : '~s')",
        tickCount=5,
        labelOverlap=True,
        labelSeparation=6,
        domain=False,
        ticks=False,
    )


def value_axis(*, grid: bool = True) -> alt.Axis:
    return alt.Axis(
        labelExpr="datum.value && (abs(datum.value) >= 1e15 || abs(datum.value) < 1e-3)"
        " ? format(datum.value, '.3~e')"
        " : format(datum.value, abs(datum.value) >= 1e5 ? '.3~s' : ',.4~f')",
        tickCount=6,
        labelOverlap=True,
        labelSeparation=6,
        grid=grid,
        domain=False,
        ticks=False,
    )


def status_colour() -> alt.Color:
    return alt.Color(
        "status:N",
        sort=list(STATUSES),
        scale=alt.Scale(domain=list(STATUSES)),
        legend=alt.Legend(title=None, orient="top", direction="horizontal"),
    )
