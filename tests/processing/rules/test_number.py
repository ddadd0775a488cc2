"""Numbers, as people and programs write them."""

import math

import pytest

from processing.rules import ABSENT
from processing.rules.number import plain_numbers
from tests.processing.rules.carried_out import carry_out, problem


def test_what_can_not_be_read_becomes_the_default_and_is_a_repair():
    seen = carry_out("number", ["1.5", "bad", " 7 ", 3], default=-1)
    assert seen.cells == [1.5, -1.0, 7.0, 3.0]
    assert [type(cell) for cell in seen.cells] == [float] * 4
    assert seen.repairs == {1: ("bad", -1.0)}


def test_what_says_nothing_stays():
    cells = [ABSENT, None, "", " ", "1"]
    assert carry_out("number", cells).cells == [ABSENT, None, "", " ", 1.0]


def test_it_can_become_empty_or_fail_the_record():
    assert carry_out("number", ["x", "1"], on_failure="empty").repairs == {0: ("x", None)}
    seen = carry_out("number", ["x", "1"], on_failure="fail")
    assert (seen.messages, seen.cells, seen.repairs) == ({0: "is not a number"}, ["x", 1.0], {})


@pytest.mark.parametrize(
    "cell",
    [
        "1e400",
        "nan",
        "inf",
        "1_000",
        "\uff11",
        "0x1",
        "1 2",
        math.nan,
        math.inf,
        True,
        [1],
        {},
        10**400,
    ],
)
def test_only_finite_numbers_are_numbers(cell):
    seen = carry_out("number", ["1", cell])
    assert seen.cells == [1.0, 0.0]
    assert 1 in seen.repairs


GERMAN = {"decimal": ",", "thousands": "."}


@pytest.mark.parametrize(
    ("given", "cell", "number"),
    [
        ({"decimal": ","}, "1,5", 1.5),
        ({"decimal": ","}, "-,5", -0.5),
        ({"decimal": ","}, "1.5", None),
        ({"decimal": ","}, "1,5e3", 1500.0),
        ({"decimal": ","}, 1.5, 1.5),
        (GERMAN, "1.234.567,89", 1234567.89),
        (GERMAN, "1234567,89", 1234567.89),
        (GERMAN, "1.5", None),
        (GERMAN, "12.34,5", None),
        ({"thousands": ","}, "1,000", 1000.0),
        ({"thousands": ","}, "1,00", None),
        ({"thousands": ","}, "1,0000", None),
        ({"thousands": ","}, ",000", None),
        ({"thousands": " "}, "1 000.5", 1000.5),
        ({"thousands": " "}, "1\u202f000\u00a0000", 1000000.0),
        ({"thousands": "'"}, "1'000", 1000.0),
        ({"percent": True}, "12.5%", 0.125),
        ({"percent": True}, "-3 %", -0.03),
        ({"percent": True}, "3", 3.0),
        ({"percent": True}, "%", None),
        ({}, "3%", None),
        ({"currency": ["€", "EUR"]}, "€ 5", 5.0),
        ({"currency": ["€", "EUR"]}, "5 EUR", 5.0),
        ({"currency": ["€", "EUR"]}, "-€5", -5.0),
        ({"currency": ["€", "EUR"]}, "€-5", -5.0),
        ({"currency": ["€", "EUR"]}, "-€-5", None),
        ({"currency": ["€", "EUR"]}, "$5", None),
        ({"currency": ["$", "US$"]}, "US$ 5", 5.0),
        ({"currency": ["(a*)*"]}, "a5", None),
        ({**GERMAN, "currency": ["€"]}, "€ 1.234,50", 1234.5),
        ({"decimal": ","}, "9" * 400, None),
        ({"thousands": ","}, "9" * 100_000, None),
    ],
)
def test_numbers_are_read_as_they_are_written(given, cell, number):
    seen = carry_out("number", [cell], on_failure="empty", **given)
    assert seen.cells == [number]
    assert bool(seen.repairs) is (number is None)


@pytest.mark.parametrize(
    "cells", [["1", 2], ["1", "nan"], ["1e400"], ["1_0"], ["\u0661"], ["1", ""], ["infinity"]]
)
def test_the_fast_way_takes_nothing_but_plain_numbers(cells):
    assert plain_numbers(cells) is None
    assert plain_numbers(["1", " 2.5\n", "-.5e-3"]) == [1.0, 2.5, -0.0005]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"default": True}, "'default' of 'number' must be a number"),
        ({"default": math.nan}, "'default' of 'number' must be a number"),
        ({"default": 1e301}, "'default' of 'number' must be a number"),
        ({"default": None}, "'default' of 'number' must be a number"),
        ({"on_failure": "burn"}, "'on_failure' of 'number' must be one of default, empty, fail"),
        ({"thousands": "."}, "must be different"),
        ({"currency": ["5"]}, "can't be blank or contain digits"),
        ({"currency": [" "]}, "can't be blank"),
        ({"currency": []}, "a list of texts"),
        ({"currency": ["€"] * 101}, "can have 100 symbols of 20 characters at most"),
        ({"currency": ["€" * 21]}, "can have 100 symbols of 20 characters at most"),
        ({"percent": 1}, "true or false"),
        ({"column": 3}, "a column name"),
    ],
)
def test_mistakes_are_told(given, sentence):
    assert sentence in problem("number", **{"column": "c", **given})
