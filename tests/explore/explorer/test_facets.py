"""Facets: what the explorer offers to narrow a list down by, and how many there are of each."""

import re

import pytest
from django.http import QueryDict

from explore.explorer import facets
from explore.explorer.facets import Facet, all_facets, quick_facets
from explore.filters import RecordQuery
from records.models import DataRecord
from tests.landed import land, process_all, sale
from tests.markup import tree

pytestmark = pytest.mark.django_db


def asked(query: str = "") -> RecordQuery:
    return RecordQuery.parse(QueryDict(query))


def counts(found: list[Facet]) -> dict[str, dict[str, int | None]]:
    return {
        facet.name if facet.name != "where" else facet.label: {
            value.text: value.count for value in facet.values
        }
        for facet in found
    }


@pytest.fixture
def runs() -> tuple[int, int]:
    first = land("shop", {"1": sale(1, city="Paris"), "2": {"id": "2"}, "3": sale(3, city="Rome")})
    second = land("depot", {"4": sale(4, category="Food", city="Paris")})
    process_all()
    land("depot", {"5": sale(5)})
    return first.pk, second.pk


def test_each_value_tells_how_many_records_have_it(runs):
    first, second = runs
    assert counts(all_facets(asked(), column="city")) == {
        "status": {"failed": 1, "processed": 3, "raw": 1},
        "source": {"depot": 2, "shop": 3},
        "category": {"toys": 2, "food": 1},
        "run": {f"{first}: rows.csv": 3, f"{second}: rows.csv": 1, f"{second + 1}: rows.csv": 1},
        "reason": {"Data validation failed: 'value' is missing.": 1},
        "city": {"(empty)": 2, "Paris": 2, "Rome": 1},
    }


def test_a_facet_counts_what_the_other_filters_find(runs):
    found = counts(all_facets(asked("source=shop&status=processed&category=toys")))
    assert found["source"] == {"shop": 2}
    assert found["category"] == {"toys": 2}
    assert found["status"] == {"processed": 2}
    assert counts(all_facets(asked("q=paris")))["source"] == {"depot": 1, "shop": 1}
    assert counts(all_facets(asked("where=city:eq:Rome"), column="city"))["city"] == {
        "(empty)": 2, "Paris": 2, "Rome": 1,
    }  # fmt: skip


def test_what_is_chosen_stays_to_be_seen_though_nothing_has_it():
    land("shop", {"1": sale(1)})
    (status,) = (f for f in all_facets(asked("status=failed&q=zzz")) if f.name == "status")
    assert [(v.value, v.count, v.is_chosen) for v in status.values] == [("failed", None, True)]


def test_every_count_is_the_number_of_records_that_its_value_finds(runs):
    base = "time_from=2026-01-01&value_to=100"
    for facet in all_facets(asked(base), column="city"):
        for value in facet.values:
            query = QueryDict(base, mutable=True)
            query.appendlist(facet.name, value.value)
            found = RecordQuery.parse(query)
            assert found.is_valid
            assert found.queryset().count() == value.count, (facet.name, value)


def test_without_counting_the_counters_of_status_and_source_are_told(runs):
    assert counts(quick_facets(asked("source=shop"))) == {
        "status": {"failed": 1, "processed": 2},
        "source": {"depot": 2, "shop": 3},
    }
    assert counts(quick_facets(asked("q=x"))) == {
        "status": dict.fromkeys(DataRecord.Status.values),
        "source": {"depot": None, "shop": None},
    }


@pytest.mark.parametrize("query", ["", "source=shop&source=depot", "value_to=100", "q=toys",
                                   "status=raw&status=failed&q=toys"])  # fmt: skip
def test_statuses_and_sources_stand_in_one_order_however_they_are_counted(runs, query):
    land("failed", {"6": sale(6)})
    land("archive", {"7": sale(7)})
    for found in (quick_facets(asked(query)), all_facets(asked(query))):
        shown = {facet.name: [value.value for value in facet.values] for facet in found}
        in_course = [status for status in DataRecord.Status.values if status in shown["status"]]
        assert shown["status"] == in_course
        assert shown["source"] == sorted(shown["source"])


def test_among_many_records_counts_are_estimated_and_say_so(monkeypatch, admin_client):
    rows = {f"{n:05}": {"city": "Rome" if n % 4 else "Oslo"} for n in range(6_000)}
    land("shop", rows)
    monkeypatch.setattr(facets, "EXACT", 1_000)
    monkeypatch.setattr(facets, "SAMPLE", 2_000)
    status, *_, city = all_facets(asked(), column="city")
    assert (status.is_sampled, city.is_sampled) == (False, True)
    found = {value.text: value.count or 0 for value in city.values}
    assert found["Rome"] == pytest.approx(4500, rel=0.25)
    assert found["Oslo"] == pytest.approx(1500, rel=0.25)
    # Every record of the sample stands for as many of those that there are.
    assert sum(found.values()) == pytest.approx(6000, abs=1)
    html = admin_client.get("/explore/?facets=1&facet=city").content.decode()
    assert "Estimated from a sample." in html
    assert "about" in html


def test_a_small_source_of_many_records_is_estimated_by_its_share(monkeypatch):
    land("large", {f"{n:05}": {"city": "Rome"} for n in range(5_000)})
    land("small", {f"{n:05}": {"city": "Oslo"} for n in range(1_500)})
    monkeypatch.setattr(facets, "EXACT", 1_000)
    monkeypatch.setattr(facets, "SAMPLE", 1_000)
    monkeypatch.setattr(facets, "MOST_SAMPLED", 4_000)
    *_, city = all_facets(asked("source=small"), column="city")
    (oslo,) = city.values
    assert oslo.text == "Oslo"
    # Of so small a table PostgreSQL takes a few pages only.
    assert 300 < (oslo.count or 0) < 4_500


def test_no_more_values_than_people_read():
    land("shop", {str(n): {"id": str(n)} for n in range(30)})
    *_, column = all_facets(asked(), column="id")
    assert len(column.values) == facets.SHOWN


def test_the_page_asks_for_counts_when_it_is_there(admin_client, runs):
    html = admin_client.get("/explore/?source=shop").content.decode()
    assert 'hx-get="/explore/facets?source=shop"' in html
    part = admin_client.get("/explore/facets?source=shop", headers={"HX-Request": "true"})
    toys = r'value="toys"> <span>toys</span> <span class="count">2'
    assert re.search(toys, part.content.decode())
    without = admin_client.get("/explore/facets?source=shop")
    assert without["Location"] == "/explore/?source=shop&facets=1"
    assert 'value="toys"' in admin_client.get(without["Location"]).content.decode()


@pytest.mark.parametrize("path", ["/api/records/facets", "/records/facets"])
def test_the_api_counts_what_the_page_counts(admin_client, runs, path):
    query = "source=shop&where=id:filled&facet=city"
    answer = admin_client.get(f"{path}?{query}").json()
    expected = all_facets(asked("source=shop&where=id:filled"), column="city")
    assert [facet["name"] for facet in answer["facets"]] == [facet.name for facet in expected]
    assert answer["facets"][-1] == {
        "name": "where",
        "label": "city",
        "is_sampled": False,
        "remark": "",
        "values": [
            {"value": "city:eq:", "text": "(empty)", "count": 1, "is_chosen": False},
            {"value": "city:eq:Paris", "text": "Paris", "count": 1, "is_chosen": False},
            {"value": "city:eq:Rome", "text": "Rome", "count": 1, "is_chosen": False},
        ],
    }


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("facet=%00", "facet: Null characters are not allowed."),
        ("status=done", "status: There is no status “done”."),
        ("limit=5", "limit: Unknown parameter."),
        ("facet=a&facet=b", "facet: This parameter may be given only once."),
    ],
)
def test_the_api_refuses_facets_of_what_means_nothing(admin_client, query, sentence):
    answer = admin_client.get(f"/api/records/facets?{query}")
    assert answer.status_code == 400
    assert sentence in answer.json()["detail"]


def test_filters_without_a_field_are_sent_on(admin_client, runs):
    html = admin_client.get("/explore/?rule=required&where=id:eq:2").content.decode()
    assert '<input type="hidden" form="filter" name="rule" value="required">' in html
    assert '<input type="hidden" form="filter" name="where" value="id:eq:2">' in html


def test_chips_take_one_value_away(admin_client, runs):
    url = "/explore/?source=shop&source=depot&where=city:eq:Paris"
    html = admin_client.get(url).content.decode()
    chip = r'<li><a href="([^"]+)" aria-label="[^"]+"><span class="muted">(\w+)</span> ([^<]+) <'
    chips = re.findall(chip, html)
    assert chips == [
        ("/explore/?source=depot&amp;where=city%3Aeq%3AParis", "Source", "shop"),
        ("/explore/?source=shop&amp;where=city%3Aeq%3AParis", "Source", "depot"),
        ("/explore/?source=shop&amp;source=depot", "Data", "city is “Paris”"),
    ]


def test_a_condition_sent_in_parts_becomes_one_parameter(admin_client, runs):
    url = "/explore/?q=&source=shop&on=a%3Ab&ask=gt&of=&than=5&sort=id"
    assert admin_client.get(url)["Location"] == (
        "/explore/?source=shop&sort=id&where=a%5C%3Ab%3Agt%3A5"
    )
    url = "/explore/?on=city&ask=empty&of=result&than="
    assert admin_client.get(url)["Location"] == "/explore/?result=city%3Aempty"
    assert admin_client.get("/explore/?on=&ask=eq&than=")["Location"] == "/explore/?"


@pytest.mark.parametrize("query", ["facets=1&facet=%00", "facets=1&source=%00", "facets=1&run=x",
                                   "facet=a%27b&facets=1", "facets=1&where=x"])  # fmt: skip
def test_facets_of_what_means_nothing_are_no_internal_error(admin_client, query, runs):
    assert admin_client.get(f"/explore/?{query}").status_code in (200, 400)
    headers = {"HX-Request": "true"}
    assert admin_client.get(f"/explore/facets?{query}", headers=headers).status_code in (200, 400)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("facets=banana", "facets: Must be 1 or omitted, not “banana”."),
        ("facet=a%00", "facet: Null characters are not allowed."),
        (f"facet={'a' * 501}", "facet: Ensure this value has at most 500 characters (it has 501)."),
        ("facet=a&facet=b", "The filter “facet” may be given only once."),
        ("facet=a&stat=raw", "There is no filter “stat”."),
    ],
)
@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/explore/", {}),
        ("/explore/facets", {}),
        ("/explore/facets", {"HX-Request": "true"}),
        ("/explore/export", {}),
    ],
)
def test_facets_that_mean_nothing_are_refused_in_words(
    admin_client, path, headers, query, sentence
):
    answer = admin_client.get(f"{path}?{query}", headers=headers)
    assert answer.status_code == 400
    assert sentence in answer.content.decode()


def test_a_column_that_no_record_has_is_said_to_be_empty(admin_client, runs):
    told = "No matching records have a value in this column."
    assert told in admin_client.get("/explore/?facets=1&facet=citty").content.decode()
    assert told not in admin_client.get("/explore/?facets=1&facet=city").content.decode()


def test_a_column_of_long_texts_is_said_to_be_one(admin_client):
    land("shop", {"1": {"note": "x" * (facets.LONGEST + 1)}, "2": {"id": "2"}})
    (*_, note) = all_facets(asked(), column="note")
    assert [value.text for value in note.values] == ["(empty)"]
    assert note.remark == "Very long values are not listed."
    assert note.remark in admin_client.get("/explore/?facets=1&facet=note").content.decode()


def test_chosen_columns_are_shown_with_numbers_to_the_right(admin_client, runs):
    html = admin_client.get("/explore/?source=shop&column=city&column=value").content.decode()
    assert [(" ".join(th["class"]), th.get_text()) for th in tree(html).select("th.cell")] == [
        ("cell", "city"),
        ("cell number", "value"),
    ]
    assert 'name="column" value="city" checked>' in html


def test_a_column_that_no_record_of_the_page_has_stays_chosen(admin_client, runs):
    for query in ("column=none", "column=none&q=zzz", "column=none&status=x"):
        html = admin_client.get(f"/explore/?{query}").content.decode()
        assert tree(html).select('input[name="column"][value="none"]'), query
    assert 'name="facets" value="1"' in admin_client.get("/explore/?facets=1").content.decode()
