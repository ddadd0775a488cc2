"""Texts in one form."""

import pytest

from processing.rules import describe
from tests.processing.rules.carried_out import carry_out, problem


@pytest.mark.parametrize(
    ("given", "cell", "text"),
    [
        ({"strip": True}, " a b\u00a0", "a b"),
        ({"collapse": True}, "a \t\n b", "a b"),
        ({"collapse": True}, " a", " a"),
        ({"collapse": True, "strip": True}, "  a  b ", "a b"),
        ({"lower": True}, "ÄB", "äb"),
        ({"upper": True}, "straße", "STRASSE"),
        ({"normalize": True}, "e\u0301", "\u00e9"),
        ({"strip": True, "lower": True}, "", ""),
        ({}, " A ", " A "),
    ],
)
def test_texts_get_the_form_asked_for(given, cell, text):
    assert carry_out("text", [cell, cell], **given).cells == [text, text]


def test_what_is_no_text_stays():
    cells = [1, 1.5, None, True, ["A"], {"A": "B"}]
    given = {"strip": True, "lower": True, "collapse": True, "normalize": True}
    assert carry_out("text", [*cells, " A "], **given).cells == [*cells, "a"]


def test_it_is_told_in_words():
    step = {"rule": "text", "column": "c"}
    assert describe(step) == "Clean text in 'c': no changes"
    assert describe(step | {"collapse": True, "strip": True, "upper": True}) == (
        "Clean text in 'c': collapse spaces, trim spaces and convert to upper case"
    )


def test_both_cases_at_once_are_refused():
    assert "either 'lower' or 'upper'" in problem("text", column="c", lower=True, upper=True)
    assert "'strip' of 'text' must be true or false" in problem("text", column="c", strip=1)
