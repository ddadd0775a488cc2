"""Numbers between two bounds."""

import math

import pytest

from processing.rules import ABSENT
from tests.processing.rules.carried_out import carry_out, problem


def test_bounds_are_included():
    seen = carry_out("range", ["0", 10, 10.5, "-1", -0.1], least=0, greatest=10)
    assert seen.messages == {2: "is above 10", 3: "is below 0", 4: "is below 0"}


def test_what_is_no_number_is_in_no_range():
    cells = ["x", math.nan, math.inf, True, [], 10**400, "1e400"]
    seen = carry_out("range", cells, least=0)
    assert set(seen.messages.values()) == {"is not a number"}
    assert len(seen.messages) == len(cells)
    assert carry_out("range", ["", None, ABSENT], least=0).messages == {}


def test_the_nearest_bound_can_take_its_place():
    seen = carry_out("range", ["-5", 20, "3", "x"], least=0, greatest=10, on_failure="nearest")
    assert seen.cells == [0.0, 10.0, "3", "x"]
    assert seen.repairs == {0: ("-5", 0.0), 1: (20, 10.0)}
    assert seen.messages == {3: "is not a number"}


def test_it_can_become_empty():
    assert carry_out("range", [5], greatest=1, on_failure="empty").repairs == {0: (5, None)}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "is required"),
        ({"least": 2, "greatest": 1}, "is greater than 'greatest'"),
        ({"least": "2"}, "'least' of 'range' must be a number"),
        ({"least": math.inf}, "'least' of 'range' must be a number"),
    ],
)
def test_mistakes_are_told(given, sentence):
    assert sentence in problem("range", column="c", **given)
