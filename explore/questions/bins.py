"""Ranges of round widths for the numbers of a column. Pure."""

import math
from decimal import Decimal

# About so many ranges are made.
BINS = 12


def edges_of(low: float | None, high: float | None) -> list[float]:
    """The edges of ranges that hold all numbers from ``low`` to ``high``; none without any.

    They are multiples of 1, 2 or 5 times a power of ten. Each range goes up to, but not including,
    its upper edge.
    """
    if low is None or high is None:
        return []
    if low == high:
        above = math.nextafter(high, math.inf)
        edges = [low, high + 1 if high + 1 > high else above]
        return edges if math.isfinite(edges[1]) else [math.nextafter(low, -math.inf), low]
    step = _step((Decimal(high) - Decimal(low)) / BINS)
    start, last = (math.floor(Decimal(end) / step) for end in (low, high))
    edges = [float(step * place) for place in range(start, last + 2)]
    distinct = list(dict.fromkeys(edges))
    if math.isfinite(distinct[-1]) and distinct[0] <= low and distinct[-1] > high:
        return distinct
    # Numbers at the limits of 64 bits, or that no round edges tell apart.
    return [low, math.nextafter(high, math.inf)] if high < 1.7e308 else [low, high]


def _step(least: Decimal) -> Decimal:
    """The smallest round width of at least so much."""
    power = Decimal(1).scaleb(least.adjusted())
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least)
