"""The answer to a question as a drawing: bars, a line, stacked bars, lines or a heat map."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import altair as alt

from explore.charts.parts import (
    KEPT,
    NO_DATA,
    Bar,
    bars,
    count_axis,
    label_axis,
    labels_of,
    spec_of,
    value_axis,
    with_data,
)
from explore.questions.answer import Answer, Row
from explore.questions.question import Measure
from explore.questions.show import figure_text
from web.control_chars import escape_control_chars

# More than these can't be told apart in a drawing; the table has them all.
MOST_BARS, MOST_STEPS, MOST_COLOURS, MOST_CELLS = 40, 400, 6, 30
STEP_HEIGHT, CELL_HEIGHT = 260, 28


def drawing(answer: Answer) -> dict[str, Any] | None:
    """The spec of the drawing of the first measure; None where a number or a table says it best."""
    groups, measure = answer.question.groups, answer.question.measures[0]
    if not groups or not answer.rows or all(row.figures[0] is None for row in answer.rows):
        return None
    if len(groups) == 1:
        if groups[0].is_ordered and 1 < len(answer.rows) <= MOST_STEPS:
            return _steps(answer, measure)
        return _bars(answer, measure) if len(answer.rows) > 1 else None
    first, second = groups
    if first.is_ordered and len(answer.seconds) <= MOST_COLOURS and len(answer.firsts) > 1:
        return _parts_of_steps(answer, measure, time=0)
    if second.is_ordered and len(answer.firsts) <= MOST_COLOURS and len(answer.seconds) > 1:
        return _parts_of_steps(answer, measure, time=1)
    if len(answer.firsts) <= MOST_CELLS and len(answer.seconds) <= MOST_CELLS:
        return _heat_map(answer, measure)
    return None


def _bars(answer: Answer, measure: Measure) -> dict[str, Any]:
    shown = [
        Bar(row.parts[0].label, row.figures[0], row.url)
        for row in answer.rows[:MOST_BARS]
        if row.figures[0] is not None
    ]
    title = answer.question.groups[0].title
    return bars(shown, _said(title), _said(measure.title), is_count=measure.is_count)


def _steps(answer: Answer, measure: Measure) -> dict[str, Any]:
    titles = (_said(answer.question.groups[0].title), _said(measure.title))
    layout = _one_line if _is_line(answer, measure, 0) else _columns
    return with_data(
        layout(*titles, measure.is_count), [_mark(row, measure) for row in answer.rows]
    )


def _parts_of_steps(answer: Answer, measure: Measure, *, time: int) -> dict[str, Any]:
    groups = answer.question.groups
    parts = answer.seconds if time == 0 else answer.firsts
    names = tuple(_unlike(row.parts[0].label for row in parts))
    by_part = {row.parts[0]: name for row, name in zip(parts, names, strict=True)}
    data = [
        {**_mark(row, measure, time), "part": by_part[row.parts[1 - time]]} for row in answer.rows
    ]
    titles = _said(groups[time].title), _said(groups[1 - time].title), _said(measure.title)
    layout = _stacked if measure.adds_up else _lines
    steps = answer.firsts if time == 0 else answer.seconds
    order = tuple(_said(row.parts[0].label) for row in steps)
    return with_data(layout(*titles, names, order, measure.is_count), data)


def _heat_map(answer: Answer, measure: Measure) -> dict[str, Any]:
    firsts = labels_of([row.parts[0].label for row in answer.firsts])
    labels = {row.parts[0]: label for row, label in zip(answer.firsts, firsts, strict=True)}
    data = [{**_mark(row, measure, 1), "label": labels[row.parts[0]],
             "name": _said(row.parts[0].label)} for row in answer.rows]  # fmt: skip
    first, second = (_said(group.title) for group in answer.question.groups)
    order = tuple(_said(row.parts[0].label) for row in answer.seconds)
    layout = _cells(first, second, _said(measure.title), len(firsts), tuple(firsts), order)
    return with_data(layout, data)


def _mark(row: Row, measure: Measure, place: int = 0) -> dict[str, Any]:
    figure = row.figures[0]
    return {
        "step": _said(row.parts[place].label),
        "amount": figure,
        "shown": figure_text(measure, figure),
        "url": row.url,
    }


def _said(text: str) -> str:
    return escape_control_chars(text)[:80]


def _unlike(labels: Iterable[str]) -> list[str]:
    """Short labels, all different."""
    found: dict[str, None] = {}
    for label in map(_said, labels):
        short = label[:40] or "(empty)"
        found[short if short not in found else f"{short} ({len(found) + 1})"] = None
    return list(found)


def _is_line(answer: Answer, measure: Measure, place: int) -> bool:
    """Averages over time are a line; what adds up is bars."""
    return answer.question.groups[place].is_time and not measure.adds_up


def _x(title: str, order: tuple[str, ...] | None = None) -> alt.X:
    axis = alt.Axis(labelAngle=0, labelOverlap=True, labelSeparation=8, grid=False, ticks=False)
    return alt.X("step:N", sort=None if order is None else list(order), title=title, axis=axis)


def _y(title: str, is_count: bool) -> alt.Y:
    return alt.Y("amount:Q", title=title, axis=count_axis() if is_count else value_axis())


def _tooltip(*titles: tuple[str, str]) -> list[alt.Tooltip]:
    return [alt.Tooltip(f"{field}:N", title=title) for field, title in titles]


def _base() -> alt.Chart:
    return alt.Chart(NO_DATA, width="container", height=STEP_HEIGHT)


@lru_cache(KEPT)
def _columns(group: str, title: str, is_count: bool) -> dict[str, Any]:
    tooltip = _tooltip(("step", group), ("shown", title))
    chart = _base().mark_bar().encode(
        x=_x(group), y=_y(title, is_count), href="url:N", tooltip=tooltip
    )  # fmt: skip
    return spec_of(chart)


@lru_cache(KEPT)
def _one_line(group: str, title: str, is_count: bool) -> dict[str, Any]:
    tooltip = _tooltip(("step", group), ("shown", title))
    points = alt.Chart().mark_point().encode(
        x=_x(group), y=_y(title, is_count), href="url:N", tooltip=tooltip
    )  # fmt: skip
    line = alt.Chart().mark_line().encode(x=_x(group), y=_y(title, is_count), tooltip=tooltip)
    return spec_of(alt.layer(line, points, data=NO_DATA, width="container", height=STEP_HEIGHT))


@lru_cache(KEPT)
def _stacked(
    group: str, part: str, title: str, names: tuple[str, ...], order: tuple[str, ...], count: bool
) -> dict[str, Any]:
    tooltip = _tooltip(("step", group), ("part", part), ("shown", title))
    chart = _base().mark_bar().encode(
        x=_x(group, order), y=_y(title, count), color=_colour(names), href="url:N", tooltip=tooltip
    )  # fmt: skip
    return spec_of(chart)


@lru_cache(KEPT)
def _lines(
    group: str, part: str, title: str, names: tuple[str, ...], order: tuple[str, ...], count: bool
) -> dict[str, Any]:
    tooltip = _tooltip(("step", group), ("part", part), ("shown", title))
    x, y, colour = _x(group, order), _y(title, count), _colour(names)
    line = alt.Chart().mark_line().encode(x=x, y=y, color=colour, tooltip=tooltip)
    points = alt.Chart().mark_point().encode(
        x=x, y=y, color=colour, href="url:N", tooltip=tooltip
    )  # fmt: skip
    return spec_of(alt.layer(line, points, data=NO_DATA, width="container", height=STEP_HEIGHT))


@lru_cache(KEPT)
def _cells(
    first: str, second: str, title: str, count: int, firsts: tuple[str, ...], order: tuple[str, ...]
) -> dict[str, Any]:
    tooltip = _tooltip(("name", first), ("step", second), ("shown", title))
    lines = firsts[0].count("\n") + 1 if firsts else 1
    height = count * max(CELL_HEIGHT, lines * 14 + 10)
    chart = alt.Chart(NO_DATA, width="container", height=height).mark_rect().encode(
        x=_x(second, order), y=label_axis(lines),
        opacity=alt.Opacity("amount:Q", scale=alt.Scale(range=[0.12, 1]), legend=None),
        href="url:N", tooltip=tooltip,
    )  # fmt: skip
    return spec_of(chart)


def _colour(names: tuple[str, ...]) -> alt.Color:
    legend = alt.Legend(title=None, orient="top", direction="horizontal", labelLimit=160)
    return alt.Color("part:N", sort=list(names), scale=alt.Scale(domain=list(names)), legend=legend)
