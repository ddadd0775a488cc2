"""The chart of the distribution of values."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import altair as alt

from explore.charts.chart import Cell, Chart, linked
from explore.charts.parts import (
    KEPT,
    bar_chart,
    count_axis,
    spec_of,
    value_axis,
    values_url,
    with_data,
)
from explore.charts.volume import records
from explore.metrics.histogram import Distribution
from explore.metrics.scope import Scope
from web.control_chars import escape_control_chars
from web.numbers import number


def distribution(
    histogram: Distribution,
    value_name: str,
    scope: Scope,
    *,
    repaired: bool,
    name: str = "",
    notes: Sequence[str] = (),
) -> Chart:
    """How often which values occur."""
    value_name = escape_control_chars(value_name)
    data = [
        {
            "start": part.start,
            "end": part.end,
            "range": f"{number(part.start)} to {number(part.end)}",
            "records": part.records,
            "url": values_url(part, scope, repaired),
        }
        for part in histogram.bins
    ]
    outside = [
        (part, word)
        for part, word in ((histogram.below, "below"), (histogram.above, "above"))
        if part
    ]
    if outside:
        said = " and ".join(f"{part.records:,} {word}" for part, word in outside)
        notes = [*notes, f"Not shown: {said} this range."]
    rows: list[list[Cell]] = [
        [
            None if part is histogram.below else part.start,
            None if part is histogram.above else part.end,
            linked(part.records, values_url(part, scope, repaired)),
        ]
        for part in (histogram.below, *histogram.bins, histogram.above)
        if part
    ]
    if same := histogram.frequent:
        exactly = f"exactly {number(same.start)}"
        rows.insert(0, [exactly, None, linked(same.records, values_url(same, scope, repaired))])
        notes = [
            *notes,
            f"Not shown: {records(same.records)} with {exactly}, which would dwarf all others.",
        ]
    return Chart(
        id="distribution",
        title=f"Distribution of {value_name}",
        scope=name,
        empty="No processed records have a readable value.",
        spec=with_data(_histogram(value_name), data),
        headings=["From", "To", "Processed records"],
        rows=rows,
        notes=notes,
    )


@lru_cache(KEPT)
def _histogram(value_name: str) -> dict[str, Any]:
    # Rectangles, because the interpreter can't work out the gaps that Vega-Lite puts between bars.
    chart = (
        bar_chart(height=240)
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
            href="url:N",
            tooltip=[
                alt.Tooltip("range:N", title="Value"),
                alt.Tooltip("records:Q", title="Records", format=","),
            ],
        )
    )
    return spec_of(chart)
