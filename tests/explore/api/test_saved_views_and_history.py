"""Saved views, and the history of a record, by API."""

import pytest
from rest_framework.test import APIClient

from tests.landed import land, process_all, sale
from tests.people import viewer

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> APIClient:
    client = APIClient()
    client.force_login(viewer("ada"))
    return client


def save(client, name="Failed", query="status=failed&source=shop"):
    return client.post("/api/v1/views", {"name": name, "query": query}, format="json")


def test_a_view_is_saved_read_replaced_and_removed(api):
    land("shop", {"1": sale(1)})
    made = save(api)
    assert made.status_code == 201
    url = made["Location"]
    assert api.get(url).json() == made.json()
    assert api.get(made.json()["records"]).json()["count"] == 0
    replaced = save(api, query="source=shop")
    assert replaced.json()["id"] == made.json()["id"]
    assert api.get(replaced.json()["records"]).json()["count"] == 1
    assert [view["name"] for view in api.get("/api/v1/views").json()["views"]] == ["Failed"]
    assert api.delete(url).status_code == 204
    assert api.get("/api/v1/views").json()["count"] == 0
    assert api.get(url).status_code == 404


def test_the_views_of_others_are_not_there(api):
    url = save(api)["Location"]
    other = APIClient()
    other.force_login(viewer("bob"))
    assert other.get(url).status_code == 404
    assert other.delete(url).status_code == 404
    assert other.get("/api/v1/views").json()["count"] == 0


@pytest.mark.parametrize(
    ("name", "query", "field"),
    [
        ("", "status=failed", "name"),
        ("x" * 101, "status=failed", "name"),
        ("a\0", "status=failed", "name"),
        ("x", "status=done", "query"),
        ("x", "stat=failed", "query"),
    ],
)
def test_a_view_that_can_not_be_is_refused(api, name, query, field):
    answer = save(api, name, query)
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {field}


def test_a_person_saves_so_many_views(api, monkeypatch):
    monkeypatch.setattr("explore.saved_views.MOST", 1)
    assert save(api, "a").status_code == 201
    assert save(api, "a").status_code == 201
    assert save(api, "b").status_code == 409


def test_the_history_of_a_record_tells_what_happened_to_it(api):
    land("shop", {"a/b": sale(1)})
    process_all()
    land("shop", {"a/b": sale(2)})
    told = api.get("/api/v1/history/shop%3Aa%2Fb").json()
    assert told["id"] == "shop:a/b"
    assert [part["kind"] for part in told["parts"]] == ["read", "processed", "updated", "waits"]
    assert told["parts"][0]["cells"] == sale(1)
    changes = {change["column"]: change for change in told["parts"][2]["changes"]}
    assert changes["value"] == {"column": "value", "before": "1.5", "after": "2.5"}
    assert api.get("/api/v1/history/shop:none").status_code == 404
    assert api.get("/api/v1/history/none").status_code == 404
