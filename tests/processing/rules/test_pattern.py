"""Texts that match a pattern."""

import time

import pytest

from processing.rules import ABSENT
from tests.processing.rules.carried_out import carry_out, problem

MESSAGE = "does not match the pattern"


def test_the_whole_cell_has_to_match_unless_asked_otherwise():
    cells = ["AB12", "xAB12", "AB", "", None, ABSENT]
    assert carry_out("pattern", cells, pattern="[A-Z]{2}[0-9]+").messages == {
        1: MESSAGE,
        2: MESSAGE,
    }
    seen = carry_out("pattern", cells, pattern="[A-Z]{2}[0-9]+", whole=False)
    assert seen.messages == {2: MESSAGE}


def test_it_can_become_empty():
    assert carry_out("pattern", ["x"], pattern="y", on_failure="empty").repairs == {0: ("x", None)}


def test_what_is_no_text_is_matched_as_its_json():
    assert not carry_out("pattern", [12, True, [1, 2]], pattern=r"12|true|\[1,2\]").messages


def test_no_pattern_takes_for_ever():
    began = time.process_time()
    seen = carry_out("pattern", ["a" * 50 + "!", "a" * 100_000 + "!", "aa"], pattern="(a+)+$")
    assert seen.messages == {0: MESSAGE, 1: MESSAGE}
    assert time.process_time() - began < 1


def test_letters_are_letters_in_any_script():
    assert not carry_out("pattern", ["日本", "é"], pattern=r"\p{L}+").messages
    assert carry_out("pattern", ["\ud800"], pattern="a").messages == {0: MESSAGE}


@pytest.mark.parametrize("pattern", ["(a", r"(a)\1", "(?=a)", "a{1000}{1000}", "[z-a]"])
def test_a_pattern_with_a_mistake_is_refused_with_the_reason(pattern):
    assert ": 'pattern' is not valid: " in problem("pattern", column="c", pattern=pattern)
