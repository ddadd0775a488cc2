"""What holds for every kind of rules."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from processing.engine import pipeline
from processing.engine.known_facts import Gatherer, KnownFacts
from processing.errors import InvalidRules
from processing.rules import KINDS, Step, describe
from processing.rules.check import check_rules, step_problem
from records.rows import RawRecord

# Steps of every kind, with everything that may become of a cell that does not pass.
STEPS: list[Step] = [
    {"rule": "required", "columns": ["a", "b"]},
    {"rule": "number", "column": "a"},
    {"rule": "number", "column": "a", "on_failure": "empty", "decimal": ",", "thousands": "."},
    {"rule": "number", "column": "b", "on_failure": "fail", "percent": True, "currency": ["€"]},
    {"rule": "date", "column": "a", "formats": ["%d.%m.%Y", "iso", "unix"]},
    {"rule": "date", "column": "b", "formats": ["iso"], "becomes": "date", "on_failure": "empty"},
    {"rule": "text", "column": "a", "strip": True, "lower": True},
    {"rule": "text", "column": "b", "collapse": True, "upper": True, "normalize": True},
    {"rule": "replace", "column": "a", "table": {"": 5, "1": None, "x": "y"}},
    {
        "rule": "replace",
        "column": "b",
        "table": {"X": 1},
        "ignore_case": True,
        "on_failure": "fail",
    },
    {"rule": "replace", "column": "b", "table": {"é": True}, "on_failure": "empty"},
    {"rule": "allowed", "column": "a", "values": ["1", "x"], "on_failure": "default"},
    {"rule": "allowed", "column": "b", "values": ["X"], "ignore_case": True},
    {"rule": "allowed", "column": "b", "values": ["X"], "on_failure": "empty"},
    {"rule": "range", "column": "a", "least": 0, "greatest": 5.5},
    {"rule": "range", "column": "a", "least": -1, "on_failure": "nearest"},
    {"rule": "range", "column": "b", "greatest": 0, "on_failure": "empty"},
    {"rule": "pattern", "column": "a", "pattern": "(a+)+|\\d", "whole": False},
    {"rule": "pattern", "column": "b", "pattern": "[^x]*", "on_failure": "empty"},
    {"rule": "length", "column": "a", "least": 1, "greatest": 2},
    {"rule": "length", "column": "a", "greatest": 1, "on_failure": "cut"},
    {"rule": "length", "column": "b", "least": 2, "on_failure": "empty"},
    {"rule": "unique", "columns": ["a"]},
    {"rule": "unique", "columns": ["a", "b"], "passes": "none"},
    {"rule": "rename", "column": "a", "to": "b"},
    {"rule": "rename", "column": "b", "to": "c"},
    {"rule": "drop", "columns": ["a"]},
    {"rule": "keep", "columns": ["a", "b"]},
    {"rule": "combine", "columns": ["a", "b"], "into": "a"},
    {"rule": "combine", "columns": ["b", "c"], "into": "c", "skip_missing": False},
    {"rule": "net", "columns": ["a"], "subtract": ["b"], "into": "a"},
    {"rule": "net", "columns": ["a", "c"], "into": "b"},
    {"rule": "anomaly", "column": "a", "by": "b", "at_least": 2, "threshold": 0.5},
    {"rule": "anomaly", "column": "b", "at_least": 1, "threshold": 1},
    {"rule": "lookup", "column": "a", "source": "s", "key": "k", "take": ["b", "d"]},
    {"rule": "stamp", "column": "b"},
    {"rule": "stamp", "column": "t", "off": True, "note": "Not yet."},
]

MAPPING = {"value": ["a"], "category": ["b"]}

cell = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=10**30, max_value=10**40),
    st.floats(),
    st.text(max_size=6),
    st.sampled_from(
        ["1", " 2 ", "-1,5", "1.000", "1e400", "NaN", "inf", "", " ", "x", "X", "é", "e\u0301",
         "31.12.2025", "2025-02-30", "2025-02-28T10:00:00", "\uff11", "5 €", "3%", "0", "\0",
         "a" * 50 + "!", "9" * 500]
    ),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.sampled_from("ab"), st.one_of(st.none(), st.text(max_size=2)), max_size=2),
)  # fmt: skip
row = st.dictionaries(st.sampled_from(["a", "b", "c", "other"]), cell)


@settings(max_examples=200)
@given(st.lists(row, max_size=8), st.lists(st.sampled_from(STEPS), max_size=4))
def test_many_at_once_come_out_as_one_by_one(rows, rules):
    records = [RawRecord(f"s:{n}", n, row) for n, row in enumerate(rows)]
    before = repr(records)
    whole, single = Gatherer(rules), Gatherer(rules)
    whole.add([record.id for record in records], rows)
    single.add([], [])
    for record in records:
        single.add([record.id], [record.data])
    known, same = whole.facts().as_json(), single.facts().as_json()
    assert json.dumps(known) == json.dumps(same)
    facts = KnownFacts.from_json(known)
    together = pipeline.run(records, rules, MAPPING, 5.0, facts)
    alone = [pipeline.run([one], rules, MAPPING, 5.0, facts)[0] for one in records]
    assert repr(records) == before
    for a, b in zip(together, alone, strict=True):
        # NaN is not itself, but is written alike.
        assert repr(a._replace(seconds=0.0)) == repr(b._replace(seconds=0.0))
        assert a.success is not bool(a.errors)
        assert a.value is None or math.isfinite(a.value)
        if a.processed is None:
            assert a.error_message is not None
            assert a.error_message.startswith("Data validation failed: ")
            assert not a.repairs
        else:
            assert isinstance(json.loads(a.processed), dict)


@settings(max_examples=40)
@given(row)
@example(dict.fromkeys("ab", 10**400))  # beyond any float
def test_each_step_of_each_kind_takes_anything(row):
    record = RawRecord("s:1", 1, row)
    for step in STEPS:
        (outcome,) = pipeline.run([record], [step], MAPPING, 5.0)
        for error in outcome.errors:
            assert (error["rule"], set(error)) == (
                step["rule"], {"rule", "column", "value", "message"}
            )  # fmt: skip
        for repair in outcome.repairs:
            assert set(repair) == {"rule", "column", "before", "after"}


def test_the_steps_above_are_of_all_kinds_and_right():
    assert {step["rule"] for step in STEPS} == set(KINDS)
    assert check_rules(STEPS) == STEPS
    assert all(describe(step) for step in STEPS)


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_each_kind_says_what_it_is(kind):
    assert kind.summary.endswith(".")
    assert "\n" not in kind.summary
    for parameter in kind.parameters:
        schema = parameter.schema()
        json.dumps(schema)
        assert schema["title"]
        if not parameter.is_required:
            assert parameter.problem(parameter.default) is None
            assert schema["default"] == parameter.default
        assert parameter.problem(object())


def test_each_kind_has_tests_of_its_own():
    folder = Path(__file__).parent
    together = {"rename", "drop", "keep", "combine"}  # test_columns.py
    tested = {path.stem.removeprefix("test_") for path in folder.glob("test_*.py")} | together
    assert set(KINDS) <= tested


def test_steps_that_are_switched_off_are_checked_but_not_carried_out():
    step = {"rule": "number", "column": "a", "off": True}
    assert pipeline.apply([{"a": "x"}], [step], 0.0).repairs == {}
    assert describe(step).startswith("Off: Convert 'a' to a number")
    assert step_problem(step | {"column": ""}) is not None
    assert step_problem(step | {"off": "yes"}) == ": 'off' of 'number' must be true or false."
    assert step_problem(step | {"note": 5}) is not None


def test_the_message_names_what_failed_and_why():
    rules: list[Step] = [
        {"rule": "required", "columns": ["a", "b", "c"]},
        {"rule": "range", "column": "d", "least": 0},
        {"rule": "range", "column": "e", "least": 0},
    ]
    record = RawRecord("s:1", 1, {"a": "x", "d": -1, "e": "x"})
    (outcome,) = pipeline.run([record], rules, {}, 0.0)
    assert outcome.error_message == (
        "Data validation failed: 'b' and 'c' are missing, 'd' is below 0 and 'e' is not a number."
    )


def test_a_cell_fails_once():
    rules: list[Step] = [
        {"rule": "number", "column": "a", "on_failure": "fail"},
        {"rule": "range", "column": "a", "least": 0},
    ]
    batch = pipeline.apply([{"a": "x"}], rules, 0.0)
    assert [error["rule"] for error in batch.errors[0]] == ["number"]


def test_nothing_comes_of_nothing():
    assert pipeline.run([], STEPS, MAPPING, 0.0) == []


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ({}, "Rules must be a list."),
        ([[]], "Rule 1: 'rule' must be one of required, number,"),
        ([{"rule": {}}], "Rule 1: 'rule' must be"),
        (
            [{"rule": "stamp", "column": "a"}, {"rule": "drop"}],
            "Rule 2: 'columns' of 'drop' must be",
        ),
        ([{"rule": "stamp", "column": "a"}] * 101, "at most 100 rules"),
        (
            [{"rule": "stamp", "column": "a", "x": 1}],
            "'stamp' has no parameter 'x', only column, off, note.",
        ),
    ],
)
def test_rules_that_can_not_be_carried_out_are_refused(rules, sentence):
    with pytest.raises(InvalidRules) as caught:
        check_rules(rules)
    assert sentence in str(caught.value)
