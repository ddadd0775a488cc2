"""The filters of records, which pages and API share."""

import pytest
from django.http import QueryDict

from explore.filters import RecordQuery
from records import store
from records.models import DataRecord
from tests.landed import land, process_all, sale

pytestmark = pytest.mark.django_db


def found(**parameters: str) -> list[str]:
    query = QueryDict(mutable=True)
    query.update(parameters)
    records = RecordQuery.parse(query)
    assert records.is_valid, records.errors
    return sorted(record.id for record in records.queryset())


def errors(**parameters: str) -> dict[str, list[str]]:
    query = QueryDict(mutable=True)
    query.update(parameters)
    records = RecordQuery.parse(query)
    assert not records.is_valid
    assert list(records.queryset()) == []
    return {name: list(said) for name, said in records.errors.items()}


def test_empty_values_filter_nothing():
    land("shop", {"1": sale(1)})
    assert found() == found(source="", status="", q=" ", run="") == ["shop:1"]


def test_a_source_finds_its_own_records_only():
    for source in ("shop", "shop2", "shop-x", "shop.x", "sho"):
        land(source, {"1": sale(1)})
    assert found(source="shop") == ["shop:1"]
    assert found(source="unknown") == []


def test_a_status_finds_the_records_that_have_it():
    land("shop", {"1": sale(1), "2": {"id": "2"}})
    process_all()
    land("shop", {"3": sale(3)})
    assert found(status="processed") == ["shop:1"]
    assert found(status="failed") == ["shop:2"]
    assert found(status="raw") == ["shop:3"]
    assert found(status="processing") == []


def test_records_without_a_timestamp_are_found():
    land("shop", {"1": sale(1)})
    land("depot", {"1": sale(1)}, timestamp=None)
    assert found(dated="0") == ["depot:1"]
    assert found(dated="1") == ["shop:1"]
    assert found(dated="0", source="shop") == []
    assert errors(dated="no") == {"dated": ["“dated” must be 0 or 1, not “no”."]}


def test_a_run_finds_the_records_that_it_brought_in():
    first = land("shop", {"1": sale(1)})
    second = land("shop", {"2": sale(2)})
    land("other", {"2": sale(2)})
    assert found(run=str(first.pk)) == ["shop:1"]
    assert found(run=str(second.pk)) == ["shop:2"]
    assert found(run=str(2**63 - 1)) == []


def test_filters_are_combined():
    land("shop", {"red": sale(1, name="Apple"), "green": sale(2, name="apple")})
    land("farm", {"red": sale(3, name="apple")})
    assert found(source="shop", q="RED", status="raw") == ["shop:red"]
    assert found(source="farm", q="green") == []


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("Electronic Accessories", "electronic ACC"),
        ("Müller & Söhne", "müller"),
        ("Müller & Söhne", "MÜLLER & SÖHNE"),
        ("ΑΘΗΝΑ", "αθηνα"),
        ("日本語", "本"),
        ("a 👍 b", "👍"),
        ('say "hello"', '"hello"'),
        ("C:\\new\\table", "\\new\\T"),
        ("100% of it", "0% of"),
        ("snake_case", "e_c"),
        ("two\nlines", "two\nlines"),
        ("tab\there", "b\th"),
        ("a\x01b", "a\x01b"),
        ("it's", "t's"),
        ("{braces}", "{br"),
    ],
)
def test_text_is_found_in_cells_whatever_its_case_and_characters(cell, text):
    land("shop", {"1": {"name": cell}, "2": {"name": "another"}})
    assert found(q=text) == ["shop:1"]


def test_text_is_found_in_data_that_was_edited_by_hand():
    land("shop", {"1": {"name": "x"}})
    store.edit_record(record_id="shop:1", data={"name": "Größe", "n": 5}, user=None)
    assert found(q="größe") == ["shop:1"]


def test_text_is_found_in_ids():
    land("shop", {"Ä/1?": sale(1), "b": sale(2)})
    assert found(q="ä/1?") == ["shop:Ä/1?"]
    land("depot", {"ö/2": sale(2)})
    assert found(q="ö/2") == found(q="Ö/2") == ["depot:ö/2"]


@pytest.mark.parametrize("text", ["%", "_", "100", "column", '":', "\\u00"])
def test_wildcards_and_names_of_columns_find_nothing(text):
    land("shop", {"1": {"column": "Müller"}})
    assert found(q=text) == []


@pytest.mark.parametrize(
    ("parameter", "value", "sentence"),
    [
        ("status", "done", "There is no status “done”. Choose one of raw, processing, processed"),
        ("source", "a:b", "must start with a letter or digit"),
        ("source", "x" * 101, "at most 100 characters"),
        ("source", "a\0", "must start with a letter or digit"),
        ("status", "raw\0", "There is no status"),
        ("q", "a\0b", "Null characters"),
        ("q", "x" * 201, "at most 200 characters"),
        ("run", "one", "whole number"),
        ("run", "1.5", "whole number"),
        ("run", "0", "greater than or equal to 1"),
        ("run", str(2**63), "less than or equal to"),
        ("run", "9" * 5000, "whole number"),
        ("run", "NaN", "whole number"),
    ],
)
def test_invalid_values_are_errors_and_find_nothing(parameter, value, sentence):
    land("shop", {"1": sale(1)})
    said = errors(**{parameter: value})
    assert list(said) == [parameter]
    assert sentence in said[parameter][0]


def test_a_list_without_a_text_reads_no_cells():
    assert "json" not in str(RecordQuery.parse(QueryDict("source=shop")).queryset().query).lower()
    assert RecordQuery().queryset().model is DataRecord
