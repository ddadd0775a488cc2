"""Ranges hold all numbers, whatever these are."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explore.questions.bins import BINS, edges_of

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("low", "high", "edges"),
    [
        (None, None, []),
        (5.0, 5.0, [5.0, 6.0]),
        (0.0, 24.0, [float(edge) for edge in range(0, 27, 2)]),
        (0.1, 0.5, [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55]),
    ],
)
def test_edges_are_round(low, high, edges):
    assert edges_of(low, high) == edges


@given(NUMBERS, NUMBERS)
def test_ranges_hold_all_numbers(one, other):
    low, high = sorted((one, other))
    edges = edges_of(low, high)
    assert edges == sorted(set(edges))
    assert len(edges) <= BINS + 3
    assert edges[0] <= low
    assert high < edges[-1]
    assert math.isfinite(edges[-1]) or high > 1.79e308
