"""The explorer says how many records there are in all."""

import pytest
from django.http import QueryDict

from explore.columns import folding
from explore.explorer.total import known_total, total_of
from explore.filters import RecordQuery
from tests.landed import land, process_all, sale
from tests.markup import tree

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shop(column_folder):
    land("shop", {str(n): sale(n, city="Paris" if n % 3 else "Oslo") for n in range(1, 8)})
    land("depot", {"1": sale(1)})
    process_all()
    land("shop", {"8": sale(8)})


def asked(text=""):
    return RecordQuery.parse(QueryDict(text))


@pytest.mark.parametrize(
    ("query", "records"),
    [("", 9), ("source=shop", 8), ("status=raw", 1), ("source=shop&status=processed", 7)],
)
def test_counters_tell_it_without_counting(query, records):
    assert known_total(asked(query)) == total_of(asked(query)) == (records, None)


@pytest.mark.parametrize("query", ["where=city:eq:Oslo", "q=paris", "value_from=3&source=shop"])
def test_it_is_counted_exactly_by_any_filter(query):
    assert known_total(asked(query)) is None
    total = total_of(asked(query))
    assert total is not None
    assert total.as_of is None
    assert total.records == asked(query).queryset().count() > 1


def shown(html):
    (total,) = tree(html).select("#total")
    return " ".join(total.get_text().split())


def test_the_page_says_it(admin_client):
    assert shown(admin_client.get("/explore/?source=shop").content.decode()) == "8 records"
    page = "/explore/?where=city:eq:Oslo"
    assert shown(admin_client.get(page).content.decode()) == ""
    assert shown(admin_client.get(f"{page}&facets=1").content.decode()) == "2 records"
    part = admin_client.get(
        "/explore/facets?where=city:eq:Oslo", headers={"HX-Request": "true"}
    ).content.decode()
    assert shown(part) == "2 records"
    assert tree(part).select("#total")[0]["hx-swap-oob"] == "true"


def test_it_says_so_if_counting_takes_too_long(admin_client, monkeypatch):
    monkeypatch.setattr("explore.explorer.total.SECONDS", 0.0)
    html = admin_client.get("/explore/?where=city:eq:Oslo&facets=1").content.decode()
    assert shown(html) in ("Counting these records takes too long.", "2 records")


def test_while_an_import_is_not_counted_it_says_of_when_it_is(admin_client, monkeypatch):
    folding.fold(sources=["shop"])
    land("shop", {str(n): sale(n, city="Oslo") for n in range(20, 24)})
    monkeypatch.setattr("explore.columns.snapshot.MOST_CHANGED", 1)
    html = admin_client.get("/explore/?source=shop&where=city:eq:Oslo&facets=1").content.decode()
    assert shown(html).startswith("2 records, counted ")
