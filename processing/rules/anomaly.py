"""Values that lie far from what is usual."""

import math

from processing.rules.base import Batch, Kind, Step, as_text, filled, is_missing
from processing.rules.parameters import COLUMN, NUMBER, WHOLE, Parameter, column
from records.number_text import read_number


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
            batch.anomalies.setdefault(place, []).append(f"{name!r} is {found:.10g}, {usual}.")


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
        f"more than {step['threshold']:g} times the typical deviation ({middle.spread:.4g}) from "
        f"the median ({middle.median:.10g}) {where}"
    )
    return middle.median - reach, middle.median + reach, usual


def describe(step: Step) -> str:
    where = f" of its {step['by']!r}" if step["by"] else ""
    return (
        f"Flag records where {step['column']!r} is more than {step['threshold']:g} times the "
        f"typical deviation from the median{where}"
    )


KIND = Kind(
    code="anomaly",
    title="Flag anomalies",
    summary="Flag values far from the median of their source and category, with the reason.",
    parameters=(
        column(),
        Parameter(
            "by",
            COLUMN,
            "Category",
            "Compare within each category. Leave blank to compare all values of the source.",
            None,
        ),
        Parameter(
            "threshold",
            NUMBER,
            "Threshold",
            "Allowed distance from the median, as a multiple of the typical deviation "
            "(1.4826 MAD). Lower values flag more records.",
            5.0,
        ),
        Parameter(
            "at_least",
            WHOLE,
            "Minimum number of values",
            "Categories with fewer values are not checked.",
            20,
        ),
    ),
    apply=anomaly,
    describe=describe,
    conflict=lambda step: (
        None if step["threshold"] > 0 else "'threshold' of 'anomaly' must be greater than 0"
    ),
    facts="middles",
)
