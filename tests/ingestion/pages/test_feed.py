"""The page of a feed, and the command that loads one."""

import io
import json
from datetime import timedelta
from ipaddress import ip_network

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.utils import timezone

from ingestion.feeds import folders, services
from ingestion.feeds.secrets import decrypt
from ingestion.management.commands import fetch
from records.jobs.runner import work_on
from records.models import DataRecord, Feed, IngestionRun, RunState, Source
from tests.apis import ROWS, Reply, rows_by, serving
from tests.people import viewer

pytestmark = pytest.mark.django_db

API = {
    "kind": "http",
    "url": "https://api.example/rows",
    "style": "cursor",
    "paging_path": "meta.cursor",
    "paging_param": "after",
    "rows_path": "data.items",
    "cursor_value": "{position}",
    "enabled": "on",
}


@pytest.fixture(autouse=True)
def installation(settings, tmp_path):
    settings.INPUT_DIR = tmp_path / "inputs"
    settings.ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    settings.FEED_TIMEOUTS = {"read": 0.5, "backoff": 0.001, "tries": 12, "slice": 0.05}
    settings.FOLDER_ROOTS = [tmp_path / "inbox"]
    (tmp_path / "inbox" / "shop").mkdir(parents=True)
    return settings


def test_a_source_from_an_api_is_made_and_loaded_by_hand(admin_client):
    made = admin_client.post("/feeds/new/", {**API, "source": "shop", "schedule": "0 6 * * *"})
    assert made["Location"] == "/sources/shop/feed/"
    feed = Feed.objects.get(source__name="shop")
    assert feed.config["url"] == API["url"]
    assert feed.config["paging"]["style"] == "cursor"
    html = admin_client.get("/sources/shop/feed/").content.decode()
    assert "Next import" in html
    assert 'value="https://api.example/rows"' in html
    run_page = admin_client.post("/sources/shop/feed/load/")["Location"]
    run = IngestionRun.objects.get()
    assert (run_page, run.feed, str(run.user)) == (run.get_absolute_url(), feed, "admin")
    assert admin_client.get(run_page).status_code == 200
    assert 'href="/sources/shop/feed/"' in admin_client.get("/sources/shop/").content.decode()


def test_what_was_kept_is_shown_again_and_saved_again_as_it_was(admin_client):
    config = {
        "url": "https://api.example/",
        "headers": {"Accept-Language": "en"},
        "rows_path": "rows",
        "paging": {"style": "page", "param": "p", "start": 0, "limit_param": "n", "limit": 50},
        "incremental": {"column": "at", "param": "since", "value": "gt.{position}", "start": "0"},
    }
    services.save_feed(source_name="shop", kind="http", config=config, schedule="* * * * *")
    form = admin_client.get("/sources/shop/feed/").context["form"]
    shown = {field.name: field.value() for field in form}
    said = {
        name: value for name, value in shown.items() if value is not None and value is not False
    }
    assert admin_client.post("/sources/shop/feed/", said).status_code == 302
    assert Feed.objects.get().config == config


def test_secrets_are_taken_and_never_shown(admin_client, caplog):
    secret = {"secrets": "Authorization: Bearer hush\nX-Key: hush"}
    wrong = admin_client.post("/feeds/new/", {**API, **secret, "source": "no name"})
    assert wrong.status_code == 400
    admin_client.post("/feeds/new/", {**API, **secret, "source": "shop"})
    feed = Feed.objects.get()
    assert decrypt(feed.secrets) == {"Authorization": "Bearer hush", "X-Key": "hush"}
    admin_client.post("/sources/shop/feed/load/")
    pages = ["/sources/shop/feed/", "/sources/shop/", "/sources/", "/runs/", "/admin/",
             f"/admin/records/source/{feed.source_id}/change/", "/api/stats",
             IngestionRun.objects.get().get_absolute_url()]  # fmt: skip
    answers = [wrong, *(admin_client.get(page, follow=True) for page in pages)]
    for answer in answers:
        assert "hush" not in answer.content.decode()
        assert feed.secrets not in answer.content.decode()
    assert "<code>Authorization</code>" in answers[1].content.decode()
    assert "hush" not in caplog.text
    admin_client.post("/sources/shop/feed/", API)
    assert decrypt(Feed.objects.get().secrets)["X-Key"] == "hush"
    admin_client.post("/sources/shop/feed/", {**API, "forget_secrets": "on"})
    assert Feed.objects.get().secrets == ""


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"url": "file:///etc/passwd"}, "The URL must start with https:// or http://"),
        ({"url": ""}, "The URL must start with"),
        ({"url": "a\0b"}, "Null characters are not allowed."),
        ({"headers": "Authorization: hush"}, "looks like a secret"),
        ({"secrets": "hush"}, "Line 1 must be written as Name: value."),
        ({"schedule": "soon"}, "is not a schedule such as"),
        ({"kind": "folder", "folder": "/etc", "pattern": "*"}, "is not in the folders"),
        ({"kind": "other"}, "Select a valid choice"),
        ({"style": "other"}, "Select a valid choice"),
        ({"limit": "many"}, "Enter a whole number"),
        ({"limit": "50"}, "Rows per page needs a parameter"),
        ({"source": ""}, "A name must start with"),
        ({"paging_param": ""}, "Give the parameter"),
    ],
)
def test_what_can_not_work_is_said_and_what_was_written_stays(admin_client, fields, sentence):
    answer = admin_client.post("/feeds/new/", {"source": "shop", **API, **fields})
    assert answer.status_code == 400
    html = answer.content.decode()
    assert sentence in html
    assert 'value="meta.cursor"' in html
    assert not Source.objects.exists()


def test_trying_shows_the_first_rows_and_keeps_nothing(admin_client):
    with serving(rows_by("cursor")) as api:
        said = {**API, "source": "shop", "url": f"{api.url}/rows", "do": "try"}
        html = admin_client.post("/feeds/new/", {**said, "secrets": "X-Key: hush"}).content.decode()
        assert len(api.requests) == 1
        assert api.requests[0].headers["X-Key"] == "hush"
        assert "First page: 10 rows" in html
        assert "r0000" in html
        assert "hush" not in html
        wrong = admin_client.post("/feeds/new/", {**said, "rows_path": "items"}).content.decode()
    assert "there is no &#x27;items&#x27; at its top level, only &#x27;data&#x27;" in wrong
    assert not Feed.objects.exists()


def test_trying_uses_kept_secrets_for_their_own_host_only(admin_client):
    with serving(lambda request: Reply([1])) as mine, serving(lambda request: Reply([1])) as other:
        config = {"url": mine.url}
        services.save_feed(
            source_name="shop", kind="http", config=config, secrets={"X-Key": "hush"}
        )
        for api in (mine, other):
            admin_client.post("/sources/shop/feed/", {"kind": "http", "url": api.url, "do": "try"})
        assert mine.requests[0].headers["X-Key"] == "hush"
        assert len(other.requests) == 1
        assert "hush" not in str(other.requests)


def test_a_try_that_is_refused_says_why(admin_client, settings):
    settings.ALLOWED_NETWORKS = []
    with serving(rows_by("none")) as api:
        said = {**API, "source": "shop", "url": api.url, "do": "try"}
        answer = admin_client.post("/feeds/new/", said)
        assert api.requests == []
    assert answer.status_code == 400
    assert "not on the public internet" in answer.content.decode()


def test_feeds_need_their_permission(client):
    services.save_feed(source_name="shop", kind="http", config={"url": API["url"]})
    for page in ("/sources/shop/feed/", "/feeds/new/"):
        assert client.get(page)["Location"].startswith("/login/")
    user = viewer("reader")
    client.force_login(user)
    assert client.get("/sources/shop/feed/").status_code == 403
    assert client.post("/feeds/new/", {**API, "source": "other"}).status_code == 403
    assert client.post("/sources/shop/feed/load/").status_code == 403
    assert "/feed/" not in client.get("/sources/shop/").content.decode()
    assert "/feeds/new/" not in client.get("/sources/").content.decode()
    user.user_permissions.add(Permission.objects.get(codename="change_feed"))
    assert client.get("/sources/shop/feed/").status_code == 200
    assert client.post("/sources/shop/feed/load/").status_code == 403


def test_a_source_that_loads_itself_is_not_made_twice(admin_client):
    admin_client.post("/feeds/new/", {**API, "source": "shop"})
    answer = admin_client.post("/feeds/new/", {**API, "source": "shop"})
    assert answer.status_code == 400
    assert "already has an automatic import" in answer.content.decode()


def test_unknown_sources_have_no_feed(admin_client):
    assert admin_client.get("/sources/none/feed/").status_code == 404
    Source.objects.create(name="plain")
    assert admin_client.get("/sources/plain/feed/").status_code == 200
    assert admin_client.post("/sources/plain/feed/load/").status_code == 404


def test_a_feed_is_removed_once_that_is_confirmed_and_its_runs_tell_what_happened(admin_client):
    with serving(rows_by("cursor")) as api:
        said = {**API, "url": f"{api.url}/rows", "secrets": "X-Key: hush", "source": "shop"}
        admin_client.post("/feeds/new/", said)
        (done,) = services.start(Feed.objects.get(), trigger="test")
        work_on(done, "tests")
    (waiting,) = services.start(Feed.objects.get(), trigger="test")
    page = "/sources/shop/feed/remove/"
    assert f'href="{page}"' in admin_client.get("/sources/shop/feed/").content.decode()
    asked = admin_client.get(page).content.decode()
    assert "Remove the automatic import of shop?" in asked
    assert "1 run that has not fetched any rows yet is cancelled" in asked
    assert Feed.objects.exists()
    answer = admin_client.post(page, follow=True)
    assert answer.redirect_chain == [("/sources/shop/", 302)]
    assert "Automatic import removed." in answer.content.decode()
    assert not Feed.objects.exists()
    for run in (done, waiting):
        run.refresh_from_db()
    assert (done.state, waiting.state) == (RunState.FINISHED, RunState.CANCELLED)
    assert DataRecord.objects.count() == len(ROWS)
    assert "pages fetched" in admin_client.get(done.get_absolute_url()).content.decode()
    assert "Import from" in admin_client.get("/sources/shop/feed/").content.decode()
    assert admin_client.get(page).status_code == admin_client.post(page).status_code == 404


def test_removing_a_feed_needs_its_permission(client):
    services.save_feed(source_name="shop", kind="http", config={"url": API["url"]})
    user = viewer("changer")
    user.user_permissions.add(Permission.objects.get(codename="change_feed"))
    client.force_login(user)
    page = "/sources/shop/feed/remove/"
    assert page not in client.get("/sources/shop/feed/").content.decode()
    assert client.get(page).status_code == client.post(page).status_code == 403
    assert Feed.objects.exists()
    user.user_permissions.add(Permission.objects.get(codename="delete_feed"))
    assert client.get(page).status_code == 200


def test_a_folder_says_what_it_waits_for(admin_client, settings):
    said = {"kind": "folder", "folder": "shop", "pattern": "*.csv", "source": "shop"}
    admin_client.post("/feeds/new/", said)

    def load():
        return admin_client.post("/sources/shop/feed/load/", follow=True).content.decode()

    assert "There are no new files to import." in load()
    (settings.FOLDER_ROOTS[0] / "shop" / "a.csv").write_text("id\n1\n")
    assert "once they have stopped growing" in load()


def test_the_command_loads_an_api_and_prints_its_ledger():
    with serving(rows_by("cursor")) as api:
        config = {
            "url": f"{api.url}/rows",
            "rows_path": "data.items",
            "paging": {"style": "cursor", "path": "meta.cursor", "param": "after"},
        }
        services.save_feed(source_name="shop", kind="http", config=config)
        out = io.StringIO()
        call_command("fetch", "shop", "--json", stdout=out)
    said = json.loads(out.getvalue())
    assert (said["source"], said["state"]) == ("shop", "finished")
    assert said["read"] == said["created"] == len(ROWS)


def test_the_command_looks_twice_at_a_folder_and_tells_of_failures(settings, monkeypatch):
    for module in (folders, fetch):
        monkeypatch.setattr(module, "QUIET", timedelta(0))
    services.save_feed(
        source_name="shop", kind="folder", config={"folder": "shop", "pattern": "*.csv"}
    )
    (settings.FOLDER_ROOTS[0] / "shop" / "a.csv").write_text("id\n1\n")
    out = io.StringIO()
    call_command("fetch", "shop", stdout=out)
    assert "a.csv -> shop" in out.getvalue()
    with pytest.raises(CommandError, match="No source 'none' with an automatic import"):
        call_command("fetch", "none")
    services.save_feed(source_name="b", kind="http", config={"url": "http://10.0.0.1/"})
    err = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("fetch", "b", stdout=out, stderr=err)
    assert "not on the public internet" in err.getvalue()


def test_the_page_tells_that_loading_fails_and_that_a_feed_is_due_without_a_worker(admin_client):
    admin_client.post("/feeds/new/", {**API, "source": "shop", "schedule": "0 6 * * *"})
    feed = Feed.objects.get()
    run = IngestionRun.objects.create(
        source=feed.source, feed=feed, file_name="shop.ndjson", trigger="schedule", state="failed",
        error="api.example can't be fetched.", finished_at=timezone.now(),
    )  # fmt: skip
    html = admin_client.get("/sources/shop/feed/").content.decode()
    assert "The last import failed" in html
    assert f'<a href="{run.get_absolute_url()}">Run {run.pk}</a>' in html
    Feed.objects.update(next_at=timezone.now() - timedelta(hours=2))
    html = admin_client.get("/sources/shop/feed/").content.decode()
    assert "no worker has started it" in html
    assert "Next import" not in html


def test_a_folder_that_is_switched_off_promises_no_second_look(admin_client, tmp_path):
    (tmp_path / "inbox" / "shop" / "a.csv").write_text("id,value\n1,2\n")
    form = {"kind": "folder", "folder": "shop", "pattern": "*.csv", "source": "shop"}
    admin_client.post("/feeds/new/", form)
    assert not Feed.objects.get().enabled
    html = admin_client.post("/sources/shop/feed/load/", follow=True).content.decode()
    assert "import again in a few seconds" in html
    assert Feed.objects.get().next_at is None, "nobody would look at it then"
