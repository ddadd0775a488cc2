"""Columns taken from the record of another source that has the same key."""

from typing import Any

import pytest

from processing.engine import pipeline
from processing.engine.known_facts import Gatherer, KnownFacts
from processing.rules import describe, references_in
from processing.rules.lookup import table_of
from tests.processing.rules.carried_out import problem

STEP = {
    "rule": "lookup", "column": "customer", "source": "customers", "key": "no",
    "take": ["name", "region"],
}  # fmt: skip
CUSTOMERS: list[dict[str, Any]] = [
    {"no": "1", "name": "Ada", "region": "North"},
    {"no": " 2 ", "name": "Bob", "region": None},
    {"no": "3", "name": "Cy"},
    {"no": "3", "name": "Di"},
    {"no": "", "name": "Nobody"},
    {"name": "Nobody either"},
]


def facts(customers=CUSTOMERS, step=STEP):
    """What is known of the other source, as another worker reads it."""
    tables = {each: table_of(customers, each) for each in references_in([step])}
    return KnownFacts.from_json(Gatherer([step], tables).facts().as_json())


def looked_up(*rows, customers=CUSTOMERS, **given):
    """The cleaned rows, and why rows fail, by place."""
    step = STEP | given
    batch = pipeline.apply(rows, [step], 0.0, facts=facts(customers, step))
    messages = {place: found[0]["message"] for place, found in batch.errors.items()}
    return pipeline.cleaned_rows(batch), messages


def test_a_record_gets_the_cells_of_the_one_that_has_its_key():
    rows, messages = looked_up({"customer": "1"}, {"customer": "2"}, {"customer": 1})
    assert rows == [
        {"customer": "1", "name": "Ada", "region": "North"},
        {"customer": "2", "name": "Bob", "region": None},
        {"customer": 1, "name": "Ada", "region": "North"},
    ]
    assert messages == {}


def test_a_record_without_a_key_gets_empty_cells():
    rows, messages = looked_up({"customer": " "}, {"other": "x"})
    assert [(row["name"], row["region"]) for row in rows] == [(None, None)] * 2
    assert messages == {}


@pytest.mark.parametrize(("on_failure", "fails"), [("fail", True), ("empty", False)])
def test_a_key_that_matches_nothing(on_failure, fails):
    rows, messages = looked_up({"customer": "9"}, on_failure=on_failure)
    assert rows[0]["name"] is None
    assert messages == ({0: "matches no record of 'customers'"} if fails else {})


def test_a_key_that_several_records_have_is_never_guessed():
    for on_failure in ("fail", "empty"):
        _, messages = looked_up({"customer": "3"}, on_failure=on_failure)
        assert messages == {0: "matches 2 records of 'customers'"}


def test_cells_of_the_record_are_not_overwritten():
    row = {"customer": "1", "name": "Ann"}
    rows, messages = looked_up(row)
    assert rows[0]["name"] == "Ann"
    assert messages == {0: "has a cell already; set another prefix"}
    rows, messages = looked_up(row, prefix="customer_")
    assert rows[0] == row | {"customer_name": "Ada", "customer_region": "North"}
    assert messages == {}


def test_a_column_that_the_other_source_lacks_is_named():
    _, messages = looked_up({"customer": "1"}, {"customer": ""}, take=["nme"])
    assert messages == {0: "can't be looked up: 'customers' has no column 'nme'"}


def test_an_empty_source_has_no_record_of_any_key():
    _, messages = looked_up({"customer": "1"}, customers=[])
    assert messages == {0: "matches no record of 'customers'"}


def test_steps_behind_a_lookup_find_its_cells():
    unique = {"rule": "unique", "columns": ["name"]}
    rows = [{"customer": "1"}, {"customer": "2"}, {"customer": "1"}]
    tables = {each: table_of(CUSTOMERS, each) for each in references_in([STEP])}
    gatherer = Gatherer([STEP, unique], tables)
    gatherer.add(["s:1", "s:2", "s:3"], rows)
    assert gatherer.facts().is_repeated(["name"], ["Ada"], "s:3", first=True)


def test_nothing_is_done_where_nothing_is_known():
    row = {"customer": "1"}
    assert pipeline.cleaned_rows(pipeline.apply([row], [STEP], 0.0)) == [row]


def test_words_and_mistakes():
    assert describe(STEP) == (
        "Take 'name' and 'region' from the record of 'customers' whose 'no' is 'customer'"
    )
    assert "'source'" in problem("lookup", column="c", key="k", take=["a"])
    assert "'take'" in problem("lookup", column="c", source="s", key="k", take=[])
    assert "on_failure" in problem(
        "lookup", column="c", source="s", key="k", take=["a"], on_failure="nearest"
    )
