"""What rules make of a few rows, cell by cell."""

from processing.engine.trial import try_out
from processing.rules import Step
from records.cell_changes import Change

RULES: list[Step] = [
    {"rule": "number", "column": "value"},
    {"rule": "rename", "column": "old", "to": "new"},
    {"rule": "required", "columns": ["id"]},
]


def test_only_what_says_something_else_is_told():
    (tried,) = try_out([("s:1", {"id": "1", "value": "100.5", "old": "x"})], RULES, 0.0)
    assert (tried.record_id, tried.message, tried.anomaly) == ("s:1", None, None)
    assert tried.changes == [
        Change("old", "x", None, was_there=True, is_there=False, is_repair=False),
        Change("new", None, "x", was_there=False, is_there=True, is_repair=False),
    ]


def test_repairs_are_marked():
    (tried,) = try_out([("s:1", {"id": "1", "value": "bad"})], RULES[:1], 0.0)
    assert tried.changes == [
        Change("value", "bad", 0.0, was_there=True, is_there=True, is_repair=True)
    ]


def test_a_row_that_fails_tells_why_and_nothing_else():
    (tried,) = try_out([("s:1", {"value": "bad"})], RULES, 0.0)
    assert tried.message == "Data validation failed: 'id' is missing."
    assert tried.changes == []


def test_null_is_not_what_is_absent():
    (tried,) = try_out([("s:1", {"a": None})], [{"rule": "drop", "columns": ["a"]}], 0.0)
    assert [change.column for change in tried.changes] == ["a"]
    assert try_out([("s:1", {"a": None})], [], 0.0)[0].changes == []
