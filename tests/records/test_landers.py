"""Batches that land side by side come to what they come to one after the other."""

import random
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from ingestion.errors import TooManyRejects
from ingestion.loading import runs as ingestion_runs
from records import store
from records.jobs import leases
from records.jobs.runner import work_on
from records.models import DataRecord, IngestionRun, RejectedRow, RunState, Source
from records.rows import Row
from tests import factories
from tests.factories import WORKER, counted, load, recounted, row

pytestmark = pytest.mark.django_db(transaction=True)


def write(path: Path, keys: list[int], said: str) -> Path:
    # A row in nine is too short.
    rows = [f"{key},{said}{key}\n" if key % 9 else f"{key}\n" for key in keys]
    path.write_text("id,value\n" + "".join(rows))
    return path


def ledger(run: IngestionRun) -> tuple[str, int, int, int, int, int]:
    return run.state, run.read, run.created, run.updated, run.unchanged, run.rejected


@pytest.mark.parametrize("order", ["rising", "mixed", "repeated"])
def test_small_batches_make_the_ledger_and_the_records_of_one(tmp_path, settings, order):
    keys = [*range(400)]
    if order != "rising":
        random.Random(1).shuffle(keys)  # noqa: S311 (a test)
    if order == "repeated":
        keys += keys[:100]
    seen = []
    for source, size in (("large", 10_000), ("small", 30)):
        settings.BATCH_ROWS = size
        first = load(write(tmp_path / "a.csv", keys[::2], "a"), source=source, id=["id"])
        second = load(write(tmp_path / "b.csv", keys, "b"), source=source, id=["id"])
        lines = RejectedRow.objects.filter(run=second).values_list("line", flat=True)
        records = DataRecord.objects.of_source(source).values_list("data", "version", "line")
        seen.append((ledger(first), ledger(second), sorted(lines), sorted(map(str, records))))
    assert seen[0] == seen[1]
    assert counted() == recounted()


def test_what_stops_a_run_keeps_the_batches_behind_from_landing(tmp_path, settings):
    settings.BATCH_ROWS = 10
    path = write(tmp_path / "a.csv", [*range(1, 60), *[9] * 20, *range(60, 200)], "a")
    run = ingestion_runs.create_run(
        path=path, file_name="a.csv", trigger="test", source_name="s", roles={"id": ["id"]},
        max_rejects="10",
    )  # fmt: skip
    work_on(run, WORKER)
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert run.error == str(TooManyRejects(run.rejected, run.read, "10"))
    assert run.created == DataRecord.objects.count() < 80
    assert run.read == run.created + run.rejected
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("landing")]
    assert counted() == recounted()


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="one writer on SQLite")
def test_two_runs_of_a_source_with_the_same_new_keys_both_land():
    """The other run waits for a key that this one wrote, and this one for the other's source."""
    source = Source.objects.create(name="s")
    mine, others = factories.running("s"), factories.running("s")
    rows = [row(f"s:{key}", {"id": str(key)}) for key in range(10)]
    ledgers = {}

    def land_others() -> None:
        ledgers["others"] = store.land(
            run=others, worker=WORKER, rows=rows, rejects=(), position=0, bytes_read=0
        )
        connection.close()

    other = threading.Thread(target=land_others)

    def wait() -> None:
        other.start()
        for _ in range(100):
            with connection.cursor() as cursor:
                # Else it would say for the whole transaction what it said first.
                cursor.execute("SELECT pg_stat_clear_snapshot()")
                cursor.execute(
                    "SELECT count(*) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND wait_event_type = 'Lock'"
                )
                if cursor.fetchone()[0]:
                    return
            time.sleep(0.05)
        raise AssertionError("the other run did not wait for this one")

    waits = iter([wait])

    def come(seconds: float | None) -> bool:
        next(waits, lambda: None)()
        return True

    turn = store.Turn(come, apart=True)
    ledgers["mine"] = store.land(
        run=mine, worker=WORKER, rows=rows, rejects=(), position=0, bytes_read=0, turn=turn
    )
    other.join()
    assert (ledgers["others"].created, ledgers["mine"].created) == (10, 0)
    assert ledgers["mine"].unchanged == 10
    assert DataRecord.objects.of_source(source.name).count() == 10
    assert counted() == recounted()


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="one writer on SQLite")
def test_a_batch_that_is_written_early_keeps_nobody_waiting_for_the_batch_before_it():
    """Another run, which holds the source, waits for a key that was written early; the batch before
    waits for the source; and what was written early waits for that batch."""
    mine, others = factories.running("s"), factories.running("s")
    rows = [row(f"s:{key:02}", {"id": str(key)}) for key in range(20)]
    first_has_landed, is_written = threading.Event(), threading.Event()
    ledgers = {}

    def wait(seconds: float | None) -> bool:
        is_written.set()
        return first_has_landed.wait(seconds)

    def land(name: str, run: IngestionRun, part: list[Row], position: int, **more: Any) -> None:
        try:
            ledgers[name] = store.land(
                run=run, worker=WORKER, rows=part, rejects=(), position=position, bytes_read=0,
                **more,
            )  # fmt: skip
        finally:
            connection.close()

    def start(*args: Any, **more: Any) -> threading.Thread:
        thread = threading.Thread(target=land, args=args, kwargs=more, daemon=True)
        thread.start()
        return thread

    second = start("second", mine, rows[10:], 10, turn=store.Turn(wait, apart=True))
    assert is_written.wait(10)
    other = start("other", others, rows[10:], 0)
    time.sleep(0.5)
    first = start("first", mine, rows[:10], 0)
    first.join(30)
    assert not first.is_alive(), "all wait for each other"
    first_has_landed.set()
    for thread in (second, other):
        thread.join(30)
    assert ledgers["first"].created == 10
    assert ledgers["other"].created == 10
    assert ledgers["second"].unchanged == 10
    assert counted() == recounted()


def test_a_run_that_was_cancelled_is_left_at_a_batch(tmp_path, settings):
    settings.BATCH_ROWS = 20
    path = write(tmp_path / "a.csv", [*range(1, 400)], "a")
    run = ingestion_runs.create_run(
        path=path, file_name="a.csv", trigger="test", source_name="s", roles={"id": ["id"]}
    )

    def cancel(shown: IngestionRun) -> None:
        if shown.read >= 100:
            leases.stop(shown)

    work_on(run, WORKER, cancel)
    run.refresh_from_db()
    assert run.state == RunState.CANCELLED
    assert run.read == run.created + run.rejected < 399
    assert DataRecord.objects.count() == run.created
    assert counted() == recounted()
