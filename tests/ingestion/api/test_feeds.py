"""Automatic imports by API."""

from ipaddress import ip_network

import pytest
from django.contrib.auth.models import Permission, User
from rest_framework.test import APIClient

from ingestion.feeds.secrets import decrypt
from records.jobs.runner import work_on
from records.models import DataRecord, Feed, IngestionRun, Source
from tests.apis import Reply, serving
from tests.factories import WORKER
from tests.people import viewer

pytestmark = pytest.mark.django_db
FEED = {
    "kind": "http",
    "url": "https://api.example/rows",
    "rows_path": "data.items",
    "paging": {"style": "cursor", "path": "meta.cursor", "param": "after"},
    "schedule": "0 6 * * *",
}
URL = "/api/v1/sources/shop/feed"


@pytest.fixture(autouse=True)
def installation(settings, tmp_path):
    settings.INPUT_DIR = tmp_path / "inputs"
    settings.ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    settings.FOLDER_ROOTS = [tmp_path / "inbox"]
    (tmp_path / "inbox" / "shop").mkdir(parents=True)


@pytest.fixture
def api() -> APIClient:
    client = APIClient()
    client.force_login(User.objects.create_superuser("admin"))
    return client


def test_a_feed_is_saved_read_changed_and_removed(api):
    saved = api.put(URL, {**FEED, "secrets": {"Authorization": "Bearer abc"}}, format="json")
    assert saved.status_code == 200
    assert b"abc" not in saved.content
    assert saved.json()["secrets"] == ["Authorization"]
    assert saved.json()["next_at"]
    assert api.get(URL).json() == saved.json()
    changed = api.put(URL, {**FEED, "enabled": False}, format="json").json()
    assert changed["next_at"] is None
    assert decrypt(Feed.objects.get().secrets) == {"Authorization": "Bearer abc"}
    (listed,) = api.get("/api/v1/feeds").json()["feeds"]
    assert listed == changed
    assert api.delete(URL).status_code == 204
    assert api.get(URL).status_code == 404
    assert Source.objects.names() == ["shop"]


def test_secrets_are_for_one_host_and_can_be_forgotten(api):
    api.put(URL, {**FEED, "secrets": {"X-Key": "abc"}}, format="json")
    elsewhere = api.put(URL, {**FEED, "url": "https://other.example/"}, format="json")
    assert elsewhere.json()["secrets"] == []
    api.put(URL, {**FEED, "secrets": {"X-Key": "abc"}}, format="json")
    assert api.put(URL, {**FEED, "forget_secrets": True}, format="json").json()["secrets"] == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"url": ""}, "url"),
        ({"url": "ftp://x/"}, "url"),
        ({"headers": {"Authorization": "Bearer abc"}}, "headers"),
        ({"headers": {"a b": "c"}}, "headers"),
        ({"secrets": {"a": "\n"}}, "secrets"),
        ({"paging": {"style": "cursor"}}, "paging_path"),
        ({"paging": {"style": ""}}, "paging"),
        ({"paging": {"x": ""}}, "paging"),
        ({"incremental": {"column": "at"}}, "cursor_column"),
        ({"schedule": "every day"}, "schedule"),
        ({"kind": "ftp"}, "kind"),
        ({"kind": "folder"}, "folder"),
        ({"kind": "folder", "folder": "/etc", "pattern": "*"}, "folder"),
        ({"x": 1}, "x"),
    ],
)
def test_a_feed_that_can_not_be_is_refused(api, changes, field):
    answer = api.put(URL, {**FEED, **changes}, format="json")
    assert answer.status_code == 400
    assert field in answer.json()["errors"]
    assert b"Bearer abc" not in answer.content
    assert not Feed.objects.exists()


def test_a_feed_is_tested_and_run(api):
    rows = [{"id": "1", "value": 2}, {"id": "2", "value": 3}]
    with serving(lambda request: Reply(rows)) as server:
        said = {"kind": "http", "url": f"{server.url}/rows"}
        tried = api.post(f"{URL}/test", said, format="json")
        assert tried.status_code == 200, tried.json()
        assert tried.json()["count"] == 2
        assert not Source.objects.exists()
        api.put(URL, said, format="json")
        started = api.post(f"{URL}/run")
        assert started.status_code == 202
        (run,) = started.json()["runs"]
        assert [each["id"] for each in api.post(f"{URL}/run").json()["runs"]] == [run["id"]]
        work_on(IngestionRun.objects.get(pk=run["id"]), WORKER)
    assert api.get(run["url"]).json()["ledger"]["created"] == 2
    assert DataRecord.objects.count() == 2


def test_a_folder_is_run_without_files(api):
    said = {"kind": "folder", "folder": "shop", "pattern": "*.csv"}
    assert api.put(URL, said, format="json").status_code == 200
    assert api.post(f"{URL}/run").json() == {"runs": []}
    assert api.post(f"{URL}/test", said, format="json").status_code == 400


def test_an_api_that_does_not_answer_is_told(api, settings):
    settings.ALLOWED_NETWORKS = []
    said = {"kind": "http", "url": "http://127.0.0.1:9/"}
    answer = api.post(f"{URL}/test", said, format="json")
    assert answer.status_code == 409
    assert "blocked" in answer.json()["detail"]


def test_each_change_needs_its_permission():
    client, user = APIClient(), viewer("reader")
    client.force_login(user)
    source = Source.objects.create(name="shop")
    feed = Feed.objects.create(source=source, kind="http", config={"url": FEED["url"]})

    def statuses():
        return [
            client.get("/api/v1/feeds").status_code,
            client.get(URL).status_code,
            client.put(URL, FEED, format="json").status_code,
            client.post(f"{URL}/run").status_code,
            client.post(f"{URL}/test", {"kind": "folder"}, format="json").status_code,
            client.delete(URL).status_code,
        ]

    assert statuses() == [403] * 6
    user.user_permissions.add(Permission.objects.get(codename="change_feed"))
    client.force_login(User.objects.get(pk=user.pk))
    assert statuses() == [200, 200, 200, 403, 400, 403]
    assert Feed.objects.filter(pk=feed.pk).exists()
