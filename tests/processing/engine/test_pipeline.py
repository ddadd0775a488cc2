"""The default rules, record by record and many at once."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.engine import pipeline
from processing.engine.single import RULES, transform_data, validate_data
from processing.rules import describe, read_number
from processing.rules.defaults import default_rules
from records.rows import RawRecord

MAPPING = {"id": ["id"], "value": ["value"], "category": ["category"]}


def test_the_example_of_the_specification():
    data = {"id": "123", "value": "100.5", "category": "  A  "}
    assert validate_data(data)
    cleaned = transform_data(data)
    assert cleaned.pop("processed_timestamp") > 1_700_000_000
    assert cleaned == {"id": "123", "value": 100.5, "category": "a"}
    assert data == {"id": "123", "value": "100.5", "category": "  A  "}
    assert not validate_data({"id": "123"})


@pytest.mark.parametrize("cell", ["", "  ", None])
def test_a_cell_that_says_nothing_is_missing(cell):
    assert not validate_data({"id": "1", "value": cell})


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("100.5", 100.5),
        (" -3 ", -3.0),
        ("+.5e3", 500.0),
        ("5.", 5.0),
        (7, 7.0),
        (0.1, 0.1),
        ("0.1", 0.1),
        ("1_000", None),
        ("1,5", None),
        ("nan", None),
        ("inf", None),
        ("Infinity", None),
        ("1e400", None),
        ("0x10", None),
        ("\uff11\uff12", None),
        ("--1", None),
        (True, None),
        (10**400, None),
        (math.nan, None),
        (math.inf, None),
        ([], None),
        ({}, None),
    ],
)
def test_only_finite_numbers_are_numbers(cell, number):
    assert read_number(cell) == number


def test_the_message_names_all_that_is_missing():
    (outcome,) = pipeline.run([RawRecord("s:1", 1, {"id": ""})], RULES, MAPPING, 0.0)
    assert outcome.error_message == "Data validation failed: 'id' and 'value' are missing."
    assert outcome.processed is None


def test_rules_follow_the_roles_of_the_mapping():
    assert default_rules({}) == [{"rule": "stamp", "column": "processed_timestamp"}]
    rules = default_rules({"id": ["No"], "value": ["Total"], "category": ["Line"]})
    assert [describe(step) for step in rules] == [
        "Require 'No' and 'Total'",
        "Convert 'Total' to a number; unreadable values become 0.0 (recorded as repairs)",
        "Clean text in 'Line': trim spaces and convert to lower case",
        "Add 'processed_timestamp': the time of processing, in Unix seconds",
    ]


cell = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["1.5", " 2 ", "1e999", "NaN", "", " "]),
    st.lists(st.integers(), max_size=2),
)
record = st.dictionaries(st.sampled_from(["id", "value", "category", "other"]), cell)


@given(st.lists(record, max_size=8))
def test_many_at_once_come_out_as_one_by_one(rows):
    records = [RawRecord(f"s:{n}", n, row) for n, row in enumerate(rows)]
    together = pipeline.run(records, RULES, MAPPING, 5.0)
    alone = [pipeline.run([one], RULES, MAPPING, 5.0)[0] for one in records]
    for a, b in zip(together, alone, strict=True):
        assert a._replace(seconds=0.0) == b._replace(seconds=0.0)
        assert a.success == validate_data(records[a.version].data)
        if a.processed is not None:
            processed = json.loads(a.processed)
            assert isinstance(processed["value"], float)
            assert math.isfinite(processed["value"])
