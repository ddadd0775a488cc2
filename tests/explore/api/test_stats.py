"""GET /stats."""

import pytest
from rest_framework.test import APIClient

from records.models import DataRecord
from tests.landed import land, process_all, sale
from tests.people import viewer

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> APIClient:
    client = APIClient()
    client.force_login(viewer("reader"))
    return client


def some_records() -> None:
    land("shop", {"1": sale(1), "2": sale(2), "3": {"id": "3"}})
    land("farm", {"1": sale(1)}, timestamp=None)
    process_all()
    land("shop", {"4": sale(4)})


def test_an_empty_installation_has_nothing_and_a_success_rate_of_0(api):
    assert api.get("/stats").json() == {
        "total_records": 0,
        "processed_records": 0,
        "failed_records": 0,
        "raw_records": 0,
        "processing_records": 0,
        "success_rate": 0.0,
        "by_status": {"raw": 0, "processing": 0, "processed": 0, "failed": 0},
        "by_source": [],
    }


@pytest.mark.parametrize("prefix", ["", "/api"])
def test_the_figures_are_those_of_the_records(api, prefix):
    some_records()
    assert DataRecord.objects.filter(status="processed").count() == 3
    assert api.get(f"{prefix}/stats").json() == {
        "total_records": 5,
        "processed_records": 3,
        "failed_records": 1,
        "raw_records": 1,
        "processing_records": 0,
        "success_rate": 75.0,
        "by_status": {"raw": 1, "processing": 0, "processed": 3, "failed": 1},
        "by_source": [
            {
                "source": "farm",
                "total_records": 1,
                "processed_records": 1,
                "failed_records": 0,
                "raw_records": 0,
                "processing_records": 0,
                "success_rate": 100.0,
            },
            {
                "source": "shop",
                "total_records": 4,
                "processed_records": 2,
                "failed_records": 1,
                "raw_records": 1,
                "processing_records": 0,
                "success_rate": pytest.approx(200 / 3),
            },
        ],
    }


def test_one_source_has_figures_of_its_own(api):
    some_records()
    body = api.get("/stats?source=farm").json()
    assert (body["total_records"], body["success_rate"]) == (1, 100.0)
    assert [entry["source"] for entry in body["by_source"]] == ["farm"]
    assert api.get("/stats?source=").json() == api.get("/stats").json()


def test_a_source_that_does_not_exist_has_no_records(api):
    some_records()
    assert api.get("/stats?source=unknown").json()["total_records"] == 0


@pytest.mark.parametrize("query", ["source=a:b", "source=%00", "source=" + "x" * 101, "status=raw"])
def test_wrong_parameters_are_answered_400(api, query):
    response = api.get(f"/stats?{query}")
    assert response.status_code == 400
    assert response.json()["detail"].startswith(query.partition("=")[0] + ": ")


def test_the_figures_are_read_from_counters(api, django_assert_max_num_queries):
    some_records()
    # Session, user, grants, permissions of the user and of the groups, totals, sources.
    with django_assert_max_num_queries(7) as queries:
        api.get("/stats")
    assert not any("data_records" in query["sql"] for query in queries.captured_queries)
