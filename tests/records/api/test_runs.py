"""Runs of every kind in one list: read, followed, cancelled and retried by API."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone
from rest_framework.test import APIClient

from ingestion.loading import rekey
from ingestion.loading.undo import create_undo
from processing.jobs import process, rule_dry_runs
from records.models import DryRun, Export, IngestionRun, RunState, Source
from records.run_kinds import KINDS
from tests.landed import land, sale
from tests.people import viewer

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> User:
    return User.objects.create_superuser("admin")


@pytest.fixture
def api(admin) -> APIClient:
    client = APIClient()
    client.force_login(admin)
    return client


@pytest.fixture
def reader() -> APIClient:
    client = APIClient()
    client.force_login(viewer("reader"))
    return client


@pytest.fixture
def runs(admin) -> dict[str, int]:
    """One run of each kind, by the order in which they were made; numbers by kind."""
    loaded = land("shop", {"1": sale(1)})
    replay = IngestionRun.objects.create(
        source=loaded.source, parent=loaded, file_name="x", trigger="api", state="finished"
    )
    made = [
        loaded,
        replay,
        rekey.create_rekey(source=loaded.source, columns=["value"], trigger="api"),
        process.create_run(trigger="api", source_name="shop"),
        DryRun.objects.create(run=loaded, trigger="api", report={"on_conflict": "update"}),
        rule_dry_runs.start(loaded.source, [], trigger="api"),
        create_undo(run=loaded, trigger="api", user=admin),
        Export.objects.create(user=admin, trigger="api", query="source=shop"),
    ]
    return dict(zip(KINDS, (run.pk for run in made), strict=True))


def listed(client, query=""):
    return [(run["kind"], run["id"]) for run in client.get(f"/api/v1/runs?{query}").json()["runs"]]


def test_runs_of_every_kind_are_in_one_list_newest_first(api, runs):
    assert listed(api) == list(runs.items())[::-1]


def test_pages_of_the_list_miss_no_run_and_repeat_none(api, runs):
    land("other", {"1": sale(1)})
    url, seen = "/api/v1/runs?limit=3", []
    while url:
        answer = api.get(url)
        told = answer.json()
        assert told["count"] == len(told["runs"]) <= 3
        seen += [(run["kind"], run["id"]) for run in told["runs"]]
        url = told["next"]
        assert ("Link" in answer) == bool(url)
    assert seen == listed(api)
    assert len(set(seen)) == 9


@pytest.mark.parametrize("kind", KINDS)
def test_the_list_is_narrowed_by_kind_and_each_run_has_its_own_url(api, runs, kind):
    (run,) = api.get(f"/api/v1/runs?kind={kind}").json()["runs"]
    assert (run["kind"], run["id"]) == (kind, runs[kind])
    assert run["url"] == f"http://testserver/api/v1/runs/{kind}/{runs[kind]}"
    alone = api.get(run["url"])
    assert alone.status_code == 200
    assert alone.json().items() >= {name: run[name] for name in ("kind", "id", "state")}.items()


def test_the_list_is_narrowed_by_source_and_state(api, runs):
    other = land("other", {"1": sale(1)})
    everywhere = process.create_run(trigger="api")
    assert listed(api, "source=other") == [
        ("processing", everywhere.pk),
        ("ingestion", other.pk),
    ]
    assert listed(api, "source=nobody") == []
    assert listed(api, "source=other&state=finished") == [("ingestion", other.pk)]


@pytest.mark.parametrize(
    "query", ["kind=x", "kind=", "state=", "state=x", "cursor=x", "limit=0", "a=1", "source=%00"]
)
def test_a_wrong_or_blank_parameter_is_refused(api, query):
    answer = api.get(f"/api/v1/runs?{query}")
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {query.split("=")[0]}


def test_a_cursor_of_another_list_is_refused(api, runs):
    land("shop", {"2": sale(2)})
    cursor = api.get("/api/v1/records?limit=1").json()["next"].split("cursor=")[1]
    assert api.get(f"/api/v1/runs?cursor={cursor}").status_code == 400


def test_the_exports_of_others_are_not_shown(reader, runs):
    assert ("export", runs["export"]) not in listed(reader)
    assert reader.get(f"/api/v1/runs/export/{runs['export']}").status_code == 404
    assert reader.post(f"/api/v1/runs/export/{runs['export']}/cancel").status_code == 404


def test_an_active_run_says_when_to_ask_again_and_is_sent_only_when_it_changed(api, runs):
    url = f"/api/v1/runs/processing/{runs['processing']}"
    first = api.get(url)
    assert first["Retry-After"] == "2"
    again = api.get(url, headers={"if-none-match": first["ETag"]})
    assert again.status_code == 304
    assert again["Retry-After"] == "2"
    assert api.post(f"{url}/cancel").status_code == 200
    ended = api.get(url, headers={"if-none-match": first["ETag"]})
    assert ended.status_code == 200
    assert ended.json()["state"] == "cancelled"
    assert "Retry-After" not in ended


@pytest.mark.parametrize("kind", ["processing", "rule_dry_run", "export"])
def test_a_run_is_cancelled_once(api, runs, kind):
    url = f"/api/v1/runs/{kind}/{runs[kind]}/cancel"
    assert api.post(url).json()["state"] == "cancelled"
    again = api.post(url)
    assert again.status_code == 409
    assert again.json()["code"] == "conflict"


@pytest.mark.parametrize("kind", ["undo", "dry_run", "x"])
def test_what_no_page_can_cancel_the_api_can_not_either(api, runs, kind):
    assert api.post(f"/api/v1/runs/{kind}/{runs.get(kind, 1)}/cancel").status_code == 404


def test_a_run_that_waits_is_tried_again(api, runs):
    url = f"/api/v1/runs/ingestion/{runs['ingestion']}/retry"
    assert api.post(url).status_code == 409
    later = timezone.now() + timedelta(hours=1)
    IngestionRun.objects.filter(pk=runs["ingestion"]).update(
        state=RunState.QUEUED, retry_at=later, waits_for="The disk is full."
    )
    answer = api.post(url)
    assert answer.status_code == 200
    assert answer.json()["waits_for"] == "The disk is full."
    retry_at = IngestionRun.objects.get(pk=runs["ingestion"]).retry_at
    assert retry_at is not None
    assert retry_at < later


@pytest.mark.parametrize(
    ("path", "permission"),
    [
        ("processing/{processing}/cancel", "add_processingrun"),
        ("processing/{processing}/retry", "add_processingrun"),
        ("ingestion/{ingestion}/cancel", "add_ingestionrun"),
        ("ingestion/{ingestion}/retry", "add_ingestionrun"),
        ("rule_dry_run/{rule_dry_run}/cancel", "add_ruleset"),
    ],
)
def test_changing_a_run_needs_the_permission_of_its_page(reader, runs, path, permission):
    url = f"/api/v1/runs/{path.format(**runs)}"
    refused = reader.post(url)
    assert refused.status_code == 403
    assert refused.json()["code"] == "permission_denied"
    User.objects.get(username="reader").user_permissions.add(
        Permission.objects.get(codename=permission)
    )
    assert reader.post(url).status_code in (200, 409)


def test_the_number_of_queries_does_not_grow_with_the_runs(
    api, runs, django_assert_max_num_queries
):
    source = Source.objects.get(name="shop")
    for _ in range(20):
        IngestionRun.objects.create(source=source, file_name="x", trigger="api", state="finished")
    with django_assert_max_num_queries(16):
        api.get("/api/v1/runs")
