"""Columns are added and subtracted into one signed number."""

from typing import Any

from processing.engine import pipeline
from processing.rules import describe
from tests.processing.rules.carried_out import problem

STEP = {"rule": "net", "columns": ["credit"], "subtract": ["debit"], "into": "amount"}


def made(step: dict[str, Any], *rows: dict[str, Any]) -> list[Any]:
    batch = pipeline.apply(rows, [step], 0.0)
    return [row["amount"] for row in pipeline.cleaned_rows(batch)]


def test_what_is_filled_is_added_or_subtracted():
    rows: list[dict[str, Any]] = [
        {"credit": 5.0, "debit": None},
        {"credit": "", "debit": "2.5"},
        {"credit": 1, "debit": 3},
    ]
    assert made(STEP, *rows) == [5.0, -2.5, -2.0]


def test_debit_that_is_negative_is_added():
    step = {"rule": "net", "columns": ["credit", "debit"], "into": "amount"}
    assert made(step, {"credit": "", "debit": -2.5}) == [-2.5]


def test_a_row_without_either_has_no_sum():
    assert made(STEP, {"credit": " "}, {}) == [None, None]


def test_a_cell_that_is_no_number_fails_the_record():
    batch = pipeline.apply([{"credit": "x", "debit": "1"}], [STEP], 0.0)
    assert batch.errors[0][0]["message"] == "is not a number"
    assert batch.errors[0][0]["column"] == "credit"


def test_it_is_described_and_mistakes_are_told():
    assert describe(STEP) == "Add 'credit' and subtract 'debit' into 'amount'"
    assert "'a' can't be added and subtracted" in problem(
        "net", columns=["a"], subtract=["a"], into="b"
    )
