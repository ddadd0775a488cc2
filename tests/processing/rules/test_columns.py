"""Columns renamed, taken out, kept and combined."""

import json
from typing import Any

import pytest

from processing.engine import pipeline
from processing.rules import describe
from records.rows import RawRecord
from tests.processing.rules.carried_out import problem


def cleaned(rules, *rows):
    return pipeline.cleaned_rows(pipeline.apply(rows, rules, 5.0))


def rename(column, to):
    return {"rule": "rename", "column": column, "to": to}


def test_a_column_gets_another_name():
    assert cleaned([rename("a", "b")], {"a": 1, "c": 2}, {"c": 3}) == [{"b": 1, "c": 2}, {"c": 3}]


def test_renaming_overwrites_nothing():
    rows: list[dict[str, Any]] = [
        {"a": 1, "b": 2},
        {"a": "", "b": 2},
        {"a": 1, "b": ""},
        {"b": 2},
        {"a": " "},
    ]
    batch = pipeline.apply(rows, [rename("a", "b")], 0.0)
    assert [(place, error["column"]) for place, (error,) in batch.errors.items()] == [(0, "a")]
    assert pipeline.cleaned_rows(batch)[1:] == [{"b": 2}, {"b": 1}, {"b": 2}, {"b": " "}]
    assert "'a' can't be renamed: 'b' already has a value" in pipeline.failure_message(
        batch.errors[0]
    )


def test_names_can_be_swapped():
    swap = [rename("a", "x"), rename("b", "a"), rename("x", "b")]
    assert cleaned(swap, {"a": 1, "b": 2}) == [{"a": 2, "b": 1}]


def test_value_and_category_follow_their_columns():
    rules = [
        {"rule": "number", "column": "v"},
        rename("v", "w"),
        rename("w", "x"),
        rename("k", "l"),
    ]
    mapping = {"value": ["v"], "category": ["k"]}
    good, bad = pipeline.run(
        [RawRecord("s:1", 1, {"v": "2", "k": "a"}), RawRecord("s:2", 1, {"v": "bad"})],
        rules,
        mapping,
        0.0,
    )
    assert (good.value, good.category, good.repaired) == (2.0, "a", False)
    assert (bad.value, bad.category, bad.repaired) == (0.0, None, True)


def test_columns_are_taken_out_and_kept():
    row = {"a": 1, "b": 2, "c": 3}
    drop, keep = {"rule": "drop", "columns": ["a", "x"]}, {"rule": "keep", "columns": ["a", "b"]}
    assert cleaned([drop], row) == [{"b": 2, "c": 3}]
    assert cleaned([keep], row) == [{"a": 1, "b": 2}]
    assert cleaned([drop, keep], row) == cleaned([keep, drop], row) == [{"b": 2}]
    assert cleaned([keep, {"rule": "keep", "columns": ["b", "c"]}], row) == [{"b": 2}]


def test_a_column_that_was_taken_out_can_be_made_anew():
    drop, stamp = {"rule": "drop", "columns": ["a"]}, {"rule": "stamp", "column": "a"}
    assert cleaned([drop, stamp], {"a": 1}) == [{"a": 5.0}]
    assert cleaned([stamp, drop], {"a": 1}) == [{}]
    assert cleaned([drop, stamp, drop], {"a": 1}) == [{}]
    keep = {"rule": "keep", "columns": ["b"]}
    assert cleaned([keep, stamp], {"a": 1, "b": 2}) == [{"a": 5.0, "b": 2}]


def test_what_was_taken_out_is_missing_for_later_steps():
    required = {"rule": "required", "columns": ["a"]}
    for first in ({"rule": "drop", "columns": ["a"]}, {"rule": "keep", "columns": ["b"]}):
        assert pipeline.apply([{"a": 1}], [required, first], 0.0).errors == {}
        assert pipeline.apply([{"a": 1}], [first, required], 0.0).errors[0][0]["column"] == "a"


@pytest.mark.parametrize(
    ("given", "row", "made"),
    [
        ({}, {"a": "x", "b": "y"}, "x y"),
        ({"separator": "-"}, {"a": "x", "b": 1.5}, "x-1.5"),
        ({}, {"a": "x", "b": " "}, "x"),
        ({}, {"b": None}, None),
        ({"skip_missing": False}, {"a": "x"}, None),
        ({"separator": ""}, {"a": [1], "b": True}, "[1]true"),
    ],
)
def test_columns_are_combined(given, row, made):
    step = {"rule": "combine", "columns": ["a", "b"], "into": "c", **given}
    assert cleaned([step], row) == [{**row, "c": made}]


def test_a_column_can_be_combined_into_itself():
    step = {"rule": "combine", "columns": ["a", "b"], "into": "a"}
    assert json.dumps(cleaned([step], {"a": "x", "b": "y"})) == '[{"a": "x y", "b": "y"}]'


def test_they_are_told_in_words():
    assert describe(rename("a", "b")) == "Rename 'a' to 'b'"
    assert describe({"rule": "drop", "columns": ["a", "b"]}) == "Drop 'a' and 'b'"


def test_mistakes_are_told():
    assert "'to' of 'rename' must differ from 'column'" in problem("rename", column="a", to="a")
    assert "'to' of 'rename' must be a column name" in problem("rename", column="a", to="")
    assert "'columns' of 'drop'" in problem("drop", columns=[])
    assert "'into' of 'combine'" in problem("combine", columns=["a"])
