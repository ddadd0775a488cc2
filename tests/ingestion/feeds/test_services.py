"""Feeds as they are kept and started: schedules, secrets, folders, and the runs of APIs."""

import os
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from ingestion.errors import InvalidSourceName
from ingestion.feeds import folders, jobs, loading, services
from ingestion.feeds.errors import FolderRefused, InvalidFeed, SecretUnknown
from ingestion.feeds.fetch import fetch
from ingestion.feeds.secrets import decrypt, encrypt, filled_in
from ingestion.feeds.services import save_feed, start, try_api
from ingestion.loading import undo
from ingestion.loading.failing import failing
from records.jobs.runner import run_job, work_on
from records.jobs.sweep import wake_stalled
from records.models import DataRecord, Feed, FolderFile, IngestionRun, RunState, Source
from tests.apis import ROWS, Reply, rows_by, serving

pytestmark = pytest.mark.django_db

API = {"url": "https://api.example/rows"}
PAGED = {
    "rows_path": "data.items",
    "paging": {"style": "cursor", "path": "meta.cursor", "param": "after"},
}


@pytest.fixture(autouse=True)
def installation(settings, tmp_path):
    settings.INPUT_DIR = tmp_path / "inputs"
    settings.ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    settings.FEED_TIMEOUTS = {"read": 0.5, "backoff": 0.001, "tries": 12, "slice": 0.05}
    settings.FOLDER_ROOTS = [tmp_path / "inbox"]
    (tmp_path / "inbox" / "shop").mkdir(parents=True)
    return settings


@pytest.fixture
def inbox(tmp_path):
    return tmp_path / "inbox" / "shop"


def api_feed(url, **more):
    config = {"url": url, **PAGED, **more.pop("config", {})}
    return save_feed(source_name="shop", kind="http", config=config, **more)


def loaded(feed):
    """The runs that loading the feed makes, as they end."""
    made = start(feed, trigger="test")
    return [work_on(run, "tests") for run in made]


# APIs


def test_an_api_lands_every_row_once_whatever_fails_on_the_way():
    with serving(rows_by("cursor"), trouble=0.3, silence=0.8) as api:
        feed = api_feed(f"{api.url}/rows")
        (run,) = loaded(feed)
        assert (run.state, run.error) == (RunState.FINISHED, "")
        assert (run.read, run.created) == (len(ROWS), len(ROWS))
        assert sum(page["rows"] for page in run.pages) == len(ROWS)
        assert DataRecord.objects.count() == len(ROWS)
        assert DataRecord.objects.get(pk="shop:r0007").data == {"id": "r0007", "value": 7}
        (again,) = loaded(feed)
        assert (again.created, again.unchanged) == (0, len(ROWS))


def test_a_run_says_which_page_is_fetched_or_why_none_comes(monkeypatch, settings):
    monkeypatch.setattr(loading, "TELL_SECONDS", 0)
    settings.FEED_TIMEOUTS = {"read": 0.5, "backoff": 0.01, "tries": 2, "slice": 0.005}
    whole, shown = rows_by("cursor"), []

    def answer(request):
        return Reply(b"", 503) if len(api.requests) == 3 else whole(request)

    def on_progress(run):
        if not run.path:
            kept = IngestionRun.objects.values_list("activity", flat=True).get()
            shown.append((kept, run.activity))

    with serving(answer) as api:
        (run,) = start(api_feed(f"{api.url}/rows"), trigger="test")
        done = work_on(run, "tests", on_progress)
    assert done is not None
    assert (done.state, done.activity) == (RunState.FINISHED, "")
    assert all(kept == told for kept, told in shown), "what is kept is what is shown"
    told = [told for _, told in shown]
    assert told[:2] == ["Fetching page 1 (0 rows so far)", "Fetching page 2 (10 rows so far)"]
    trouble = "No page from 127.0.0.1: it returned 503 (Service Unavailable). Tried once"
    assert f"{trouble}, retrying now." in told


def test_a_run_of_an_api_that_no_one_answers_says_so_while_it_is_tried_again(settings, monkeypatch):
    monkeypatch.setattr(loading, "TELL_SECONDS", 0)
    settings.FEED_TIMEOUTS = {"tries": 2, "backoff": 0.01, "slice": 0.005}
    shown: list[str] = []
    with serving(rows_by("none")) as api:
        gone = api.url
    (run,) = start(api_feed(gone), trigger="test")
    done = work_on(run, "tests", lambda run: shown.append(run.activity))
    assert done is not None
    assert done.state == RunState.FAILED
    why = "No page from 127.0.0.1: the connection failed."
    assert f"{why} Tried once, retrying now." in shown
    assert f"{why} Tried 2 times, retrying now." in shown


def test_a_page_that_is_none_fails_the_run_after_what_came_before_has_landed():
    whole = rows_by("cursor")

    def answer(request):
        return Reply(b"<html>") if request.query.get("after") == "c30" else whole(request)

    with serving(answer) as api:
        feed = api_feed(
            f"{api.url}/rows",
            config={"incremental": {"column": "id", "param": "since"}},
        )
        (run,) = loaded(feed)
    assert run.state == RunState.FAILED
    assert "Page 4 (" in run.error
    assert "HTML" in run.error
    assert run.created == DataRecord.objects.count() == 30
    feed.refresh_from_db()
    assert feed.position == ""


def test_what_is_new_is_asked_for_from_where_the_last_complete_run_came_to():
    with serving(
        lambda request: Reply({"data": {"items": [] if "since" in request.query else ROWS}})
    ) as api:
        feed = api_feed(
            f"{api.url}/rows", config={"incremental": {"column": "value", "param": "since"}}
        )
        loaded(feed)
        feed.refresh_from_db()
        assert feed.position == "102"
        (run,) = loaded(feed)
        assert api.requests[-1].query["since"] == "102"
    assert (run.state, run.read) == (RunState.FINISHED, 0)
    assert run.notes == ["The API has no rows newer than '102'."]
    feed = api_feed("http://127.0.0.1/other")
    assert feed.position == ""


def growing(step=10):
    """An API with one more step of rows each time it is asked; ``since`` asks beyond a value."""
    asked: list[str | None] = []

    def answer(request):
        asked.append(request.query.get("since"))
        since = int(request.query.get("since", -1))
        return Reply({"data": {"items": ROWS[since + 1 : step * len(asked)]}})

    return answer, asked


def incremental_feed(api):
    return api_feed(
        f"{api.url}/rows",
        config={"paging": {}, "incremental": {"column": "value", "param": "since"}},
    )


def position_of(feed):
    feed.refresh_from_db()
    return feed.position


def undone(run):
    work_on(undo.create_undo(run=run, trigger="test"), "tests")
    run.refresh_from_db()
    assert run.state == RunState.UNDONE


def test_an_undone_run_moves_the_position_back_so_that_its_rows_are_asked_for_again():
    answer, asked = growing()
    with serving(answer) as api:
        feed = incremental_feed(api)
        (first,) = loaded(feed)
        (second,) = loaded(feed)
        assert (first.read, second.read, position_of(feed)) == (10, 10, "19")
        assert "goes back to the cursor '9'" in loading.after_undo(second)
        undone(second)
        assert position_of(feed) == "9"
        assert DataRecord.objects.count() == 10
        (third,) = loaded(feed)
        assert asked == [None, "9", "9"]
        assert (third.created, position_of(feed)) == (20, "29")
        undone(third)
        undone(first)
        assert position_of(feed) == ""
    assert not DataRecord.objects.exists()


def test_a_run_that_a_later_one_went_on_from_leaves_the_position_until_that_is_undone_too():
    answer, _ = growing()
    with serving(answer) as api:
        feed = incremental_feed(api)
        first, second = loaded(feed)[0], loaded(feed)[0]
        assert "does not import these rows again" in loading.after_undo(first)
        undone(first)
        assert position_of(feed) == "19"
        assert "goes back to the beginning" in loading.after_undo(second)
        undone(second)
        assert position_of(feed) == ""


def test_a_position_that_a_person_has_set_anew_stays_where_it_is():
    answer, _ = growing()
    with serving(answer) as api:
        feed = incremental_feed(api)
        (first,) = loaded(feed)
        save_feed(source_name="shop", kind="http", config=feed.config, start_over=True)
        (second,) = loaded(feed)
        assert position_of(feed) == "19"
        undone(first)
        assert position_of(feed) == "19"
        undone(second)
        assert position_of(feed) == ""


def test_a_run_that_moved_nothing_moves_nothing_back():
    answer, _ = growing()
    with serving(answer) as api:
        feed = incremental_feed(api)
        loaded(feed)
        (made,) = start(feed, trigger="test")
        IngestionRun.objects.filter(pk=made.pk).update(max_rejects="0")
        # The rows of this run are all rejected: it fails, and the position stays.
        Source.objects.update(mapping={**feed.source.mapping, "id": ["missing"]})
        work_on(made, "tests")
        run = IngestionRun.objects.get(pk=made.pk)
        assert (run.state, position_of(feed)) == (RunState.FAILED, "9")
        assert "next run imports these rows again" in loading.after_undo(run)
        undone(run)
        assert position_of(feed) == "9"


def test_a_run_that_began_before_the_feed_was_started_over_does_not_move_it(monkeypatch):
    answer, _ = growing()

    def while_a_person_starts_over(*args, **options):
        fetched = fetch(*args, **options)
        Feed.objects.update(position="")
        return fetched

    with serving(answer) as api:
        feed = incremental_feed(api)
        loaded(feed)
        monkeypatch.setattr(loading, "fetch", while_a_person_starts_over)
        loaded(feed)
    assert position_of(feed) == ""


def test_the_first_page_failing_fails_the_run_with_its_reason():
    with serving(lambda request: Reply(b"", 401)) as api:
        (run,) = loaded(api_feed(api.url))
    assert run.state == RunState.FAILED
    assert "401 (Unauthorized)" in run.error


def test_a_private_address_fails_the_run_and_gets_no_request(settings):
    settings.ALLOWED_NETWORKS = []
    with serving(rows_by("none")) as api:
        (run,) = loaded(api_feed(api.url))
        assert api.requests == []
    assert "DATAFLOW_ALLOWED_NETWORKS" in run.error


def test_an_api_has_one_run_at_a_time():
    feed = api_feed("https://api.example/")
    assert start(feed, trigger="test") == start(feed, trigger="test")


# Secrets


def test_secrets_reach_the_api_and_are_kept_unreadable(monkeypatch):
    monkeypatch.setenv("DATAFLOW_SECRET_TENANT", "from the environment")
    with serving(rows_by("none")) as api:
        feed = api_feed(
            api.url,
            config={"headers": {"X-Tenant": "${DATAFLOW_SECRET_TENANT}"}, "paging": {}},
            secrets={"Authorization": "Bearer hush"},
        )
        loaded(feed)
        headers = api.requests[0].headers
    assert headers["Authorization"] == "Bearer hush"
    assert headers["X-Tenant"] == "from the environment"
    assert "hush" not in f"{feed.secrets}{feed.config}"
    assert not any("hush" in str(row) for row in IngestionRun.objects.values())


def test_a_variable_in_a_secret_header_is_filled_in(monkeypatch):
    monkeypatch.setenv("DATAFLOW_SECRET_SHOP", "hush")
    secrets = {"Authorization": "Bearer ${DATAFLOW_SECRET_SHOP}"}
    with serving(rows_by("none")) as api:
        loaded(api_feed(api.url, config={"paging": {}}, secrets=secrets))
        try_api({"url": api.url, "rows_path": "data.items"}, secrets)
        sent = [request.headers["Authorization"] for request in api.requests]
    assert sent == ["Bearer hush", "Bearer hush"]
    with pytest.raises(InvalidFeed, match="must start with DATAFLOW_SECRET_") as error:
        api_feed("https://api.example/", secrets={"X-Key": "${SECRET_KEY}"})
    assert error.value.field == "secrets"


def test_a_file_at_a_url_is_imported_like_an_upload():
    reply = Reply("id;name\n1;ä\n2;ö\n".encode("cp1252"), headers={"Content-Type": "text/csv"})
    with serving(lambda request: reply) as api:
        config = {"url": api.url}
        (run,) = loaded(save_feed(source_name="shop", kind="http", config=config))
    assert (run.state, run.created, run.columns) == (RunState.FINISHED, 2, ["id", "name"])
    assert (run.file_name, run.dialect["delimiter"]) == ("shop.csv", ";")


def test_secrets_stay_while_the_same_host_is_asked_and_go_with_it():
    feed = api_feed("https://api.example/a", secrets={"X-Key": "hush"})
    feed = api_feed("https://api.example/b")
    assert decrypt(feed.secrets) == {"X-Key": "hush"}
    feed = api_feed("https://api.example/b", secrets={"Cookie": "c"})
    assert decrypt(feed.secrets) == {"X-Key": "hush", "Cookie": "c"}
    for url in ("https://other.example/b", "http://api.example/b"):
        assert api_feed(url).secrets == ""
        api_feed("https://api.example/b", secrets={"X-Key": "hush"})
    assert api_feed("https://api.example/b", forget_secrets=True).secrets == ""


def test_secrets_of_another_secret_key_are_said_to_be_lost(settings):
    kept = encrypt({"X-Key": "hush"})
    settings.SECRET_KEY = "another one"
    with pytest.raises(SecretUnknown, match="SECRET_KEY has changed"):
        decrypt(kept)
    feed = api_feed("https://api.example/")
    Feed.objects.update(secrets=kept)
    (run,) = loaded(feed)
    assert "Enter them again" in run.error


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", ""])
def test_only_what_is_meant_as_a_secret_is_taken_from_the_environment(monkeypatch, name):
    monkeypatch.setenv("SECRET_KEY", "x")
    with pytest.raises(InvalidFeed):
        api_feed("https://api.example/", config={"headers": {"X": f"${{{name}}}"}})
    with pytest.raises(SecretUnknown):
        filled_in({"X": f"${{{name}}}"})


def test_a_secret_that_the_environment_lacks_is_named():
    with pytest.raises(SecretUnknown, match="DATAFLOW_SECRET_NONE, which is not set"):
        filled_in({"X": "${DATAFLOW_SECRET_NONE}"})


@pytest.mark.parametrize(
    ("config", "secrets", "field"),
    [
        ({"url": "ftp://api.example/"}, {}, "url"),
        ({"url": "https://user:hush@api.example/"}, {}, "url"),
        ({"url": "http://[/"}, {}, "url"),
        ({"url": "https://api.example/a b"}, {}, "url"),
        ({**API, "headers": {"Authorization": "hush"}}, {}, "headers"),
        ({**API, "headers": {"X y": "1"}}, {}, "headers"),
        ({**API, "headers": {"Host": "1"}}, {}, "headers"),
        (API, {"X": "hush\r\nHost: evil"}, "secrets"),
        ({**API, "paging": {"style": "cursor", "path": "next"}}, {}, "paging_param"),
        ({**API, "paging": {"style": "next"}}, {}, "paging_path"),
        ({**API, "rows_path": "a..b"}, {}, "rows_path"),
        ({**API, "incremental": {"column": "id"}}, {}, "cursor_column"),
        ({**API, "incremental": {"column": "a", "param": "b", "value": "c"}}, {}, "cursor_value"),
    ],
)
def test_what_can_not_work_is_not_kept_and_no_secret_is_repeated(config, secrets, field):
    with pytest.raises(InvalidFeed) as refused:
        save_feed(source_name="shop", kind="http", config=config, secrets=secrets)
    assert refused.value.field == field
    assert "hush" not in str(refused.value)
    assert not Feed.objects.exists()


def test_a_source_has_a_name_that_sources_can_have():
    with pytest.raises(InvalidSourceName):
        save_feed(source_name="no name", kind="http", config=API)


# Schedules


def test_a_schedule_is_due_by_cron_and_started_once():
    feed = api_feed("https://api.example/", schedule="30 6 * * *")
    assert timezone.localtime(feed.next_at).strftime("%H:%M") == "06:30"
    wake_stalled("ingestion")
    assert not IngestionRun.objects.exists()
    Feed.objects.update(next_at=timezone.now() - timedelta(hours=9))
    wake_stalled("ingestion")
    wake_stalled("ingestion")
    run = IngestionRun.objects.get()
    assert (run.trigger, run.state, run.feed) == ("schedule", RunState.QUEUED, feed)
    feed.refresh_from_db()
    assert feed.next_at > timezone.now()


def test_of_two_that_look_at_once_one_starts_it(monkeypatch):
    api_feed("https://api.example/", schedule="* * * * *")
    Feed.objects.update(next_at=timezone.now() - timedelta(minutes=5))
    started = []

    def prepare_while_another_looks(*args, **more):
        started.append(1)
        wake_stalled("ingestion")
        return []

    monkeypatch.setattr(jobs, "prepare", prepare_while_another_looks)
    wake_stalled("ingestion")
    assert started == [1]


def test_a_feed_that_is_switched_off_waits():
    feed = api_feed("https://api.example/", schedule="* * * * *", enabled=False)
    assert feed.next_at is None


@pytest.mark.parametrize(
    "schedule", ["61 * * * *", "soon", "* * *", "0 0 30 2 *", "* * * * * *", "@daily"]
)
def test_what_is_no_schedule_is_said(schedule):
    with pytest.raises(InvalidFeed, match=r"schedule|due"):
        api_feed("https://api.example/", schedule=schedule)


def test_times_of_a_schedule_are_local():
    with timezone.override("Europe/Berlin"):
        due = services.next_time("0 6 * * *", datetime(2026, 7, 1, tzinfo=UTC))
    assert due == datetime(2026, 7, 1, 4, tzinfo=UTC)


# Folders


@pytest.fixture
def no_wait(monkeypatch):
    monkeypatch.setattr(folders, "QUIET", timedelta(0))


def folder_feed(folder="shop", pattern="*.csv", **more):
    config = {"folder": folder, "pattern": pattern}
    return save_feed(source_name="shop", kind="folder", config=config, **more)


def test_a_file_that_grows_is_left_until_it_has_come_to_rest(inbox, no_wait):
    feed = folder_feed()
    file = inbox / "a.csv"
    file.write_text("id,value\n1,2\n")
    assert loaded(feed) == []
    file.write_text("id,value\n1,2\n2,3\n")
    assert loaded(feed) == []
    (run,) = loaded(feed)
    assert (run.state, run.created, run.file_name) == (RunState.FINISHED, 2, "a.csv")


def test_two_looks_at_once_tell_nothing(inbox):
    feed = folder_feed()
    (inbox / "a.csv").write_text("id\n1\n")
    assert start(feed, trigger="test") == start(feed, trigger="test") == []
    feed.refresh_from_db()
    assert feed.next_at < timezone.now() + timedelta(seconds=10)
    FolderFile.objects.update(seen_at=timezone.now() - timedelta(seconds=6))
    assert len(start(feed, trigger="test")) == 1


def test_each_file_is_loaded_once_and_again_when_it_has_changed(inbox, no_wait):
    feed = folder_feed()
    for name in ("a.csv", "b.csv", "c.txt"):
        (inbox / name).write_text(f"id,value\n{name},2\n")
    assert loaded(feed) == []
    assert sorted(run.file_name for run in loaded(feed)) == ["a.csv", "b.csv"]
    assert loaded(feed) == []
    (inbox / "a.csv").write_text("id,value\na.csv,2\nnew,3\n")
    os.utime(inbox / "a.csv", ns=(1, 1))
    assert loaded(feed) == []
    (run,) = loaded(feed)
    assert (run.created, run.unchanged) == (1, 1)
    assert loaded(feed) == []


@pytest.mark.parametrize(
    "folder", ["/etc", "..", "shop/../..", "/", "missing", "link", "a\0b", "a" * 2_000]
)
def test_other_folders_are_refused(inbox, tmp_path, folder):
    (inbox.parent / "link").symlink_to(tmp_path)
    with pytest.raises(InvalidFeed):
        folder_feed(folder)


@pytest.mark.parametrize(
    "pattern",
    ["../*.csv", "/etc/*", "", "a/../../*", "**x", "a\0", "a" * 2_000, "*/" * 900 + "*"],
)
def test_other_patterns_are_refused(pattern):
    with pytest.raises(InvalidFeed):
        folder_feed(pattern=pattern)


def test_a_link_that_leads_out_of_the_folders_is_no_file(inbox, tmp_path, no_wait):
    (tmp_path / "outside.csv").write_text("id\n1\n")
    (inbox / "a.csv").symlink_to(tmp_path / "outside.csv")
    (inbox / "b.csv").symlink_to(inbox / "b.csv")
    (inbox / "c.csv").mkdir()
    feed = folder_feed()
    assert loaded(feed) == loaded(feed) == []
    assert not FolderFile.objects.exists()


def test_a_file_whose_run_is_undone_is_loaded_again_by_hand_or_when_it_has_changed(inbox, no_wait):
    feed = folder_feed(schedule="* * * * *")
    (inbox / "a.csv").write_text("id\n1\n")
    assert loaded(feed) == []
    (run,) = loaded(feed)
    assert "a manual import" in loading.after_undo(run)
    undone(run)
    assert start(feed, trigger="schedule") == []
    (again,) = loaded(feed)
    assert (again.state, again.created) == (RunState.FINISHED, 1)
    assert loaded(feed) == []
    assert loading.after_undo(run) == ""
    undone(again)
    os.utime(inbox / "a.csv", ns=(1, 1))
    assert start(feed, trigger="schedule") == []
    assert len(start(feed, trigger="schedule")) == 1


def test_a_file_that_could_not_be_taken_is_loaded_by_hand_once_the_source_knows_more(
    inbox, no_wait
):
    feed = folder_feed()
    (inbox / "a.csv").write_text("id,date\n1,03/04/2025\n")
    assert loaded(feed) == []
    (run,) = loaded(feed)
    assert "Date format in the source settings" in run.error
    assert start(feed, trigger="schedule") == []
    Source.objects.update(mapping={"timestamp_format": "%d/%m/%Y"})
    (again,) = loaded(feed)
    assert (again.state, again.created) == (RunState.FINISHED, 1)
    assert loaded(feed) == []


def calls():
    """The wake-up calls that wait for a worker to start a feed."""
    waiting = (call.task for call in OrmQ.objects.filter(key="ingestion"))
    return [call["args"][1] for call in waiting if call["args"][0] == "look_into_folder"]


def test_a_folder_is_looked_at_by_a_worker_that_is_called_until_it_has(inbox, no_wait, monkeypatch):
    feed = folder_feed(schedule="* * * * *")
    (inbox / "a.csv").write_text("id\n1\n")
    Feed.objects.update(next_at=timezone.now() - timedelta(minutes=1))
    with monkeypatch.context() as patch:
        patch.setattr(services, "look", None)  # whoever looks here fails
        wake_stalled("ingestion")
        wake_stalled("ingestion")
        assert calls() == [feed.pk]
        Feed.objects.update(woken_at=timezone.now() - timedelta(seconds=16))
        wake_stalled("ingestion")
        assert calls() == [feed.pk] * 2
    run_job("look_into_folder", feed.pk)
    run_job("look_into_folder", feed.pk)
    assert FolderFile.objects.get().run is None
    feed.refresh_from_db()
    assert feed.woken_at is None
    assert feed.next_at > timezone.now()
    Feed.objects.update(next_at=timezone.now())
    run_job("look_into_folder", feed.pk)
    assert FolderFile.objects.get().run == IngestionRun.objects.get()
    assert IngestionRun.objects.get().trigger == "schedule"


def test_a_feed_that_is_switched_off_meanwhile_is_not_started(inbox):
    feed = folder_feed(schedule="* * * * *")
    Feed.objects.update(next_at=timezone.now() - timedelta(minutes=1))
    wake_stalled("ingestion")
    folder_feed(schedule="* * * * *", enabled=False)
    run_job("look_into_folder", feed.pk)
    Feed.objects.all().delete()
    run_job("look_into_folder", feed.pk)
    assert not FolderFile.objects.exists()


def test_a_folder_that_can_not_be_looked_through_is_told(inbox):
    feed = folder_feed()
    feed.config = {"folder": "shop", "pattern": "a" * 2_000}
    with pytest.raises(FolderRefused, match="can't be listed: File name too long"):
        start(feed, trigger="test")


def test_a_folder_that_is_gone_is_told_once_by_the_schedule_and_at_once_by_hand(inbox):
    feed = folder_feed(schedule="* * * * *")
    inbox.rmdir()
    with pytest.raises(FolderRefused):
        start(feed, trigger="test")
    for _ in range(3):
        Feed.objects.update(next_at=timezone.now() - timedelta(minutes=1))
        run_job("look_into_folder", feed.pk)
    run = IngestionRun.objects.get()
    assert run.state == RunState.FAILED
    assert "does not exist" in run.error
    assert failing("shop")["shop"].error == run.error
    inbox.mkdir()
    for _ in range(2):
        Feed.objects.update(next_at=timezone.now() - timedelta(minutes=1))
        run_job("look_into_folder", feed.pk)
    again = IngestionRun.objects.exclude(pk=run.pk).get()
    assert (again.state, again.read) == (RunState.FINISHED, 0)
    assert "can be listed again" in again.notes[0]
    assert failing("shop") == {}
