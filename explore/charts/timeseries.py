"""Values over time, with anomalies marked."""

from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any

import altair as alt

from explore.charts.chart import Chart, linked
from explore.charts.parts import KEPT, NO_DATA, spec_of, value_axis, with_data
from explore.charts.volume import TIME_UNITS, days_shifted, drawn_at, records, time_axis, when
from explore.metrics.intervals import end_of
from explore.metrics.record_counts import Span
from explore.metrics.scope import Scope
from explore.metrics.timeseries import Interval, TimeSeries
from web.control_chars import escape_control_chars
from web.numbers import number

LEGEND = "Line: median. Band: middle 50% of the values. Diamonds: {}."


def values_over_time(
    series: TimeSeries,
    value_name: str,
    scope: Scope,
    *,
    repaired: bool,
    name: str = "",
    notes: Sequence[str] = (),
) -> Chart:
    """The median and the middle 50% of the values of each step, and the anomalies.

    Anomalies far outside would flatten everything else, so they are drawn at the edge.
    """
    value_name = escape_control_chars(value_name)
    edges = _edges(series.steps)
    rows, data = [], []
    for step in series.steps:
        urls = _urls(step, series, scope, repaired)
        label, said = when(step.start, series.unit)
        rows.append(
            [
                label,
                linked(step.number, urls[0]),
                step.lower,
                step.median,
                step.upper,
                linked(step.anomalies, urls[1]),
            ]
        )
        mark = _mark(step, said, urls, edges)
        data.append(mark | {"date": f"{drawn_at(step.start, series.unit):%Y-%m-%dT%H:%M}Z"})
    return Chart(
        id="values-over-time",
        title=f"{value_name[:1].upper()}{value_name[1:]} over time (median per {series.unit})",
        scope=name,
        empty="No processed records have both a value and a timestamp.",
        spec=with_data(
            _layers(series.unit, days_shifted(series.unit), value_name, *_kinds(series.steps)), data
        ),
        headings=[
            f"{series.unit.capitalize()} (UTC)",
            "Values",
            "25th percentile",
            "Median",
            "75th percentile",
            "Anomalies",
        ],
        rows=rows,
        notes=[*_said(series), *notes],
        zoom=series.unit,
        shift=days_shifted(series.unit),
        wide=True,
    )


def _said(series: TimeSeries) -> list[str]:
    low, high = _edges(series.steps)
    marked = [end for step in series.steps for end in (step.low, step.high) if end is not None]
    said = [LEGEND.format("anomalies" if marked else "anomalies (none)")]
    if any(not low <= end <= high for end in marked):
        said.append("Anomalies outside the chart are shown at its edge.")
    far = [
        f"{records(count)} {word} {day}"
        for count, word, day in (
            (series.earlier, "before", series.span and series.span.first),
            (series.later, "after", series.span and series.span.last),
        )
        if count
    ]
    return [*said, f"Not included: {' and '.join(far)}."] if far else said


def _urls(step: Interval, series: TimeSeries, scope: Scope, repaired: bool) -> tuple[str, str]:
    """Where the values that are no anomalies are listed, and where those that are."""
    if series.unit == "hour":
        scope = scope.between(step.start, step.start + timedelta(hours=1))
    elif series.span:
        first = step.start.date()
        scope = scope.within(series.span).within(Span(first, end_of(first, series.unit)))
    kept = {} if repaired else {"repaired": "0"}
    usual = far = ""
    if step.least is not None and step.greatest is not None:
        usual = scope.url(value_from=step.least, value_to=step.greatest, anomaly="0", **kept)
    if step.low is not None and step.high is not None:
        far = scope.url(value_from=step.low, value_to=step.high, anomaly="1", **kept)
    return usual, far


def _edges(steps: Sequence[Interval]) -> tuple[float, float]:
    """Between which values the marks of anomalies are drawn where they are."""
    low = min((step.lower for step in steps if step.lower is not None), default=0.0)
    high = max((step.upper for step in steps if step.upper is not None), default=0.0)
    reach = high - low or abs(high) or 1.0
    return low - reach, high + reach


def _mark(
    step: Interval, said: str, urls: tuple[str, str], edges: tuple[float, float]
) -> dict[str, Any]:
    mark: dict[str, Any] = {"when": said}
    if step.lower is not None and step.upper is not None:
        mark |= {
            "median": step.median,
            "lower": step.lower,
            "upper": step.upper,
            "number": step.number,
            "shown": number(step.median),
            "half": f"{number(step.lower)} to {number(step.upper)}",
            "url": urls[0],
        }
    if step.low is not None and step.high is not None:
        middle = (edges[0] + edges[1]) / 2
        farthest = max(step.low, step.high, key=lambda value: abs(value - middle))
        single = number(step.low)
        mark |= {
            "at": min(max(farthest, edges[0]), edges[1]),
            "anomalies": step.anomalies,
            "from": single if step.low == step.high else f"{single} to {number(step.high)}",
            "far": urls[1],
        }
    return mark


def _kinds(steps: Sequence[Interval]) -> tuple[bool, bool]:
    """Whether there are usual values, and anomalies. Vega complains of layers without a mark."""
    return any(step.number for step in steps), any(step.anomalies for step in steps)


@lru_cache(KEPT)
def _layers(
    unit: str, shift: int, value_name: str, has_usual: bool, has_anomalies: bool
) -> dict[str, Any]:
    x = alt.X("date:T", timeUnit=TIME_UNITS[unit], **time_axis(unit, shift))
    base = alt.Chart().encode(x=x)
    value = alt.Y("median:Q", title=value_name, scale=alt.Scale(zero=False), axis=value_axis())
    usual = [
        alt.Tooltip("when:N", title=unit.capitalize()),
        alt.Tooltip("shown:N", title="Median"),
        alt.Tooltip("half:N", title="Middle 50%"),
        alt.Tooltip("number:Q", title="Values", format=","),
    ]
    far = [
        alt.Tooltip("when:N", title=unit.capitalize()),
        alt.Tooltip("from:N", title="Value"),
        alt.Tooltip("anomalies:Q", title="Anomalies", format=","),
    ]
    band = base.mark_area(style="band").encode(y=alt.Y("lower:Q", title=value_name), y2="upper:Q")
    line = base.mark_line(style="median").encode(y=value)
    points = base.mark_point(style="median-point").encode(y=value, href="url:N", tooltip=usual)
    anomalies = base.mark_point(style="anomaly").encode(
        y=alt.Y("at:Q", title=value_name), href="far:N", tooltip=far
    )
    shown = [*([band, line, points] if has_usual else []), *([anomalies] if has_anomalies else [])]
    return spec_of(alt.layer(*shown, data=NO_DATA, width="container", height=260))
