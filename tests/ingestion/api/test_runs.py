"""GET /api/runs and GET /api/runs/<id>."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from records.models import IngestionRun, Source
from records.rows import Reject
from tests.landed import land, sale
from tests.people import viewer

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> APIClient:
    client = APIClient()
    client.force_login(viewer("reader"))
    return client


def test_a_run_tells_its_state_ledger_and_progress(api):
    rejects = (Reject(3, b"x", "bad", "Bad."),)
    run = land("shop", {"1": sale(1), "2": sale(2)}, rejects=rejects)
    answer = api.get(f"/api/runs/{run.pk}")
    assert answer.status_code == 200
    told = answer.json()
    assert told["id"] == run.pk
    assert (told["source"], told["state"], told["error"]) == ("shop", "finished", "")
    assert told["ledger"] == {
        "read": 3, "created": 2, "updated": 0, "unchanged": 0, "rejected": 1,
    }  # fmt: skip
    assert told["progress"]["share"] == 1.0
    assert told["progress"]["seconds_left"] is None
    assert (told["how"], told["user"]) == ("test", None)
    assert told["page"] == run.get_absolute_url()
    # Where the file lies on the server is nobody's business.
    assert "path" not in told


def test_a_run_under_way_tells_how_long_it_will_take(api):
    run = IngestionRun.objects.create(
        source=Source.objects.create(name="shop"),
        file_name="x.csv",
        trigger="test",
        state="running",
        size=1000,
        bytes_read=250,
        read=10,
        created=10,
        started_at=timezone.now() - timedelta(seconds=10),
    )
    progress = api.get(f"/api/runs/{run.pk}").json()["progress"]
    assert (progress["bytes_read"], progress["bytes_total"]) == (250, 1000)
    assert progress["share"] == 0.25
    assert progress["rows_per_second"] == pytest.approx(1, rel=0.1)
    assert progress["seconds_left"] == pytest.approx(30, rel=0.1)


def test_a_run_that_fetches_tells_what_it_does_and_no_size_that_is_not_known(api):
    run = IngestionRun.objects.create(
        source=Source.objects.create(name="shop"),
        file_name="shop.ndjson",
        trigger="test",
        state="running",
        lease_until=timezone.now() + timedelta(hours=1),
        activity="Fetching page 3 (2,000 rows so far)",
    )
    progress = api.get(f"/api/runs/{run.pk}").json()["progress"]
    assert (progress["activity"], progress["bytes_total"]) == (run.activity, None)
    IngestionRun.objects.filter(pk=run.pk).update(state="queued")
    assert api.get(f"/api/runs/{run.pk}").json()["progress"]["activity"] == "Waiting for a worker"
    IngestionRun.objects.filter(pk=run.pk).update(state="failed")
    assert api.get(f"/api/runs/{run.pk}").json()["progress"]["activity"] == ""


def test_the_list_walks_from_the_newest_to_the_oldest(api):
    runs = [land("shop", {str(n): sale(n)}).pk for n in range(7)]
    walked: list[int] = []
    url = "/api/runs?limit=3"
    while url:
        answer = api.get(url).json()
        assert answer["count"] == len(answer["runs"]) <= 3
        walked += [run["id"] for run in answer["runs"]]
        url = answer["next"]
    assert walked == runs[::-1]


def test_the_list_is_narrowed_by_source_and_state(api):
    land("shop", {"1": sale(1)})
    run = land("other", {"1": sale(1)})
    failed = land("other", {"2": sale(2)})
    IngestionRun.objects.filter(pk=failed.pk).update(state="failed", error="It is gone.")

    def ids(query):
        return [told["id"] for told in api.get(f"/api/runs?{query}").json()["runs"]]

    assert ids("source=other") == [failed.pk, run.pk]
    assert ids("source=other&state=failed") == [failed.pk]
    assert ids("source=nobody") == []


@pytest.mark.parametrize(
    "query",
    ["state=x", "state=%00", "source=%00", "source=a%20b", "limit=0", "limit=x", "cursor=x", "a=1",
     "limit=1&limit=2"],
)  # fmt: skip
def test_a_wrong_parameter_is_a_400_with_a_sentence(api, query):
    answer = api.get(f"/api/runs?{query}")
    assert answer.status_code == 400
    assert answer.json()["detail"].endswith(".") or answer.json()["detail"]
    assert answer.json()["errors"]


@pytest.mark.parametrize("number", ["0", "999", "9" * 30])
def test_an_unknown_run_is_a_404(api, number):
    answer = api.get(f"/api/runs/{number}")
    assert answer.status_code == 404
    assert answer.json() == {"detail": "Run not found"}


def test_the_number_of_queries_does_not_grow_with_the_runs(api, django_assert_max_num_queries):
    for n in range(20):
        land(f"source{n}", {"1": sale(1)})
    # Session, user, grants, permissions of the user and of the groups, runs; on PostgreSQL a
    # savepoint and a time limit come with the list.
    with django_assert_max_num_queries(10):
        assert api.get("/api/runs").json()["count"] == 20


def test_runs_are_for_who_is_known(db):
    for url in ("/api/runs", "/api/runs/1"):
        assert APIClient().get(url).status_code == 401


def test_runs_are_browsable(api):
    run = land("shop", {"1": sale(1)})
    for url in ("/api/runs", f"/api/runs/{run.pk}"):
        page = api.get(url, headers={"accept": "text/html"})
        assert page.status_code == 200
        assert b"shop" in page.content
