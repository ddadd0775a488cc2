"""Sources by API: listed with their counts, read, changed and deleted."""

import pytest
from django.contrib.auth.models import Permission, User
from rest_framework.test import APIClient

from records.models import Source
from tests.landed import MAPPING, land, process_all, sale
from tests.people import viewer

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> APIClient:
    client = APIClient()
    client.force_login(User.objects.create_superuser("admin"))
    return client


@pytest.fixture
def reader() -> APIClient:
    client = APIClient()
    client.force_login(viewer("reader"))
    return client


def test_sources_are_listed_by_name_page_by_page_with_their_counts(api):
    land("b", {"1": sale(1), "2": sale(2)})
    process_all()
    land("b", {"3": sale(3)})
    Source.objects.create(name="a")
    Source.everything.create(name="draft", is_draft=True)
    Source.objects.create(name="C")
    url, found = "/api/v1/sources?limit=1", []
    while url:
        told = api.get(url).json()
        found += told["sources"]
        url = told["next"]
    assert [source["name"] for source in found] == ["C", "a", "b"]
    assert found[2]["total_records"] == 3
    assert found[2]["by_status"] == {"raw": 1, "processing": 0, "processed": 2, "failed": 0}
    assert found[2]["rules_version"] == 1
    assert found[0]["rules_version"] is None
    assert found[0]["total_records"] == 0


def test_a_source_tells_its_settings(api):
    land("shop", {"1": sale(1)})
    told = api.get("/api/v1/sources/shop").json()
    assert told["name"] == "shop"
    assert {role: told["settings"][role] for role in MAPPING} == MAPPING
    assert told["settings"]["on_conflict"] == "update"
    assert told["settings"]["encoding"] == ""
    assert told["has_feed"] is False
    assert told["failing"] is None
    assert api.get("/api/v1/sources/nope").status_code == 404


def test_settings_that_are_given_change_and_the_others_stay(api):
    land("shop", {"1": sale(1)})
    answer = api.patch(
        "/api/v1/sources/shop",
        {"timestamp": ["day"], "timestamp_format": "%d.%m.%Y", "on_conflict": "keep"},
        format="json",
    )
    assert answer.status_code == 200
    settings = answer.json()["settings"]
    assert settings["timestamp"] == ["day"]
    assert settings["value"] == ["value"]
    assert settings["on_conflict"] == "keep"
    source = Source.objects.get(name="shop")
    assert source.mapping["timestamp_format"] == "%d.%m.%Y"
    again = api.patch("/api/v1/sources/shop", settings, format="json")
    assert again.json()["settings"] == settings


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"value": ["a", "b"]}, "value"),
        ({"id": ["a", "a"]}, "id"),
        ({"id": "a"}, "id"),
        ({"timestamp_format": "%"}, "timestamp_format"),
        ({"timestamp_format": "iso"}, "timestamp_format"),
        ({"timestamp_zone": "Nowhere"}, "timestamp_zone"),
        ({"number_format": "1'2"}, "number_format"),
        ({"on_conflict": ""}, "on_conflict"),
        ({"on_conflict": "x"}, "on_conflict"),
        ({"delimiter": "ab"}, "delimiter"),
        ({"format": "x"}, "format"),
        ({"x": 1}, "x"),
    ],
)
def test_settings_that_a_source_can_not_have_are_refused_and_change_nothing(api, body, field):
    land("shop", {"1": sale(1)})
    before = Source.objects.filter(name="shop").values().get()
    answer = api.patch("/api/v1/sources/shop", {"encoding": "utf-8", **body}, format="json")
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {field}
    assert Source.objects.filter(name="shop").values().get() == before


def test_a_source_without_records_is_deleted(api):
    land("full", {"1": sale(1)})
    Source.objects.create(name="empty")
    assert api.delete("/api/v1/sources/empty").status_code == 204
    refused = api.delete("/api/v1/sources/full")
    assert refused.status_code == 409
    assert refused.json()["detail"] == "full has records. Delete them first."
    assert Source.objects.names() == ["full"]


@pytest.mark.parametrize(
    ("method", "permission"), [("patch", "change_source"), ("delete", "delete_source")]
)
def test_changes_need_the_permission(reader, method, permission):
    Source.objects.create(name="shop")
    change = getattr(reader, method)
    assert change("/api/v1/sources/shop", {}, format="json").status_code == 403
    assert reader.get("/api/v1/sources/shop").status_code == 200
    User.objects.get(username="reader").user_permissions.add(
        Permission.objects.get(codename=permission)
    )
    assert change("/api/v1/sources/shop", {}, format="json").status_code in (200, 204)


def test_the_number_of_queries_does_not_grow_with_the_sources(api, django_assert_max_num_queries):
    for number in range(20):
        Source.objects.create(name=f"s{number}")
    with django_assert_max_num_queries(9):
        assert api.get("/api/v1/sources").json()["count"] == 20
