"""Values that lie far from what is usual."""

import math

from processing.rules.base import Batch, Kind, Step, as_text, filled, is_missing
from processing.rules.number import read_number
from processing.rules.parameters import COLUMN, NUMBER, WHOLE, Parameter, column


def anomaly(batch: Batch, step: Step) -> None:
    """The record is flagged if the value lies far from the median of its source and category.

    How far is measured by the median absolute deviation (MAD) there. Median and MAD are asked of
    the batch's facts, which know the whole source. A value that was repaired is not judged.
    """
    name, by = step["column"], step["by"] or ""
    categories = batch.cells(by) if by else None
    limits: dict[str, tuple[float, float, str]] = {}
    for place, cell in filled(batch, name):
        found = read_number(cell)
        if found is None or (batch.repairs and batch.is_repaired(place, name)):
            continue
        category = category_of(categories[place]) if categories else ""
        if category not in limits:
            limits[category] = _limits(batch, step, by, category)
        low, high, usual = limits[category]
        if not low <= found <= high:
            batch.anomalies.setdefault(place, []).append(
                f"{name!r} is {found:.10g}, far from {usual}."
            )


def category_of(cell: object) -> str:
    """The category that a cell stands for; empty where it says nothing."""
    return "" if is_missing(cell) else as_text(cell)


def _limits(batch: Batch, step: Step, by: str, category: str) -> tuple[float, float, str]:
    """Between which values nothing is out of the ordinary, and what is usual, in words."""
    middle = batch.facts.middle(step["column"], by, category)
    if middle is None or middle.size < step["at_least"] or not middle.spread > 0:
        return -math.inf, math.inf, ""
    reach = step["threshold"] * middle.spread
    where = "of its source"
    if by:
        where = f"where {by!r} is {category!r}" if category else f"where {by!r} is empty"
    usual = (
        f"the median {middle.median:.10g} {where}: more than {step['threshold']:g} times the usual "
        f"deviation of {middle.spread:.4g}"
    )
    return middle.median - reach, middle.median + reach, usual


def describe(step: Step) -> str:
    where = f" of its {step['by']!r}" if step["by"] else ""
    return (
        f"The record is flagged where {step['column']!r} lies further from the median{where} than "
        f"{step['threshold']:g} times the usual deviation"
    )


KIND = Kind(
    code="anomaly",
    title="Flag as anomaly",
    summary="A value far from the median of its source and category is flagged, with the reason.",
    parameters=(
        column(),
        Parameter(
            "by",
            COLUMN,
            "Category",
            "The values of each category are judged for themselves; without it, all together.",
            None,
        ),
        Parameter(
            "threshold",
            NUMBER,
            "Threshold",
            "How many times the usual deviation (1.4826 MAD) is far. Less flags more.",
            5.0,
        ),
        Parameter(
            "at_least",
            WHOLE,
            "Values needed",
            "A category with fewer values is not judged.",
            20,
        ),
    ),
    apply=anomaly,
    describe=describe,
    conflict=lambda step: (
        None if step["threshold"] > 0 else "'threshold' of 'anomaly' is a number above 0"
    ),
    facts="middles",
)
