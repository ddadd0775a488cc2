"""The write door: what it writes is whole, counted and remembered, or is not written at all."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from records import store
from records.errors import InvalidData, LeaseLost, RecordNotFound
from records.jobs import batches, leases
from records.jobs.liveness import is_working
from records.jobs.sweep import stalled
from records.jobs.workers import worker_name
from records.models import (
    DataRecord,
    IngestionRun,
    ProcessingResult,
    ProcessingRun,
    RecordCount,
    RecordVersion,
    RejectedRow,
    RunState,
    Selection,
    Source,
)
from records.no_day import NO_DAY
from records.rows import Ledger, Outcome, ProcessingCounts, Reject
from records.store.readings import read
from tests.factories import WORKER, counted, land, recounted, row, running

pytestmark = pytest.mark.django_db

NOON = datetime(2025, 3, 4, 12, tzinfo=UTC)


def save(
    *outcomes: Outcome, selection: Selection = Selection.RAW, meanwhile: Callable[[], object] = int
) -> ProcessingCounts:
    """Save outcomes of the records of "s"; something else may happen after these were read."""
    source = Source.objects.get(name="s")
    run = ProcessingRun.objects.create(source=source, trigger="test", selection=selection)
    joined = batches.join(run.pk, WORKER)
    assert joined is not None
    batch = batches.take(joined, WORKER, 100)
    if batch is None:
        return ProcessingCounts()
    rule_set = source.current_rule_set or store.save_rule_set(source=source, rules=[])
    reading = read(batch).reading()
    meanwhile()
    results = store.prepare_results(
        batch=batch, reading=reading, outcomes=outcomes, rule_set=rule_set
    )
    return store.save_results(results=results, worker=WORKER)


def test_a_new_key_makes_a_raw_record_that_knows_its_run_and_line():
    run = running()
    assert land([row("s:1", {"a": "x"}, line=7, at=NOON)], run=run) == Ledger(created=1)
    record = DataRecord.objects.get()
    assert (record.id, record.source_id, record.status) == ("s:1", "s", "raw")
    assert (record.run_id, record.line, record.timestamp) == (run.pk, 7, NOON)
    assert record.data == {"a": "x"}


def test_text_comes_back_character_by_character():
    nasty = "tab\t nl\n cr\r back\\slash \\N \\. 'q' \"dq\" \u2028 \ufeff 😀 مرحبا"
    land([row(f"s:{nasty}", {nasty: nasty})])
    record = DataRecord.objects.get()
    assert (record.id, record.data) == (f"s:{nasty}", {nasty: nasty})


def test_the_same_content_again_is_unchanged_in_whatever_order_its_columns_stand():
    land([row("s:1", {"a": "x", "b": "y"})])
    assert land([row("s:1", {"b": "y", "a": "x"})]) == Ledger(unchanged=1)
    assert not RecordVersion.objects.exists()


def test_other_content_updates_the_record_and_keeps_what_it_was():
    first = running()
    land([row("s:1", {"a": "x"}, line=2)], run=first)
    second = running()
    assert land([row("s:1", {"a": "y"}, line=9)], run=second) == Ledger(updated=1)
    record, version = DataRecord.objects.get(), RecordVersion.objects.get()
    assert (record.data, record.version, record.run_id, record.line) == (
        {"a": "y"}, 2, second.pk, 9,
    )  # fmt: skip
    assert (version.data, version.version, version.run_id, version.line) == (
        {"a": "x"}, 1, first.pk, 2,
    )  # fmt: skip
    assert version.replaced_by_run == second


def test_a_key_that_comes_twice_in_a_batch_is_taken_in_order():
    rows = [row("s:1", {"a": value}, line=line) for line, value in enumerate("xxyx", start=2)]
    assert land(rows) == Ledger(created=1, unchanged=1, updated=2)
    assert DataRecord.objects.get().data == {"a": "x"}
    assert [v.data["a"] for v in RecordVersion.objects.order_by("version")] == ["x", "y"]


def test_an_updated_record_is_raw_again_and_its_result_is_history():
    land([row("s:1", {"a": "x"})])
    save(Outcome("s:1", 1, True, '{"a":"x"}'))
    land([row("s:1", {"a": "y"})])
    assert DataRecord.objects.get().status == "raw"
    assert not ProcessingResult.objects.get().current


def test_rejected_rows_keep_their_bytes_and_say_why_in_text_a_database_can_hold():
    land([], [Reject(3, b"\x00\xffa,b\r\n", "nul_character", "has \0 in it", "a\0")])
    rejected = RejectedRow.objects.get()
    assert bytes(rejected.raw) == b"\x00\xffa,b\r\n"
    assert (rejected.line, rejected.message, rejected.column) == (3, "has \ufffd in it", "a\ufffd")


def test_the_ledger_is_added_to_with_the_rows():
    run = running()
    land([row("s:1", {}), row("s:2", {})], [Reject(4, b"x", "c", "m")], run=run)
    land([row("s:1", {}), row("s:2", {"a": "1"})], run=run)
    run.refresh_from_db()
    assert (run.read, run.created, run.updated, run.unchanged, run.rejected) == (5, 2, 1, 1, 1)


def test_a_ledger_that_does_not_add_up_is_refused_by_the_database():
    run = running()
    with pytest.raises(IntegrityError), transaction.atomic():
        IngestionRun.objects.filter(pk=run.pk).update(read=1)


def test_a_worker_that_lost_its_run_lands_nothing():
    run = running()
    IngestionRun.objects.filter(pk=run.pk).update(worker="another")
    with pytest.raises(LeaseLost):
        land([row("s:1", {})], [Reject(3, b"x", "c", "m")], run=run)
    assert not DataRecord.objects.exists()
    assert not RejectedRow.objects.exists()
    assert counted() == {}


def test_records_are_counted_by_day_and_status():
    land([row("s:1", {}, at=NOON), row("s:2", {}, at=NOON), row("s:3", {})])
    assert {(c.day, c.status): c.count for c in RecordCount.objects.all()} == {
        (NOON.date(), "raw"): 2,
        (NO_DAY, "raw"): 1,
    }


def test_results_set_the_status_and_keep_what_was_found():
    land([row(f"s:{n}", {"v": str(n)}) for n in range(3)])
    repair = {"rule": "number", "column": "v", "before": "1", "after": 0.0}
    error = {"rule": "required", "column": "v", "value": "", "message": "is missing"}
    counts = save(
        Outcome("s:0", 1, True, '{"v":0.5}', value=0.5, category="é", seconds=0.25),
        Outcome(
            "s:1", 1, True, '{"v":0.0}', repairs=[repair], value=0.0, repaired=True, unread=True
        ),
        Outcome("s:2", 1, False, errors=[error], error_message="It failed."),
    )
    assert counts == ProcessingCounts(processed=2, failed=1, repaired=1, filled=2, unread=1)
    assert counted() == recounted() == {("s", "processed"): 2, ("s", "failed"): 1}
    good, repaired, bad = ProcessingResult.objects.order_by("record_id")
    assert (good.processed_data, good.value, good.category) == ({"v": 0.5}, 0.5, "é")
    assert (good.processing_time, good.error_message, good.current) == (0.25, None, True)
    assert (repaired.repairs, repaired.repaired) == ([repair], True)
    assert (bad.success, bad.processed_data, bad.errors) == (False, None, [error])


MEANWHILE: dict[str, Callable[[], object]] = {
    "updated": lambda: land([row("s:1", {"a": "y"})]),
    "deleted": lambda: store.delete_records(ids=["s:1"]),
    "another came in its place": lambda: [
        store.delete_records(ids=["s:1"]),
        land([row("s:1a", {"a": "x"})]),
    ],
    "processed": lambda: save(Outcome("s:1", 1, True, "{}"), selection=Selection.ALL),
}


@pytest.mark.parametrize("what", MEANWHILE)
def test_an_outcome_of_a_record_that_has_changed_since_it_was_read_is_dropped(what):
    land([row(f"s:{n}", {"a": "x"}) for n in range(3)])
    outcomes = [Outcome(f"s:{n}", 1, n < 2, "{}") for n in range(3)]
    counts = save(*outcomes, meanwhile=MEANWHILE[what])
    assert counts == ProcessingCounts(processed=1, failed=1)
    assert counted() == recounted()
    statuses = dict(DataRecord.objects.values_list("id", "status"))
    assert (statuses["s:0"], statuses["s:2"]) == ("processed", "failed")
    assert statuses.get("s:1") == {"updated": "raw", "processed": "processed"}.get(what)
    assert statuses.get("s:1a", "raw") == "raw"
    assert_one_current_result_each()


def test_what_lands_between_records_that_are_processed_stays_raw():
    land([row("s:1", {}), row("s:3", {})])
    outcomes = [Outcome("s:1", 1, True, "{}"), Outcome("s:3", 1, True, "{}")]
    assert save(*outcomes, meanwhile=lambda: land([row("s:2", {})])).processed == 2
    assert counted() == recounted() == {("s", "processed"): 2, ("s", "raw"): 1}
    assert_one_current_result_each()


@pytest.mark.parametrize("what", ["nothing", *MEANWHILE])
def test_processed_anew_a_record_keeps_its_former_result_as_history(what):
    land([row(f"s:{n}", {"a": "x"}) for n in range(3)])
    save(*(Outcome(f"s:{n}", 1, n < 2, "{}") for n in range(2)))
    store.save_rule_set(source=Source.objects.get(), rules=[], note="another version")
    again = [Outcome(f"s:{n}", 1, n > 0, "{}") for n in range(3)]
    counts = save(*again, selection=Selection.ALL, meanwhile=MEANWHILE.get(what, int))
    found = 3 if what in ("nothing", "processed") else 2
    assert (counts.processed, counts.failed) == (found - 1, 1)
    assert counted() == recounted()
    assert_one_current_result_each()
    history = ProcessingResult.objects.of_record("s:0").order_by("id")
    assert list(history.values_list("success", "current")) == [(True, False), (False, True)]


@pytest.mark.parametrize("number", [1, 2])
def test_what_the_same_rules_make_of_all_records_anew_replaces_what_they_made(number):
    land([row("s:1", {}), row("s:2", {})])
    save(Outcome("s:1", 1, True, "{}"), Outcome("s:2", 1, False))
    again = [Outcome("s:1", 1, False), Outcome("s:2", 1, True, "{}")][:number]
    save(*again, selection=Selection.ALL)
    assert ProcessingResult.objects.filter(record_id="s:1", current=True).get().success is False
    assert not ProcessingResult.objects.filter(current=False).exists()
    assert counted() == recounted()
    assert_one_current_result_each()


def test_a_record_without_an_outcome_keeps_its_result_and_counts_as_unchanged():
    land([row("s:1", {}), row("s:2", {}), row("s:3", {})])
    save(*(Outcome(f"s:{n}", 1, True, "{}") for n in (1, 2)))
    counts = save(Outcome("s:2", 1, False), selection=Selection.CHANGED)
    assert counts == ProcessingCounts(failed=1)
    run = ProcessingRun.objects.latest("pk")
    assert (run.processed, run.failed, run.unchanged) == (0, 1, 1)
    assert counted() == recounted() == {("s", s): 1 for s in ("processed", "failed", "raw")}
    assert ProcessingResult.objects.of_record("s:1").count() == 1
    assert_one_current_result_each()


def assert_one_current_result_each() -> None:
    current = ProcessingResult.objects.filter(current=True).values_list("record_id", flat=True)
    done = DataRecord.objects.filter(status__in=["processed", "failed"])
    assert sorted(current) == sorted(done.values_list("id", flat=True))


def test_a_second_current_result_is_refused_by_the_database():
    land([row("s:1", {})])
    save(Outcome("s:1", 1, True, "{}"))
    former = ProcessingResult.objects.get()
    former.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        former.save()


def test_an_edit_leaves_a_version_behind_and_is_processed_anew(django_user_model):
    user = django_user_model.objects.create_user("ann")
    land([row("s:1", {"a": "x"}, at=NOON)])
    save(Outcome("s:1", 1, True, "{}"))
    store.edit_record(record_id="s:1", data={"a": "z"}, user=user)
    record, version = DataRecord.objects.get(), RecordVersion.objects.get()
    assert (record.data, record.status, record.processed_at) == ({"a": "z"}, "raw", None)
    assert (version.data, version.reason, version.replaced_by_user) == ({"a": "x"}, "edit", user)
    assert not ProcessingResult.objects.get().current
    assert counted() == recounted() == {("s", "raw"): 1}


def test_an_edit_that_changes_nothing_leaves_nothing_behind():
    land([row("s:1", {"a": "x"})])
    store.edit_record(record_id="s:1", data={"a": "x"}, user=None)
    assert not RecordVersion.objects.exists()


@pytest.mark.parametrize(
    "data",
    [
        [],
        "x",
        {"a": "\0"},
        {"\0": 1},
        {"a": ["\0"]},
        {"a": "\ud800"},
        {"a": float("inf")},
        {"a": [float("nan")]},
    ],
)
def test_data_that_no_record_can_hold_is_refused(data):
    land([row("s:1", {"a": "x"})])
    with pytest.raises(InvalidData):
        store.edit_record(record_id="s:1", data=data, user=None)


def test_editing_what_is_not_there_says_so():
    with pytest.raises(RecordNotFound, match="s:9"):
        store.edit_record(record_id="s:9", data={}, user=None)


def test_requeued_records_are_raw_and_deleted_ones_leave_nothing():
    land([row(f"s:{n}", {}) for n in range(3)])
    save(*(Outcome(f"s:{n}", 1, True, "{}") for n in range(3)))
    assert store.requeue_records(ids=["s:0", "s:9"]) == 1
    assert store.delete_records(ids=["s:1", "s:9"]) == 1
    assert counted() == recounted() == {("s", "raw"): 1, ("s", "processed"): 1}
    assert set(ProcessingResult.objects.filter(current=True).values_list("record_id")) == {("s:2",)}


def test_rule_sets_are_numbered_and_never_replaced():
    source = Source.objects.create(name="s")
    store.save_rule_set(source=source, rules=[{"rule": "stamp", "column": "x"}])
    newest = store.save_rule_set(source=source, rules=[], note="fewer")
    assert [r.version for r in source.rule_sets.all()] == [2, 1]
    assert source.current_rule_set == newest


def test_a_run_is_claimed_by_one_worker_and_taken_over_when_its_lease_lapses():
    run = running()
    assert leases.claim(IngestionRun, run.pk, "another") is None
    IngestionRun.objects.filter(pk=run.pk).update(lease_until=NOON)
    taken = leases.claim(IngestionRun, run.pk, "another")
    assert taken is not None
    assert (taken.worker, taken.attempts) == ("another", 2)


def test_the_lease_of_a_process_that_is_gone_lapses_at_once():
    mine, gone = running(), running()
    name = worker_name()
    machine, _, token = name.rsplit(":", 2)
    IngestionRun.objects.filter(pk=mine.pk).update(worker=name)
    IngestionRun.objects.filter(pk=gone.pk).update(worker=f"{machine}:{2**22 + 1}:{token}")
    assert stalled(IngestionRun) == [gone]


def test_a_queue_is_at_work_on_what_its_own_workers_hold():
    mine = IngestionRun.objects.filter(pk=running().pk)
    mine.update(trigger="upload", worker=worker_name(of_queue=False))
    assert not is_working("ingestion")
    # What a command began, and a worker took over.
    mine.update(trigger="command", worker=worker_name())
    assert is_working("ingestion")


def test_a_run_that_gets_on_may_be_taken_up_as_often_as_it_takes():
    run = running()
    IngestionRun.objects.filter(pk=run.pk).update(attempts=5)
    land([row("s:1", {})], run=run)
    run.refresh_from_db()
    assert run.attempts == 1


def test_a_run_whose_workers_keep_dying_is_given_up():
    run = running()
    for _ in range(5):
        IngestionRun.objects.filter(pk=run.pk).update(lease_until=NOON)
        leases.claim(IngestionRun, run.pk, WORKER)
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert run.error.startswith("Gave up after 5 attempts: ")


steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("land"),
            st.lists(st.tuples(st.integers(0, 4), st.sampled_from("xyz")), max_size=8),
        ),
        st.tuples(st.just("process"), st.sets(st.integers(0, 4))),
        st.tuples(st.just("edit"), st.tuples(st.integers(0, 4), st.sampled_from("xyz"))),
        st.tuples(st.just("requeue"), st.sets(st.integers(0, 4))),
        st.tuples(st.just("delete"), st.sets(st.integers(0, 4))),
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(steps)
def test_counters_equal_full_counts_after_any_mixture_of_changes(db, steps):
    with transaction.atomic():
        Source.objects.get_or_create(name="s")
        for step, argument in steps:
            if step == "land":
                rows = [row(f"s:{key}", {"a": value}) for key, value in argument]
                ledger = land(rows, [Reject(1, b"", "c", "m")])
                assert ledger.read == len(rows) + 1
            elif step == "process":
                versions = DataRecord.objects.with_ids([f"s:{key}" for key in argument])
                outcomes = [Outcome(r.id, r.version, argument != {1}, "{}") for r in versions]
                save(*outcomes, selection=Selection.ALL)
            elif step == "edit" and DataRecord.objects.filter(pk=f"s:{argument[0]}").exists():
                store.edit_record(record_id=f"s:{argument[0]}", data={"a": argument[1]}, user=None)
            elif step == "requeue":
                store.requeue_records(ids=[f"s:{key}" for key in argument])
            elif step == "delete":
                store.delete_records(ids=[f"s:{key}" for key in argument])
        assert counted() == recounted()
        assert_one_current_result_each()
        transaction.set_rollback(True)
