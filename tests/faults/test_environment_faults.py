"""A full disk, a database that is away, an input that is gone: the run waits, says so, and goes on.

``tests/faults/test_full_disk.py`` fills a real disk under real workers.
"""

import errno
import io
import json
import sqlite3
import time
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import DatabaseError, DataError, OperationalError, connection
from django.utils import timezone

from ingestion.loading import dry_runs, undo
from ingestion.loading import runs as ingestion_runs
from processing.jobs import process as processing_runs
from records import store
from records.database.faults import environment_fault, has_rolled_back
from records.jobs import batches
from records.jobs.runner import work_on
from records.jobs.sweep import stalled
from records.models import (
    DataRecord,
    DryRun,
    IngestionRun,
    ProcessingBatch,
    ProcessingRun,
    RunState,
    Undo,
)
from tests.factories import WORKER, counted, load, recounted
from tests.people import viewer

pytestmark = pytest.mark.django_db

FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def path(tmp_path) -> Path:
    path: Path = tmp_path / "sales.csv"
    path.write_text("id,value\n" + "".join(f"{n},{n}\n" for n in range(95)))
    return path


@pytest.fixture
def run(path, settings) -> IngestionRun:
    settings.BATCH_ROWS = 10
    return ingestion_runs.create_run(
        path=path, file_name="sales.csv", trigger="test", source_name="s", roles={"id": ["id"]}
    )


def taken_up(run: IngestionRun) -> IngestionRun:
    """The run after one more worker has taken it up; the pause before that is over."""
    IngestionRun.objects.filter(pk=run.pk).update(retry_at=None)
    done = work_on(run, WORKER)
    assert done is not None
    return done


def failing(monkeypatch, name: str, error: Exception, *, at: int = 1, times: int = 1000) -> None:
    """Have a function of the store fail from its ``at``-th call on, so many times."""
    works, calls = getattr(store, name), 0

    def fail(**arguments):
        nonlocal calls
        calls += 1
        if at <= calls < at + times:
            raise error
        return works(**arguments)

    monkeypatch.setattr(store, name, fail)


def test_a_run_outlasts_any_number_of_faults_of_its_environment(run, monkeypatch):
    failing(monkeypatch, "land", FULL, at=4, times=12)
    for number in range(12):
        done = taken_up(run)
        assert (done.state, done.read, done.attempts) == (RunState.QUEUED, 30, 0)
        assert done.waits_for == "The disk is full."
        assert done.pauses == number + 1
        assert done.retry_at is not None
        pause = (done.retry_at - timezone.now()).total_seconds()
        assert 0 < pause <= min(2**number, 300)
        assert work_on(run, WORKER) is None, "its pause is not over"
    done = taken_up(run)
    assert (done.state, done.read, done.created, done.pauses) == (RunState.FINISHED, 95, 95, 0)
    assert (done.waits_for, done.is_waiting) == ("", False)
    assert counted() == recounted()


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="it is SQLite's own limit")
def test_a_full_database_of_sqlite_is_a_full_disk(run):
    def limit(pages: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA max_page_count = {pages}")

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        (pages,) = cursor.fetchone()
    Path(run.path).write_text("id,value\n" + "".join(f"{n},{'x' * 900}\n" for n in range(900)))
    limit(pages + 20)
    try:
        done = taken_up(run)
    finally:
        limit(1 << 30)
    assert (done.state, done.waits_for) == (RunState.QUEUED, "The disk is full.")
    assert done.read < 900
    done = taken_up(run)
    assert (done.state, done.read, DataRecord.objects.count()) == (RunState.FINISHED, 900, 900)


def test_an_input_that_is_gone_before_it_was_read_is_waited_for(run, path):
    text = path.read_text()
    path.unlink()
    done = taken_up(run)
    assert done.state == RunState.QUEUED
    assert done.waits_for == "sales.csv can't be read: No such file or directory."
    path.write_text(text)
    assert taken_up(run).state == RunState.FINISHED


def test_an_input_that_is_gone_for_a_while_has_not_changed(run, path, monkeypatch):
    with monkeypatch.context() as patch:
        failing(patch, "land", FULL, at=4)
        assert taken_up(run).read == 30
    text = path.read_text()
    path.unlink()
    done = taken_up(run)
    assert done.state == RunState.QUEUED
    assert done.waits_for == "sales.csv can't be read: No such file or directory."
    path.write_text(text)
    done = taken_up(run)
    assert (done.state, done.read, done.created) == (RunState.FINISHED, 95, 95)


def test_an_input_that_has_changed_meanwhile_fails_as_before(run, path, monkeypatch):
    with monkeypatch.context() as patch:
        failing(patch, "land", FULL, at=4)
        taken_up(run)
    path.write_text(path.read_text().replace("1", "2"))
    done = taken_up(run)
    assert (done.state, "has changed since" in done.error) == (RunState.FAILED, True)


def test_dry_runs_and_undos_wait_as_well(run, path, monkeypatch):
    done = load(path, "s", id=["id"])
    undone = undo.create_undo(run=done, trigger="test")
    with monkeypatch.context() as patch:
        failing(patch, "undo_batch", OperationalError("the connection is gone"))
        work_on(undone, WORKER)
    waiting = Undo.objects.get(pk=undone.pk)
    assert (waiting.is_waiting, waiting.waits_for) == (True, "The database is not responding.")
    IngestionRun.objects.filter(pk=run.pk).update(state=RunState.DRAFT)
    dry = dry_runs.start(run, on_conflict="update")
    path.unlink()
    work_on(dry, WORKER)
    looked = DryRun.objects.get(pk=dry.pk)
    assert (looked.is_waiting, "No such file" in looked.waits_for) == (True, True)


def test_a_worker_of_processing_gives_back_what_it_has_taken(path, settings, monkeypatch):
    settings.BATCH_ROWS = 10
    load(path, "s", id=["id"], value=["value"])
    run = processing_runs.create_run(trigger="test")
    for _ in range(6):
        with monkeypatch.context() as patch:
            failing(patch, "save_results", OperationalError("the connection is gone"), at=2)
            ProcessingRun.objects.update(retry_at=None)
            done = work_on(run, WORKER)
        assert done is not None
        assert (done.state, done.waits_for) == (RunState.QUEUED, "The database is not responding.")
        assert {batch.attempts for batch in ProcessingBatch.objects.all()} <= {0}
    ProcessingRun.objects.update(retry_at=None)
    done = work_on(run, WORKER)
    assert done is not None
    assert (done.state, done.processed, done.failed) == (RunState.FINISHED, 95, 0)


def test_a_run_that_others_work_on_does_not_wait(path, settings, monkeypatch):
    settings.BATCH_ROWS = 10
    load(path, "s", id=["id"], value=["value"])
    run = processing_runs.create_run(trigger="test")
    joined = batches.join(run.pk, "another worker")
    assert joined is not None
    batch = batches.take(joined, "another worker", 10)
    assert batch is not None
    failing(monkeypatch, "save_results", OperationalError("the connection is gone"))
    work_on(run, WORKER)
    run.refresh_from_db()
    assert (run.state, run.is_waiting) == (RunState.RUNNING, False)


def test_the_page_says_what_a_run_waits_for_and_tries_it_again(run, path, admin_client):
    path.rename(path.with_suffix(".away"))
    taken_up(run)
    page = admin_client.get(run.get_absolute_url()).content.decode()
    assert "sales.csv can&#x27;t be read: No such file or directory." in page
    assert "Retry now" in page
    assert '<span class="badge badge-warning">waiting</span>' in page
    IngestionRun.objects.filter(pk=run.pk).update(retry_at=timezone.now().replace(year=2099))
    assert stalled(IngestionRun) == []
    answer = admin_client.post(f"/runs/ingestion/{run.pk}/retry/", follow=True)
    assert "Retrying the run now." in answer.content.decode()
    assert stalled(IngestionRun) == [run]
    path.with_suffix(".away").rename(path)
    done = work_on(run, WORKER)
    assert done is not None
    assert done.state == RunState.FINISHED
    answer = admin_client.post(f"/runs/ingestion/{run.pk}/retry/", follow=True)
    assert "The run is no longer waiting." in answer.content.decode()


def test_who_may_not_upload_may_not_try_again(run, client, django_user_model):
    client.force_login(viewer("reader"))
    assert client.post(f"/runs/ingestion/{run.pk}/retry/").status_code == 403
    processing = processing_runs.create_run(trigger="test")
    assert client.post(f"/runs/processing/{processing.pk}/retry/").status_code == 403


def test_health_and_api_say_what_runs_wait_for_but_name_no_file_to_strangers(
    run, path, client, admin_client
):
    path.unlink()
    taken_up(run)
    told = client.get("/health").json()["details"]
    assert told["runs_wait_for"] == ["An input can't be read at the moment."]
    shown = admin_client.get(f"/api/runs/{run.pk}").json()
    assert shown["state"] == "queued"
    assert shown["waits_for"] == "sales.csv can't be read: No such file or directory."
    assert shown["retry_at"] is not None


def test_the_command_says_what_it_waits_for_and_goes_on(path, settings, monkeypatch):
    settings.BATCH_ROWS = 10
    failing(monkeypatch, "land", FULL, at=4, times=2)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        IngestionRun.objects.update(retry_at=None)

    monkeypatch.setattr(time, "sleep", sleep)
    out, err = io.StringIO(), io.StringIO()
    call_command("ingest", str(path), "--id", "id", "--json", stdout=out, stderr=err)
    facts = json.loads(out.getvalue())
    assert (facts["state"], facts["read"], facts["created"]) == ("finished", 95, 95)
    assert err.getvalue().count("Waiting: The disk is full. Retrying in ") == 2
    assert len(slept) == 2


def test_ctrl_c_cancels_a_command_that_waits(path, settings, monkeypatch):
    settings.BATCH_ROWS = 10
    failing(monkeypatch, "land", FULL, at=4)

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupt)
    with pytest.raises(SystemExit) as ended:
        call_command("ingest", str(path), "--id", "id", stdout=io.StringIO(), stderr=io.StringIO())
    assert ended.value.code == 130
    assert IngestionRun.objects.get().state == RunState.CANCELLED


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (OSError(errno.EROFS, "Read-only file system"), "The disk is read-only."),
        (FileNotFoundError(errno.ENOENT, "No such file"), ""),
        (OperationalError("server closed the connection"), "The database is not responding."),
        (DatabaseError("error with no message from the libpq"), "The database is not responding."),
        (DataError("value too long"), ""),
        (ValueError("of the input"), ""),
    ],
)
def test_only_what_the_environment_is_to_blame_for_is_its_fault(error, fault):
    assert environment_fault(error) == fault


@pytest.mark.parametrize(
    ("code", "fault", "came_to_nothing"),
    [
        ("53100", "The disk is full.", True),
        ("53300", "The database server has no free connections.", True),
        ("57P01", "The database server is shutting down.", False),
        ("57014", "The database server cancelled a query.", True),
        ("40P01", "Another transaction is blocking the database.", True),
        ("08006", "The database is not responding.", False),
        ("54000", "", True),
        ("22021", "", True),
    ],
)
def test_the_codes_of_postgresql_tell_who_is_to_blame(code, fault, came_to_nothing):
    cause = Exception()
    cause.pgcode = code  # type: ignore[attr-defined]
    error = OperationalError("any")
    error.__cause__ = cause
    assert environment_fault(error) == fault
    assert has_rolled_back(error) is came_to_nothing


def test_a_locked_sqlite_is_a_fault_of_the_environment(tmp_path):
    first = sqlite3.connect(tmp_path / "db")
    first.execute("BEGIN IMMEDIATE")
    second = sqlite3.connect(tmp_path / "db", timeout=0)
    with pytest.raises(sqlite3.OperationalError) as raised:
        second.execute("BEGIN IMMEDIATE")
    assert environment_fault(raised.value) == "The database is locked by another process."
    with pytest.raises(sqlite3.OperationalError) as raised:
        second.execute("SELECT * FROM nothing")
    assert environment_fault(raised.value) == ""
