"""Cells that must be there."""

import pytest

from processing.engine import pipeline
from processing.rules import ABSENT
from tests.processing.rules.carried_out import problem


def failing(rows, *columns):
    batch = pipeline.apply(rows, [{"rule": "required", "columns": list(columns)}], 0.0)
    return {place: [error["column"] for error in errors] for place, errors in batch.errors.items()}


def test_absent_null_empty_and_blank_are_missing():
    rows = [{"a": "x"}, {}, {"a": None}, {"a": ""}, {"a": " \t"}, {"a": "0"}]
    assert failing(rows, "a") == {1: ["a"], 2: ["a"], 3: ["a"], 4: ["a"]}


def test_what_is_no_text_says_something():
    assert failing([{"a": 0}, {"a": False}, {"a": []}, {"a": {}}, {"a": 0.0}], "a") == {}


def test_each_column_is_named():
    assert failing([{"a": "1", "b": "2"}, {"b": " "}], "a", "b") == {1: ["a", "b"]}


def test_the_value_that_was_found_is_kept():
    step = {"rule": "required", "columns": ["a"]}
    batch = pipeline.apply([{"a": " "}, {}], [step], 0.0)
    assert [errors[0]["value"] for errors in batch.errors.values()] == [" ", None]


@pytest.mark.parametrize("columns", [[], "a", ["a", 1], [""], ["a", "a"], ["a\0"], ["\ud800"]])
def test_columns_are_names(columns):
    assert "'columns' of 'required' must be a list of different column names" in problem(
        "required", columns=columns
    )


def test_absent_shows_what_it_is():
    assert repr(ABSENT) == "ABSENT"
