"""Records that no other record of the source repeats."""

import pytest

from processing.engine import pipeline
from processing.engine.known_facts import Gatherer, KnownFacts
from tests.processing.rules.carried_out import problem

STRIPPED = {"rule": "text", "column": "c", "strip": True}
UNIQUE = {"rule": "unique", "columns": ["c"]}


def failing(rows, rules):
    """The places of the rows that fail, when the whole source is these rows."""
    ids = [f"s:{n}" for n in range(len(rows))]
    gatherer = Gatherer(rules)
    for id_, row in zip(ids, rows, strict=True):
        gatherer.add([id_], [row])
    facts = KnownFacts.from_json(gatherer.facts().as_json())
    return sorted(pipeline.apply(rows, rules, 0.0, facts=facts, ids=ids).errors)


def cells(*found):
    return [{"c": cell} for cell in found]


def test_the_record_with_the_smallest_id_passes_unless_asked_otherwise():
    rows = cells("a", "b", "a", "c", "a", "b")
    assert failing(rows, [UNIQUE]) == [2, 4, 5]
    assert failing(rows, [UNIQUE | {"passes": "none"}]) == [0, 1, 2, 4, 5]


def test_what_says_nothing_is_not_compared():
    assert failing([*cells("", "", " ", None, None), {}, {}], [UNIQUE]) == []


def test_cells_are_compared_as_they_are_at_the_step():
    assert failing(cells("a", " a", "A"), [UNIQUE]) == []
    assert failing(cells("a", " a", "A"), [STRIPPED, UNIQUE]) == [1]
    assert failing(cells("a", " a", "A"), [UNIQUE, STRIPPED]) == []
    assert failing(cells("a", " a"), [STRIPPED | {"off": True}, UNIQUE]) == []


def test_kinds_of_cells_are_not_mixed_up():
    assert failing(cells("1", 1, 1.0, True, "true", [1], "[1]"), [UNIQUE]) == []
    assert failing(cells([1], [1], {"a": 1}, {"a": 1}), [UNIQUE]) == [1, 3]


def test_several_columns_together():
    rows = [{"a": "x", "b": "y"}, {"a": "x", "b": "z"}, {"a": "x", "b": "y"}, {"a": "xy", "b": ""}]
    step = {"rule": "unique", "columns": ["a", "b"]}
    assert failing(rows, [step]) == [2]


def test_the_sentence_names_all_columns():
    class Repeated:
        def is_repeated(self, *arguments, **options):
            return True

    step = {"rule": "unique", "columns": ["a", "b"]}
    batch = pipeline.apply([{"a": "x", "b": "y"}], [step], 0.0, facts=Repeated())  # type: ignore[arg-type]
    (error,) = batch.errors[0]
    assert error == {
        "rule": "unique",
        "column": "a",
        "value": ["x", "y"],
        "message": "is not unique together with 'b'",
    }


def test_without_facts_nothing_is_repeated():
    assert pipeline.apply(cells("a", "a"), [UNIQUE], 0.0).errors == {}


@pytest.mark.parametrize("given", [{"columns": []}, {"columns": ["a"], "passes": "all"}])
def test_mistakes_are_told(given):
    assert "of 'unique' must be" in problem("unique", **given)
