"""The batches of a processing run: shared by workers, taken over from the dead, narrowed down."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import DataError, OperationalError
from django.utils import timezone
from django_q.models import OrmQ

from processing.engine import pipeline
from processing.jobs import batch_work
from processing.jobs import process as processing_runs
from processing.jobs.facts import RunFacts
from records import store
from records.database import bulk
from records.errors import BatchLost, LeaseLost
from records.jobs import batches, leases
from records.jobs.runner import work_on
from records.models import (
    DataRecord,
    ProcessingBatch,
    ProcessingResult,
    ProcessingRun,
    RunState,
)
from records.rows import RawRecord
from records.store import results
from tests.factories import WORKER, Died, counted, recounted
from tests.landed import land, sale

pytestmark = pytest.mark.django_db

NUMBER = 10
POISON = "shop:7"


@pytest.fixture
def run(settings) -> ProcessingRun:
    settings.BATCH_ROWS = 4
    land("shop", {str(number): sale(number) for number in range(NUMBER)})
    return processing_runs.create_run(trigger="test")


def join(run: ProcessingRun, worker: str) -> ProcessingRun:
    joined = batches.join(run.pk, worker)
    assert joined is not None
    return joined


def process(run: ProcessingRun) -> ProcessingRun:
    done = work_on(run, WORKER)
    assert done is not None
    return done


def assert_each_has_one_result(failed: Sequence[str] = ()) -> None:
    assert counted() == recounted()
    results = ProcessingResult.objects.order_by("record_id")
    assert list(results.values_list("record_id", flat=True)) == [f"shop:{n}" for n in range(NUMBER)]
    assert list(results.filter(success=False).values_list("record_id", flat=True)) == [*failed]
    assert not ProcessingBatch.objects.exists()


def test_each_worker_gets_records_of_its_own(run):
    first, second = join(run, "first"), join(run, "second")
    taken = [batches.take(each, each.worker, 4) for each in (first, second, first, second)]
    ends = [(batch.first, batch.last, batch.records) for batch in taken if batch]
    assert ends == [("shop:0", "shop:3", 4), ("shop:4", "shop:7", 4), ("shop:8", "shop:9", 2)]
    assert taken[-1] is None


def test_a_batch_is_of_one_source(run):
    land("other", {"1": sale(1)})
    joined = join(run, WORKER)
    sources = []
    while batch := batches.take(joined, WORKER, 100):
        sources.append((batch.source, batch.records))
    assert sources == [("other", 1), ("shop", NUMBER)]


def test_the_batch_of_a_worker_that_is_gone_is_taken_by_the_next(run):
    lost = batches.take(join(run, "first"), "first", 4)
    assert lost is not None
    ProcessingBatch.objects.update(lease_until=timezone.now())
    done = process(run)
    assert (done.state, done.processed) == (RunState.FINISHED, NUMBER)
    assert_each_has_one_result()


def test_a_worker_that_comes_too_late_saves_nothing(run):
    joined = join(run, "slow")
    batch = batches.take(joined, "slow", 4)
    assert batch is not None
    ProcessingBatch.objects.update(worker="quick")
    with pytest.raises(BatchLost):
        batches.split(batch, "slow")
    leases.stop(joined)
    with pytest.raises(LeaseLost):
        batches.take(joined, "slow", 4)


def test_a_worker_that_lost_its_batch_leaves_it_to_the_one_that_took_it_over(run):
    joined = join(run, "slow")
    batch = batches.take(joined, "slow", 4)
    assert batch is not None
    with ThreadPoolExecutor(1) as executor:
        task = batch_work.begin(batch, executor, RunFacts(joined, lambda: None))
        task.results.result()
    ProcessingBatch.objects.update(worker="quick")
    with pytest.raises(BatchLost):
        batch_work.end(task, "slow")
    assert ProcessingBatch.objects.get().worker == "quick"
    assert counted() == {("shop", "raw"): NUMBER}
    batch_work.end(task, "quick")
    assert counted() == recounted() == {("shop", "raw"): NUMBER - 4, ("shop", "processed"): 4}


def test_a_run_ends_only_when_all_its_batches_are_done(run):
    joined = join(run, "first")
    while batches.take(joined, "first", 100):
        pass
    assert not batches.finish(joined)
    ProcessingBatch.objects.all().delete()
    assert batches.finish(joined)


def test_a_cancelled_run_leaves_no_batch_behind(run):
    joined = join(run, "first")
    batches.take(joined, "first", 4)
    assert leases.stop(joined)
    assert not ProcessingBatch.objects.exists()
    assert work_on(run, WORKER) is None
    assert counted() == {("shop", "raw"): NUMBER}


def test_a_record_on_which_the_rules_break_fails_with_the_reason_and_the_others_go_on(
    run, monkeypatch
):
    carry_out = pipeline.run

    def breaking(records: Sequence[RawRecord], *arguments: Any) -> Any:
        if POISON in [record.id for record in records]:
            raise RecursionError("too deep")
        return carry_out(records, *arguments)

    monkeypatch.setattr(pipeline, "run", breaking)
    done = process(run)
    assert (done.state, done.processed, done.failed) == (RunState.FINISHED, NUMBER - 1, 1)
    assert_each_has_one_result(failed=[POISON])
    result = ProcessingResult.objects.get(success=False)
    assert result.error_message == "Processing crashed on this record (RecursionError: too deep)."
    assert [error["rule"] for error in result.errors] == ["crash"]


def test_rules_that_break_on_everything_are_the_fault_of_the_run(run, monkeypatch):
    monkeypatch.setattr(batch_work, "CRASHES", 2)

    def broken(*arguments: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(pipeline, "run", broken)
    done = process(run)
    assert (done.state, done.processed, done.failed) == (RunState.FAILED, 0, 0)
    assert "Version 1 of the rules of shop crashes" in done.error
    assert counted() == {("shop", "raw"): NUMBER}


def test_a_record_that_can_not_be_saved_fails_with_the_reason_and_the_others_go_on(
    run, monkeypatch
):
    save = store.save_results

    def refusing(*, results: store.Results, worker: str) -> Any:
        if any(o.record_id == POISON and o.success for o in results.outcomes):
            raise DataError("can't be stored: \0")
        return save(results=results, worker=worker)

    monkeypatch.setattr(store, "save_results", refusing)
    done = process(run)
    assert (done.state, done.processed, done.failed) == (RunState.FINISHED, NUMBER - 1, 1)
    assert_each_has_one_result(failed=[POISON])
    message = ProcessingResult.objects.get(success=False).error_message
    assert message == "Processing crashed on this record (DataError: can't be stored: \ufffd)."


def test_a_record_that_workers_die_on_is_narrowed_down_and_fails(run, monkeypatch):
    save, deaths = store.save_results, 0

    def deadly(*, results: store.Results, worker: str) -> Any:
        if any(o.record_id == POISON and o.success for o in results.outcomes):
            raise Died
        return save(results=results, worker=worker)

    monkeypatch.setattr(store, "save_results", deadly)
    while ProcessingRun.objects.active().filter(pk=run.pk).exists():
        assert deaths < 12
        try:
            work_on(run, f"worker {deaths}")
        except Died:
            deaths += 1
            ProcessingRun.objects.update(lease_until=timezone.now())
            ProcessingBatch.objects.update(lease_until=timezone.now())
    run.refresh_from_db()
    assert (run.state, run.processed, run.failed) == (RunState.FINISHED, NUMBER - 1, 1)
    assert_each_has_one_result(failed=[POISON])
    message = ProcessingResult.objects.get(success=False).error_message or ""
    assert "workers crashed" in message


def test_a_worker_wakes_another_one_if_any_is_idle(run):
    OrmQ.objects.all().delete()
    process(run)
    assert OrmQ.objects.filter(key="processing").count() == 1


def test_a_deadlock_is_got_over_by_locking_one_by_one(run, monkeypatch):
    def deadlock(*arguments: Any) -> Any:
        cause = Exception()
        cause.pgcode = bulk.DEADLOCK  # type: ignore[attr-defined]
        raise OperationalError("deadlock detected") from cause

    monkeypatch.setattr(results, "_move_all", deadlock)
    assert process(run).processed == NUMBER
    assert_each_has_one_result()


def test_nothing_is_ever_left_in_processing(run):
    process(run)
    assert not DataRecord.objects.filter(status="processing").exists()


def test_the_whole_numbers_of_a_record_stay_what_they_are(settings):
    land(
        "shop", {"1": {"id": 10**25, "value": "1", "category": "x", "n": [12345678901234567890123]}}
    )
    process(processing_runs.create_run(trigger="test"))
    cells = ProcessingResult.objects.get().processed_data or {}
    assert (cells["id"], cells["n"]) == (10**25, [12345678901234567890123])
