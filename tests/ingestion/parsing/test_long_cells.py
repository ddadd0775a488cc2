"""What a cell says is seen in time that grows with its length alone, however long it is.

A pattern that can match in many ways takes hours for the longest cell where it matches in none.
"""

import pytest

from ingestion.parsing.detection.layout import NUMBER as LOOKS_LIKE_NUMBER
from ingestion.parsing.limits import MAX_CELL_CHARACTERS
from ingestion.parsing.profile import NUMBER as COUNTED_AS_NUMBER
from processing.rules import KINDS, read_number
from records.number_text import reader, style_of
from web.spreadsheets import PLAIN_NUMBER

MANY = MAX_CELL_CHARACTERS - 10
LONG = [
    "1" * MANY + "x",
    "+" + "1" * MANY + "x",
    "-" + " " * MANY + "x",
    "1" + " " * MANY + "x",
    " " * MANY + "x",
    "1" + " 1" * (MANY // 2) + "x",
    "1" + ",111" * (MANY // 4) + "x",
    "1e" + "1" * MANY + "x",
    "." * MANY,
    "1" + " .." * (MANY // 3) + "x",
]


@pytest.mark.parametrize("cell", LONG, ids=[f"{cell[:4]!r}" for cell in LONG])
def test_a_long_cell_that_is_no_number_is_soon_seen_to_be_none(cell):
    for pattern in (LOOKS_LIKE_NUMBER, COUNTED_AS_NUMBER, PLAIN_NUMBER):
        assert pattern.fullmatch(cell) is None
    number = KINDS["number"]
    for given in (
        {},
        {"decimal": ","},
        {"thousands": ","},
        {"thousands": " ", "percent": True},
        {"currency": ["€", "EUR"], "percent": True},
        {"currency": ["€", "EUR"], "thousands": "."},
        {"thousands": ",", "lakh": True},
        {"variants": True, "thousands": " ", "currency": ["€", "EUR"], "percent": True},
        {"variants": True, "thousands": ",", "lakh": True, "credit": "plus"},
    ):
        assert reader(style_of(number.complete({"column": "c", **given})))(cell) is None
    assert read_number(cell) is None


@pytest.mark.parametrize(
    ("cell", "is_one"),
    [
        ("1", True),
        (" -1.5e3 ", True),
        ("- 1 000", True),
        ("1'000.5", True),
        ("1.000,5 %", True),
        (".,5", True),
        ("1 .", False),
        ("1 '", False),
        (".", False),
        ("", False),
        ("% 1", False),
        ("1 2 x", False),
        ("--1", False),
    ],
)
def test_what_looks_like_a_number_does(cell, is_one):
    assert bool(LOOKS_LIKE_NUMBER.fullmatch(cell)) is is_one
