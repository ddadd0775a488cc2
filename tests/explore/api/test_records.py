"""GET /records and GET /records/<id>."""

from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from rest_framework.test import APIClient

from records import store
from records.database.bulk import is_postgresql
from tests.landed import land, process_all, sale
from tests.people import viewer

pytestmark = pytest.mark.django_db

PREFIXES = ["", "/api"]


@pytest.fixture
def api() -> APIClient:
    client = APIClient()
    client.force_login(viewer("reader"))
    return client


def follow(api: APIClient, url: str) -> list[dict[str, Any]]:
    answers = []
    while url:
        answers.append(api.get(url).json())
        url = answers[-1]["next"]
    return answers


def test_an_empty_installation_has_an_empty_list(api):
    assert api.get("/records").json() == {"records": [], "count": 0, "next": None}


def test_a_record_in_the_list_tells_its_row_and_its_status(api):
    land("shop", {"1": {"id": "1", "value": "007.50", "category": "  Ä "}})
    assert api.get("/records").json() == {
        "records": [
            {
                "id": "shop:1",
                "timestamp": "2026-03-01T12:00:00Z",
                "source": "shop",
                "status": "raw",
                "data": {"id": "1", "value": "007.50", "category": "  Ä "},
            }
        ],
        "count": 1,
        "next": None,
    }


def test_the_list_holds_a_hundred_records_by_default_and_a_thousand_at_most(api):
    land("shop", {f"{number:04}": sale(number) for number in range(1_001)})
    assert api.get("/records").json()["count"] == 100
    assert api.get("/records?limit=").json()["count"] == 100
    assert api.get("/records?limit=1000").json()["count"] == 1_000


@pytest.mark.parametrize("prefix", PREFIXES)
def test_following_next_gives_each_record_once_under_the_url_that_was_asked(api, prefix):
    land("shop", {key: sale(1) for key in "abcdefg"})
    land("other", {key: sale(1) for key in "abc"})

    answers = follow(api, f"http://testserver{prefix}/records?source=shop&limit=3&q=toys")

    ids = [record["id"] for answer in answers for record in answer["records"]]
    assert ids == [f"shop:{key}" for key in "abcdefg"]
    assert [answer["count"] for answer in answers] == [3, 3, 1]
    for answer in answers[:-1]:
        parts = urlsplit(answer["next"])
        assert (parts.netloc, parts.path) == ("testserver", f"{prefix}/records")
        assert {"source=shop", "limit=3", "q=toys"} < set(parts.query.split("&"))


def test_source_and_status_narrow_the_list(api):
    land("shop", {"1": sale(1), "2": {"id": "2"}})
    land("other", {"1": sale(1)})
    process_all()
    land("shop", {"3": sale(3)})

    def ids(query: str) -> list[str]:
        return [record["id"] for record in api.get(f"/records?{query}").json()["records"]]

    assert ids("source=shop&status=processed") == ["shop:1"]
    assert ids("status=failed") == ["shop:2"]
    assert ids("status=raw&source=") == ["shop:3"]
    assert ids("status=processing") == []
    assert ids("source=unknown") == []


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("limit=1001", "limit: Must be a whole number from 1 to 1,000."),
        ("limit=0", "limit: Must be a whole number from 1 to 1,000."),
        ("limit=-1", "limit: Must be a whole number from 1 to 1,000."),
        ("limit=ten", "limit: Must be a whole number from 1 to 1,000."),
        ("limit=1e2", "limit: Must be a whole number from 1 to 1,000."),
        ("limit=5%00", "limit: Must be a whole number from 1 to 1,000."),
        ("limit=" + "9" * 5000, "limit: Must be a whole number from 1 to 1,000."),
        ("status=done", "status: There is no status “done”."),
        ("source=a%00b", "source: "),
        ("q=a%00b", "q: Null characters are not allowed."),
        ("cursor=abc", "cursor: The cursor is not valid"),
        ("cursor=%00", "cursor: The cursor is not valid"),
        ("offset=5", "offset: Unknown parameter. Allowed: anomaly,"),
        ("Limit=5", "Limit: Unknown parameter."),
        ("limit=1&limit=2", "limit: This parameter may be given only once."),
    ],
)
def test_wrong_parameters_are_answered_400_with_a_sentence_that_names_them(api, query, sentence):
    response = api.get(f"/records?{query}")
    assert response.status_code == 400
    assert sentence in response.json()["detail"]
    assert list(response.json()["errors"]) == [query.partition("=")[0]]


def test_all_wrong_filters_are_named_at_once(api):
    response = api.get("/records?status=done&run=first")
    assert set(response.json()["errors"]) == {"status", "run"}


def test_the_list_costs_the_same_queries_for_one_record_and_for_many(
    api, django_assert_max_num_queries
):
    land("shop", {f"{number:04}": sale(number) for number in range(500)})
    # Session, user, grants, permissions of the user and of the groups, records; PostgreSQL needs
    # four more to be told how long the list may take.
    with django_assert_max_num_queries(10 if is_postgresql() else 6):
        assert api.get("/records?limit=500").json()["count"] == 500


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_raw_record_tells_where_it_came_from(api, prefix):
    run = land("shop", {"1": sale(1)})
    body = api.get(f"{prefix}/records/shop:1").json()
    assert body.pop("created_at")
    assert body == {
        "id": "shop:1",
        "timestamp": "2026-03-01T12:00:00Z",
        "source": "shop",
        "status": "raw",
        "data": sale(1),
        "processed_at": None,
        "version": 1,
        "run": run.pk,
        "line": 2,
        "closed_by_run": None,
        "result": None,
    }


def test_a_processed_record_tells_its_current_result(api):
    land("shop", {"1": {"id": "1", "value": "bad", "category": " Toys "}})
    process_all()
    body = api.get("/records/shop:1").json()
    assert body["status"] == "processed"
    assert body["processed_at"]
    result = body["result"]
    assert (result["success"], result["error_message"], result["errors"]) == (True, None, [])
    assert result["processed_data"]["value"] == 0.0
    assert result["processed_data"]["category"] == "toys"
    assert result["repairs"][0]["column"] == "value"
    assert result["repairs"][0]["before"] == "bad"
    assert result["rule_set_version"] == 1
    assert result["processing_time"] >= 0


def test_a_failed_record_tells_why(api):
    land("shop", {"1": {"id": "1"}})
    process_all()
    result = api.get("/records/shop:1").json()["result"]
    assert result["success"] is False
    assert result["error_message"].startswith("Data validation failed")
    assert result["errors"][0]["column"] == "value"
    assert result["processed_data"] is None


def test_an_edited_record_has_no_result_until_it_has_been_processed_again(api):
    land("shop", {"1": sale(1)})
    process_all()
    store.edit_record(record_id="shop:1", data=sale(2), user=None)
    body = api.get("/records/shop:1").json()
    assert (body["version"], body["status"], body["result"]) == (2, "raw", None)


@pytest.mark.parametrize(
    "key",
    [
        "a/b",
        "a//b/",
        "/",
        "..",
        "a?b=c",
        "a b",
        "a\nb",
        "50%",
        "%2F",
        "%00",
        "a#b",
        "ä/日本",
        "a+b",
    ],
)
def test_a_key_may_hold_any_character(api, key):
    land("shop", {key: sale(1)})
    response = api.get(f"/records/{quote(f'shop:{key}', safe='')}")
    assert response.status_code == 200
    assert response.json()["id"] == f"shop:{key}"


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize(
    "part", ["shop:2", "x", "%00", "shop:1%00", "%FF", "%ED%A0%80", "x" * 5000, "shop:1/"]
)
def test_an_unknown_record_is_answered_404(api, prefix, part):
    land("shop", {"1": sale(1)})
    response = api.get(f"{prefix}/records/{part}")
    assert response.status_code == 404
    assert response.json() == {"detail": "Record not found"}


def test_a_record_takes_no_parameters(api):
    land("shop", {"1": sale(1)})
    response = api.get("/records/shop:1?fields=id")
    assert response.status_code == 400
    assert response.json()["detail"] == ("fields: Unknown parameter. None are allowed here.")


def test_a_record_is_only_read_at_its_url(api):
    land("shop", {"1": sale(1)})
    for method in (api.put, api.patch, api.delete):
        assert method("/records").status_code == 405
        assert method("/records/shop:1").status_code == 405
    assert api.post("/records/shop:1").status_code == 405
