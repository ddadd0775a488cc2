"""Values that lie far from what is usual."""

import math

import pytest

from processing.engine import pipeline
from processing.engine.known_facts import MOST_CATEGORIES, Gatherer, KnownFacts, middles_of
from records.rows import RawRecord
from tests.processing.rules.carried_out import problem

STEP = {"rule": "anomaly", "column": "v", "by": "k", "at_least": 5}
NUMBER = {"rule": "number", "column": "v"}


def facts_of(rows, rules):
    gatherer = Gatherer(rules)
    gatherer.add([f"s:{n:06d}" for n in range(len(rows))], rows)
    return KnownFacts.from_json(gatherer.facts().as_json())


def flagged(rows, rules):
    return pipeline.apply(rows, rules, 0.0, facts=facts_of(rows, rules)).anomalies


def rows_of(category, *values):
    return [{"v": value, "k": category} for value in values]


USUAL = rows_of("a", "10", "11", "9", "10.5", "9.5", "10", "12", "8")


def test_the_reason_is_told_in_words():
    (found,) = flagged([*USUAL, *rows_of("a", "99")], [STEP]).values()
    assert found == [
        "'v' is 99, more than 5 times the typical deviation (1.483) from the median (10) "
        "where 'k' is 'a'."
    ]


def test_each_category_is_judged_for_itself():
    rows = [*USUAL, *rows_of("b", "99", "98", "100", "101", "97", "99")]
    assert flagged(rows, [STEP]) == {}
    assert flagged([*rows, *rows_of("b", "10")], [STEP]).keys() == {len(rows)}
    assert flagged([*rows, {"v": "9999"}, {"v": "1"}], [STEP]) == {}


def test_without_a_category_all_are_judged_together():
    rows = [*USUAL, *rows_of("b", "10", "99")]
    (found,) = flagged(rows, [STEP | {"by": None}]).values()
    assert "from the median (10) of its source" in found[0]


def test_the_threshold_can_be_changed():
    rows = [*USUAL, *rows_of("a", "16")]
    assert flagged(rows, [STEP]) == {}
    assert list(flagged(rows, [STEP | {"threshold": 3}])) == [len(USUAL)]


def test_few_values_are_not_judged():
    rows = rows_of("a", "1", "1.1", "0.9", "99")
    assert flagged(rows, [STEP]) == {}
    assert flagged(rows, [STEP | {"at_least": 3}]).keys() == {3}


def test_values_are_measured_as_they_are_at_the_step():
    rows = rows_of("a", *["1,0", "1,1", "0,9", "1,0", "1,2", "50,0"])
    assert flagged(rows, [STEP]) == {}
    comma = NUMBER | {"decimal": ","}
    assert flagged(rows, [comma, STEP]).keys() == {5}
    shouted = [row | {"k": row["k"].upper() if n % 2 else "a"} for n, row in enumerate(rows)]
    lower = {"rule": "text", "column": "k", "lower": True}
    assert flagged(shouted, [comma, STEP]) == {}
    assert flagged(shouted, [comma, lower, STEP]).keys() == {5}


def test_repaired_values_are_neither_measured_nor_judged():
    rows = [*USUAL, *rows_of("a", "bad", "worse")]
    assert flagged(rows, [NUMBER, STEP]) == {}
    assert facts_of(rows, [NUMBER, STEP]).middle("v", "k", "a").size == len(USUAL)


def test_values_that_are_mostly_the_same_are_measured_by_their_mean_deviation():
    assert middles_of([0] * 10, [5.0] * 9 + [15.0])[0].spread == pytest.approx(1.2533)
    assert middles_of([0] * 9, [5.0] * 9)[0].spread == 0.0
    assert flagged(rows_of("a", *["5"] * 30, "6"), [STEP]).keys() == {30}
    assert flagged(rows_of("a", *["5"] * 30), [STEP]) == {}


def test_huge_values_are_no_error():
    (middle,) = middles_of([0] * 4, [-1.7e308, 1.7e308, 1.7e308, -1.7e308])
    assert math.isfinite(middle.median)
    assert math.isfinite(middle.spread)
    assert flagged(rows_of("a", *[1.7e308, -1.7e308] * 10), [STEP]) == {}


def test_a_column_with_too_many_categories_is_not_remembered_whole():
    rows = [{"v": "1", "k": str(n)} for n in range(MOST_CATEGORIES + 1)]
    facts = facts_of(rows, [STEP])
    assert facts.middle("v", "k", str(MOST_CATEGORIES - 1)) is not None
    assert facts.middle("v", "k", str(MOST_CATEGORIES)) is None


def test_the_outcome_carries_the_reason_and_is_a_success():
    rows = [*USUAL, *rows_of("a", "99")]
    records = [RawRecord(f"s:{n}", 1, row) for n, row in enumerate(rows)]
    outcomes = pipeline.run(records, [STEP], {}, 0.0, facts_of(rows, [STEP]))
    assert [outcome.anomaly is None for outcome in outcomes] == [True] * len(USUAL) + [False]
    assert all(outcome.success for outcome in outcomes)


def test_without_facts_nothing_is_far():
    assert pipeline.apply(rows_of("a", "1e300"), [STEP], 0.0).anomalies == {}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"threshold": 0}, "must be greater than 0"),
        ({"threshold": "5"}, "'threshold' of 'anomaly' must be a number"),
        ({"by": 3}, "'by' of 'anomaly' must be a column name"),
        ({"at_least": -1}, "a whole number"),
    ],
)
def test_mistakes_are_told(given, sentence):
    assert sentence in problem("anomaly", column="v", **given)
