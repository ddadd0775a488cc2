"""The query of a list of records: read once from a URL, and written as one again."""

import dataclasses

import pytest
from django.core.exceptions import BadRequest
from django.http import QueryDict
from hypothesis import given, settings
from hypothesis import strategies as st

from explore.filters import RecordQuery
from explore.filters.parameters import query_of_page
from explore.filters.record_filter import SHOWING, RecordFilter
from tests.landed import land, sale

# Columns that a query names are looked up.
pytestmark = pytest.mark.django_db

NAMES = [*RecordFilter.base_filters, "facet", "facets", "format"]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
TEXTS = TEXT | st.sampled_from(
    ["1", "0", "shop", "raw", "-timestamp", "2026-03-01", "n:eq:5", "a\\:b:empty", "n:lt:x", "1.5"]
)


@st.composite
def parameters(draw: st.DrawFn) -> QueryDict:
    """Parameters of all names, whose values mean something or nothing."""
    drawn = QueryDict(mutable=True)
    for name in draw(st.lists(st.sampled_from(NAMES), max_size=6, unique=True)):
        many = 3 if name in RecordFilter.repeatable() else 1
        drawn.setlist(name, draw(st.lists(TEXTS, min_size=1, max_size=many)))
    return drawn


def parsed(text: str) -> RecordQuery:
    return RecordQuery.parse(QueryDict(text))


def same(one: RecordQuery, other: RecordQuery) -> bool:
    """Whether queries are equal in all that they say, not only in their URL."""
    return (
        one == other
        and hash(one) == hash(other)
        and one.query_string() == other.query_string()
        and one.values == other.values
        and one.errors == other.errors
    )


@settings(max_examples=60)
@given(given=parameters())
def test_a_query_is_read_as_its_url_says(given):
    query = RecordQuery.parse(given)
    assert same(parsed(query.query_string()), query)
    assert same(RecordQuery.parse(QueryDict(query.url().partition("?")[2])), query)


@settings(max_examples=60)
@given(given=parameters(), name=st.sampled_from(NAMES), value=TEXTS)
def test_to_take_something_out_twice_is_to_take_it_out_once(given, name, value):
    query = RecordQuery.parse(given)
    without = query.without(name)
    assert same(without.without(name), without)
    assert name not in without.parameters
    assert without.values.keys() == query.values.keys() - {name}
    assert without.errors.keys() == query.errors.keys() - {name}
    less = query.without(name, value=value)
    assert same(less.without(name, value=value), less)
    assert value not in less.texts(name)


@settings(max_examples=60)
@given(given=parameters(), name=st.sampled_from(NAMES), value=TEXTS.filter(str.strip))
def test_what_derives_from_a_query_is_what_its_url_says(given, name, value):
    query = RecordQuery.parse(given)
    texts = query.texts(name)
    derived = [query.without(name), query.with_(name, value), query.without(*SHOWING, "facet")]
    derived += [query.without(name, value=text) for text in texts]
    for each in derived:
        assert same(parsed(each.query_string()), each)
    assert query.with_(name, value).texts(name)[-1] == value
    if value not in texts:
        assert query.with_(name, value).without(name, value=value).texts(name) == (
            texts if name in RecordFilter.repeatable() else ()
        )
    assert same(RecordQuery.parse(given), query)


@settings(max_examples=40)
@given(given=parameters())
def test_each_chip_leads_to_the_query_without_its_value(given):
    query = RecordQuery.parse(given)
    chips = query.chips()
    pairs = [(name, text) for name, texts in query.chosen.items() for text in texts]
    assert len(chips) == len(pairs)
    for chip, (name, text) in zip(chips, pairs, strict=True):
        assert parsed(chip.query) == query.without(name, value=text)


def test_a_query_does_not_change():
    query = parsed("source=shop&where=n:eq:5")
    with pytest.raises(dataclasses.FrozenInstanceError):
        query.parameters = {}  # type: ignore[misc]
    for mapping in (query.parameters, query.values, query.errors):
        with pytest.raises(TypeError):
            mapping["source"] = ("depot",)  # type: ignore[index]
    query.without("source").with_("where", "n:eq:6")
    assert query.query_string() == "source=shop&where=n%3Aeq%3A5"


def test_what_says_nothing_and_the_page_of_a_list_are_left_out():
    query = parsed("source=&q=+&cursor=abc&status=raw&status=&facet=city")
    assert query.query_string() == "status=raw&facet=city"
    assert query.chosen == {"status": ("raw",)}
    assert parsed("cursor=abc") == RecordQuery() == parsed("")
    assert RecordQuery().url() == "/explore/?"


def test_a_value_of_a_parameter_that_has_one_is_replaced():
    query = parsed("sort=id&source=shop")
    assert query.with_("sort", "-id").query_string() == "sort=-id&source=shop"
    assert query.with_("source", "depot").query_string() == "sort=id&source=shop&source=depot"
    assert query.with_("facets", "1").with_("facets", "1").texts("facets") == ("1",)


def test_chips_are_words():
    query = parsed("where=n:ge:5&where=Note:empty&status=raw&anomaly=1&sort=-id&column=n")
    texts = [chip.text for chip in query.chips()]
    choices = dict(RecordFilter.base_filters["anomaly"].extra["choices"])
    assert texts == ["raw", choices["1"], "n is at least “5”", "Note is empty"]


def test_errors_are_sentences_and_such_a_query_finds_nothing(db):
    land("shop", {"1": sale(1)})
    query = parsed("status=done&value_from=x&source=shop")
    assert query.errors.keys() == {"status", "value_from"}
    assert all(text.endswith(".") for said in query.errors.values() for text in said)
    assert not query.is_valid
    assert list(query.queryset()) == list(query.results()) == []
    mended = query.without("status", "value_from")
    assert mended.is_valid
    assert [record.id for record in mended.queryset()] == ["shop:1"]


def test_many_values_are_an_error_until_they_are_fewer():
    many = RecordQuery().with_("source", *(f"shop{n}" for n in range(51)))
    assert many.errors.keys() == {"source"}
    assert many.without("source", value="shop7").is_valid


@pytest.mark.parametrize("text", ["sorce=shop", "q=a&q=b", "facets=2"])
def test_names_that_cannot_be_meant_are_refused(text):
    with pytest.raises(BadRequest):
        query_of_page(QueryDict(text))


def test_a_query_reads_its_url_once(admin_client, monkeypatch, transactional_db):
    """However much a page shows of what was asked: the list, its facets, chips and links."""
    land("shop", {str(n): sale(n, category="toys") for n in range(3)})
    read = []
    begin = RecordFilter.__init__

    def noted(self, *args, **kwargs):
        read.append(args)
        begin(self, *args, **kwargs)

    monkeypatch.setattr(RecordFilter, "__init__", noted)
    query = "source=shop&status=raw&q=t&where=category:eq:toys&facets=1&facet=category"
    for url in (f"/explore/?{query}", "/explore/", "/api/records/facets?facet=category&q=t"):
        read.clear()
        assert admin_client.get(url).status_code == 200
        assert len(read) == 1, url
