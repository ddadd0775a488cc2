"""Numbers, as people and programs write them."""

import math

import pytest

from processing.rules import ABSENT, KINDS
from records.number_text import plain_numbers, reader, style_of, styled_numbers
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


VARIANTS = {"variants": True}


@pytest.mark.parametrize(
    ("given", "cell", "number"),
    [
        ({**VARIANTS, "decimal": ",", "thousands": "."}, "1.234,56-", -1234.56),
        (VARIANTS, "5 -", -5.0),
        (VARIANTS, "5+", 5.0),
        (VARIANTS, "-5-", None),
        (VARIANTS, "- 5", -5.0),
        (VARIANTS, "(987.65)", -987.65),
        (VARIANTS, "( 987.65 )", -987.65),
        (VARIANTS, "(-5)", None),
        (VARIANTS, "(5", None),
        (VARIANTS, "5)", None),
        (VARIANTS, "\u22125", -5.0),
        (VARIANTS, "\u20135", -5.0),
        (VARIANTS, "\uff11\uff12", 12.0),
        (VARIANTS, "\u0661\u066b\u0665", 1.5),
        (VARIANTS, "\u200e-5", -5.0),
        ({**VARIANTS, "thousands": " "}, "1\u2009234", 1234.0),
        ({**VARIANTS, "thousands": "'"}, "1\u2019234", 1234.0),
        ({**VARIANTS, "currency": ["$"]}, "($12)", -12.0),
        ({**VARIANTS, "currency": ["$"]}, "$ (12)", -12.0),
        ({**VARIANTS, "currency": ["$"]}, "$ 12 -", -12.0),
        ({**VARIANTS, "currency": ["\u00a5"]}, "\uffe5 12", 12.0),
        ({**VARIANTS, "percent": True}, "(5 %)", -0.05),
        ({**VARIANTS, "percent": True}, "%5", 0.05),
        ({"thousands": ",", "lakh": True}, "12,34,567.5", 1234567.5),
        ({"thousands": ",", "lakh": True}, "1,234,567", None),
        ({"thousands": ",", "lakh": True}, "1,234", 1234.0),
        ({"credit": "plus"}, "5.00 CR", 5.0),
        ({"credit": "plus"}, "5.00Dr.", -5.0),
        ({"credit": "plus"}, "5 S", -5.0),
        ({"credit": "minus"}, "5 CR", -5.0),
        ({"credit": "minus"}, "5 DR", 5.0),
        ({"credit": "plus"}, "-5 DR", None),
        ({"credit": "plus"}, "-5", -5.0),
        ({}, "5-", None),
        ({}, "(5)", None),
        ({}, "5 CR", None),
        ({"thousands": " "}, "1\u2009234", None),
        ({"thousands": "'"}, "1\u2019234", None),
    ],
)
def test_other_ways_of_writing_are_read_where_the_rule_says_so(given, cell, number):
    seen = carry_out("number", [cell], on_failure="empty", **given)
    assert seen.cells == [number]


@pytest.mark.parametrize(
    "given",
    [
        GERMAN,
        {"thousands": ","},
        {**GERMAN, "currency": ["\u20ac"]},
        {"thousands": " "},
        {**GERMAN, "variants": True},
        {"thousands": ",", "lakh": True},
    ],
)
def test_many_cells_at_once_are_read_as_one_by_one(given):
    cells = [
        "1.234,5",
        "5",
        "-1,5",
        "1,234.5",
        "1,23,456.5",
        "1 234.5",
        "5 \u20ac",
        "\u20ac5",
        "12.34,5",
    ]
    cells += [
        "+5",
        "5e2",
        "1.5",
        ",5",
        "5,",
        "1\n2",
        "--5",
        "\u20ac\u20ac5",
        "1.234.567",
        "-\u20ac5",
    ]
    style = style_of({**KINDS["number"].complete({"column": "c"}), **given})
    for cell in cells:
        at_once = styled_numbers([cell, cell], style)
        assert at_once in (None, [reader(style)(cell)] * 2)
    assert styled_numbers(["5", "-7"], style) == [5.0, -7.0]


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
        ({"lakh": True}, "'lakh' needs a separator in 'thousands'"),
        ({"credit": "x"}, "one of , plus, minus"),
        ({"column": 3}, "a column name"),
    ],
)
def test_mistakes_are_told(given, sentence):
    assert sentence in problem("number", **{"column": "c", **given})
