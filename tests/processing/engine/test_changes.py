"""Whether an outcome is another one than the record had before."""

import json
from typing import Any

import pytest

from processing.engine.changes import changed, changed_columns
from records.rows import FormerOutcome, Outcome

NOW = 1_795_000_000.25
CELLS = {"value": 1.5, "note": "é", "processed_timestamp": NOW}
REPAIR = {"rule": "number", "column": "value", "before": "n/a", "after": 0.0}


def outcome(**fields: Any) -> Outcome:
    made = Outcome("s:1", 1, True, json.dumps(CELLS), value=1.5, category="a", seconds=0.1)
    return made._replace(**fields)


def former(**fields: Any) -> FormerOutcome:
    cells = {**CELLS, "processed_timestamp": NOW - 1000}
    said = [True, None, 1.5, "a", False, None]
    return FormerOutcome("s:1", said, cells, [], [])._replace(**fields)


def test_the_moment_of_processing_is_no_difference():
    assert changed([outcome()], {"s:1": former()}, NOW) == []


def test_the_first_outcome_of_a_record_is_a_change():
    assert changed([outcome()], {}, NOW) == [outcome()]


@pytest.mark.parametrize(
    "fields",
    [
        {"success": False, "processed": None, "error_message": "It failed."},
        {"processed": json.dumps({**CELLS, "note": "e"})},
        {"processed": json.dumps({**CELLS, "more": None})},
        {"processed": json.dumps({"value": 1.5, "note": "é"})},
        {"value": 1.25},
        {"category": None},
        {"repaired": True},
        {"anomaly": "It is far from the others."},
        {"repairs": [REPAIR]},
        {"errors": [{"rule": "required", "column": "value", "value": "", "message": "is missing"}]},
    ],
)
def test_every_part_of_an_outcome_counts(fields):
    another = outcome(**fields)
    assert changed([another], {"s:1": former()}, NOW) == [another]


def test_repairs_are_compared_as_a_database_gives_them_back():
    repairs = [{**REPAIR, "after": float("nan")}]
    assert changed([outcome(repairs=repairs)], {"s:1": former(repairs=repairs)}, NOW) != []
    as_kept = [{**REPAIR, "after": None}]
    assert changed([outcome(repairs=repairs)], {"s:1": former(repairs=as_kept)}, NOW) == []


def test_true_is_no_one():
    assert changed_columns({"a": True, "b": 1, "c": 0}, {"a": 1, "b": 1.0, "c": False}, NOW) == [
        "a",
        "c",
    ]


def test_columns_are_compared_by_name_in_whatever_order():
    assert changed_columns({"a": 1, "b": 2}, {"b": 2, "a": 1}, NOW) == []
    assert changed_columns({"a": 1}, {"b": 1}, NOW) == ["a", "b"]


def test_the_moment_is_no_difference_though_other_rows_hold_it_elsewhere():
    rows = [{"at": NOW, "n": 1}, {"n": NOW, "at": 5}, {"at": NOW, "n": 2}]
    outcomes = [
        outcome(record_id=f"s:{place}", processed=json.dumps(cells))
        for place, cells in enumerate(rows)
    ]
    formers = {
        made.record_id: former(processed={**cells, "at": NOW - 9, "n": 1})
        for made, cells in zip(outcomes, rows, strict=True)
    }
    assert changed(outcomes, formers, NOW) == outcomes[1:]


def test_a_text_where_the_moment_was_is_a_difference():
    cells = {**CELLS, "processed_timestamp": "now"}
    assert changed([outcome()], {"s:1": former(processed=cells)}, NOW) == [outcome()]


def test_large_numbers_in_errors_and_lists_are_those_that_a_database_writes_out():
    errors = [{"rule": "unique", "column": "a", "value": ["bad", 1e300], "message": "is twice"}]
    kept = [{**errors[0], "value": ["bad", 10**300]}]
    assert changed([outcome(errors=errors)], {"s:1": former(errors=kept)}, NOW) == []
    other = [{**errors[0], "value": ["bad", 10**299]}]
    assert changed([outcome(errors=errors)], {"s:1": former(errors=other)}, NOW) != []
    assert changed_columns({"a": [10**23, True]}, {"a": [1e23, True]}, NOW) == []
    assert changed_columns({"a": [{"b": 1}]}, {"a": [{"b": True}]}, NOW) == ["a"]
