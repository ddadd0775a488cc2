"""Texts of a certain length."""

import pytest

from processing.rules import ABSENT
from tests.processing.rules.carried_out import carry_out, problem


def test_characters_are_counted():
    seen = carry_out(
        "length", ["é", "日本", "abc", "abcd", "", None, ABSENT, 12], least=2, greatest=3
    )
    assert seen.messages == {0: "is shorter than 2 characters", 3: "is longer than 3 characters"}


def test_long_ones_can_be_cut():
    seen = carry_out("length", ["abcd", "日本語", "a"], least=2, greatest=2, on_failure="cut")
    assert (seen.cells, seen.messages) == (["ab", "日本", "a"], {2: "is shorter than 2 characters"})
    assert seen.repairs == {0: ("abcd", "ab"), 1: ("日本語", "日本")}


def test_it_can_become_empty():
    assert carry_out("length", ["ab"], greatest=1, on_failure="empty").repairs == {0: ("ab", None)}


def test_one_character_is_told_as_one():
    assert carry_out("length", ["ab"], greatest=1).messages == {0: "is longer than 1 character"}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "is required"),
        ({"least": 3, "greatest": 2}, "is greater than 'greatest'"),
        ({"least": 1, "on_failure": "cut"}, "is required to cut cells"),
        ({"least": -1}, "a whole number"),
        ({"greatest": 1.5}, "a whole number"),
    ],
)
def test_mistakes_are_told(given, sentence):
    assert sentence in problem("length", column="c", **given)
