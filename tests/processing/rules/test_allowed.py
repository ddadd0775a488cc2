"""Cells that are one of a few values."""

from processing.rules import ABSENT, describe
from tests.processing.rules.carried_out import carry_out, problem

MESSAGE = "is not one of the allowed values"


def test_others_fail_the_record():
    seen = carry_out("allowed", ["a", "A", " a", "b", 1, None, "", ABSENT], values=["a", "b", "1"])
    assert seen.messages == {1: MESSAGE, 2: MESSAGE}


def test_others_can_be_emptied_or_replaced():
    assert carry_out("allowed", ["x", "a"], values=["a"], on_failure="empty").cells == [None, "a"]
    seen = carry_out("allowed", ["x", "a"], values=["a"], on_failure="default", default="other")
    assert (seen.cells, seen.repairs) == (["other", "a"], {0: ("x", "other")})


def test_case_can_be_left_aside():
    assert not carry_out("allowed", ["ÄB"], values=["äb"], ignore_case=True).messages


def test_long_lists_are_told_in_short():
    step = {"rule": "allowed", "column": "c", "values": list("abcdefgh")}
    assert describe(step) == (
        "Allow only 'a', 'b', 'c', 'd', 'e' or 3 more in 'c'; other values fail the record"
    )


def test_values_are_texts():
    assert "a list of texts" in problem("allowed", column="c", values=[1])
    assert "a list of texts" in problem("allowed", column="c", values=[])
