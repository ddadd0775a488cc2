"""Ranges of round widths for the numbers of a column. Pure."""

import math
from decimal import Decimal

# About so many ranges are made.
BINS = 12


def edges_of(low: float | None, high: float | None) -> list[float]:
    """The edges of ranges that hold all numbers from ``low`` to ``high``; none without any.

    They are multiples of 1, 2 or 5 times a power of ten. Each range goes up to, but not including,
    its upper edge; only that of the greatest number of all may be infinite.
    """
    if low is None or high is None:
        return []
    if low < high:
        step = _step((Decimal(high) - Decimal(low)) / BINS)
        start, last = (math.floor(Decimal(end) / step) for end in (low, high))
        edges = list(dict.fromkeys(float(step * place) for place in range(start, last + 2)))
        if all(map(math.isfinite, edges)) and edges[0] <= low and edges[-1] > high:
            return edges
    # A single number, or some at the limits of 64 bits, which no round edges tell apart.
    return [low, high + 1 if high + 1 > high else math.nextafter(high, math.inf)]


def _step(least: Decimal) -> Decimal:
    """The smallest round width of at least so much."""
    power = Decimal(1).scaleb(least.adjusted())
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least)
