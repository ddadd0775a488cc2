"""Cells replaced by what a table says."""

import pytest

from processing.rules import ABSENT
from tests.processing.rules.carried_out import carry_out, problem

TABLE = {"NY": "New York", "1": 1, "": None}


def test_what_stands_in_the_table_is_replaced():
    cells = ["NY", 1, "", "LA", None, ABSENT, True, [1]]
    seen = carry_out("replace", cells, table=TABLE)
    assert seen == (["New York", 1, None, "LA", None, ABSENT, True, [1]], {}, {})


def test_case_can_be_left_aside():
    table = {"NY": "a", "straße": "b"}
    cells = ["ny", "STRASSE"]
    assert carry_out("replace", cells, table=table, ignore_case=True).cells == ["a", "b"]
    assert carry_out("replace", cells, table=table).cells == cells


def test_others_can_be_emptied_or_fail_the_record():
    seen = carry_out("replace", ["NY", "LA", " "], table=TABLE, on_failure="empty")
    assert (seen.cells, seen.repairs) == (["New York", None, " "], {1: ("LA", None)})
    seen = carry_out("replace", ["NY", "LA", " "], table=TABLE, on_failure="fail")
    assert seen.messages == {1: "is not in the replacement table"}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"table": {}}, "an object that maps text"),
        ({"table": []}, "an object that maps text"),
        ({"table": {"a": []}}, "an object that maps text"),
        ({"table": {"a": float("inf")}}, "an object that maps text"),
        ({"table": {"a\0": "b"}}, "an object that maps text"),
        ({"table": {"a": 1, "A": 2}, "ignore_case": True}, "differ only in case"),
    ],
)
def test_mistakes_are_told(given, sentence):
    assert sentence in problem("replace", column="c", **given)
