"""Parts that several charts are made of: bars, labels and axes, the same everywhere."""

import itertools
import textwrap
from collections.abc import Sequence
from typing import Any

import altair as alt

from records.numbers import number
from records.visible import visible

# Parts of a stack from the bottom, in the order of the status colours of charts.js.
STATUSES = ("Processed", "Failed", "Waiting")
# Pixels; characters; lines.
LINE_HEIGHT = 14
LABEL_WIDTH = 26
LABEL_LINES = 3


def bar_chart(data: list[dict[str, Any]], *, height: int) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=data), width="container", height=height).mark_bar()


def spec_of(chart: alt.Chart) -> dict[str, Any]:
    # What is drawn is known to be valid: checking each spec against the schema of Vega-Lite
    # costs more than all queries of a page. A test checks it instead.
    return chart.to_dict(validate=False)


def bars(
    rows: Sequence[tuple[str, float]], name_title: str, amount_title: str, axis: alt.Axis
) -> dict[str, Any]:
    """Horizontal bars in the order of the rows."""
    labels = labels_of([name for name, _ in rows])
    data = [
        {"label": label, "name": visible(name), "amount": amount, "shown": number(amount)}
        for label, (name, amount) in zip(labels, rows, strict=True)
    ]
    chart = bar_chart(data, height=height_of(labels)).encode(
        x=alt.X("amount:Q", title=amount_title, axis=axis),
        y=label_axis(labels),
        tooltip=[
            alt.Tooltip("name:N", title=name_title),
            alt.Tooltip("shown:N", title="Amount"),
        ],
    )
    return spec_of(chart)


def labels_of(names: Sequence[str]) -> list[str]:
    """Names in a few short lines each, all different: a cell may hold a whole page of text.

    All have as many lines, the shorter ones in the middle, for Vega sets labels by the first line.
    """
    wrapped = [
        textwrap.wrap(visible(name), LABEL_WIDTH, max_lines=LABEL_LINES, placeholder=" …")
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


def _lines(labels: Sequence[str]) -> int:
    return labels[0].count("\n") + 1 if labels else 1


def height_of(labels: Sequence[str]) -> int:
    """Room for as many bars, each as high as its label."""
    return len(labels) * max(26, _lines(labels) * LINE_HEIGHT + 10)


def label_axis(labels: Sequence[str]) -> alt.Y:
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


def count_axis() -> alt.Axis:
    """Whole numbers, short where they are large: 12k."""
    return alt.Axis(
        labelExpr="datum.value % 1 ? '' : format(datum.value, datum.value < 10000 ? ',' : '~s')",
        tickCount=5,
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
