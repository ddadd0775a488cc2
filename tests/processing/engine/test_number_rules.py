"""Suggested rules read numbers as the rows write them, and make one value of debit and credit."""

from processing.engine import pipeline
from processing.engine.number_rules import still_repaired, with_numbers
from processing.engine.proposals import look_at, propose
from records.complements import complements

ACCOUNT = [
    {"id": "1", "Soll": "-12,50", "Haben": ""},
    {"id": "2", "Soll": "", "Haben": "2.500,00"},
    {"id": "3", "Soll": "-1.199,00", "Haben": ""},
]
MAPPING = {"id": ["id"], "value": ["Haben"]}


def suggested(rows, mapping):
    return with_numbers(propose(look_at(rows), mapping), rows, mapping)


def test_debit_and_credit_become_one_signed_value():
    rules = suggested(ACCOUNT, MAPPING)
    net = next(step for step in rules if step["rule"] == "net")
    assert net == {"rule": "net", "columns": ["Haben", "Soll"], "into": "Haben"}
    made = pipeline.cleaned_rows(pipeline.apply(ACCOUNT, rules, 0.0))
    assert [row["Haben"] for row in made] == [-12.5, 2500.0, -1199.0]
    assert still_repaired(rules, ACCOUNT) == []


def test_debit_that_is_not_negative_is_subtracted():
    rows = [{"Debit": "5", "Credit": ""}, {"Debit": "", "Credit": "7.5"}]
    net = next(step for step in suggested(rows, {"value": ["Credit"]}) if step["rule"] == "net")
    assert (net["columns"], net["subtract"]) == (["Credit"], ["Debit"])


def test_columns_complement_each_other_only_if_exactly_one_is_filled():
    assert complements({"a": ["1", ""], "b": [" ", "2"]}) == ("a", "b")
    assert complements({"a": ["1", "1"], "b": ["", "2"]}) is None
    assert complements({"a": ["1", "1"], "b": ["", ""]}) is None


def test_what_would_still_be_repaired_is_listed():
    rows = [{"v": "1.5"}, {"v": "bad"}, {"v": "worse"}]
    rules = [{"rule": "number", "column": "v"}]
    assert still_repaired(rules, rows) == [("v", 2, "bad")]
