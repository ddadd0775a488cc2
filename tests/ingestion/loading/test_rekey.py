"""Another key for stored records: each gets the one that its cells make, and can get it back."""

import json
from functools import partial
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from explore.history import history
from ingestion.errors import CannotRekey
from ingestion.loading import rekey, undo
from processing.jobs import process as processing_runs
from records import store
from records.errors import LeaseLost
from records.jobs import batches, leases
from records.jobs.runner import work_on
from records.models import (
    DataRecord,
    IngestionRun,
    ProcessingResult,
    RecordKey,
    RecordVersion,
    RejectedRow,
    Rekey,
    RunState,
    Source,
    Undo,
)
from records.rows import Reject
from tests.factories import WORKER, counted, land, load, process, recounted, row, running

pytestmark = pytest.mark.django_db


def landed(rows, source="s", mapping=None):
    """A finished run that landed rows of the columns id and k, by the former."""
    run = running(source)
    Source.objects.filter(name=source).update(
        mapping=mapping or {"id": ["id"], "timestamp": [], "value": [], "category": []}
    )
    made = [
        row(f"{source}:{key}", {"id": key, "k": k}, line=line)
        for line, (key, k) in enumerate(rows.items(), start=2)
    ]
    land(made, run=run)
    leases.finish(run, WORKER, columns=["id", "k"], mapping={"id": ["id"]})
    return run


def source():
    return Source.objects.get(name="s")


def rekeyed(*columns):
    """The run, as it ended."""
    done = work_on(
        rekey.create_rekey(source=source(), columns=columns or ("k",), trigger="test"), WORKER
    )
    assert done is not None
    return done


def undone(run):
    """The undo, as it ended."""
    done = work_on(undo.create_undo(run=run, trigger="test"), WORKER)
    assert done is not None
    assert done.state == RunState.FINISHED, done.error
    return done


def contents():
    return {record.id[2:]: record.data["k"] for record in DataRecord.objects.of_source("s")}


def state():
    """All that is stored of records."""
    records = DataRecord.objects.order_by("id").values()
    versions = RecordVersion.objects.order_by("pk").values()
    results = ProcessingResult.objects.order_by("pk").values()
    rejected = RejectedRow.objects.order_by("pk").values("pk", "record_id", "resolved_by")
    return [*map(list, (records, versions, results, rejected)), source().mapping, counted()]


def test_each_record_gets_the_key_that_its_cells_make_and_later_rows_find_it():
    landed({"1": "x", "2": "y"})
    run = rekeyed()
    assert (run.state, run.rekeyed, run.read, run.error) == ("finished", 2, 0, "")
    assert contents() == {"x": "x", "y": "y"}
    assert source().mapping["id"] == ["k"]


def test_versions_results_and_rejected_rows_go_along_and_undo_gives_back_exactly_what_was():
    landed({"1": "x", "2": "y"})
    process("s")
    store.edit_record(record_id="s:2", data={"id": "2", "k": "z"}, user=None)
    process("s")
    first = IngestionRun.objects.get(is_rekey=False)
    land([], [Reject(9, b"1,x", "missing_key", "no key")], run=(rejecting := running()))
    leases.finish(rejecting, WORKER)
    RejectedRow.objects.update(resolved_by=first, record_id="s:1")
    before = state()
    run = rekeyed()
    for model in (DataRecord, ProcessingResult, RecordVersion):
        ids = set(
            model.objects.values_list("id" if model is DataRecord else "record_id", flat=True)
        )
        assert ids <= {"s:x", "s:z"}, model
    assert RejectedRow.objects.get().record_id == "s:x"
    assert DataRecord.objects.get(pk="s:z").versions.count() == 1
    assert DataRecord.objects.get(pk="s:z").results.count() == 2
    done = undone(run)
    assert (done.restored, done.kept) == (2, 0)
    assert state() == before
    run.refresh_from_db()
    assert run.state == RunState.UNDONE


@pytest.mark.parametrize(
    "rows",
    [
        {"1": "2", "2": "3", "3": "4", "4": "5"},
        {"2": "1", "3": "2", "4": "3", "5": "4"},
        {"1": "2", "2": "3", "3": "1"},
        {"1": "1", "2": "3", "3": "2"},
        {"1": "9", "2": "1", "9": "2", "90": "91"},
    ],
    ids=["up by one", "down by one", "in a circle", "two swapped", "far apart"],
)
@pytest.mark.parametrize("size", [1, 2, 5_000])
def test_records_may_get_the_ids_that_others_have_so_far(rows, size, monkeypatch):
    monkeypatch.setattr(store, "rekey_batch", partial(store.rekey_batch, size=size))
    monkeypatch.setattr(store, "restore_ids_batch", partial(store.restore_ids_batch, size=size))
    landed(rows)
    process("s")
    before = state()
    run = rekeyed()
    assert contents() == {k: k for k in rows.values()}
    assert run.rekeyed == sum(key != k for key, k in rows.items())
    for result in ProcessingResult.objects.all():
        assert result.processed_data["k"] == result.record_id[2:]
    assert undone(run).restored == run.rekeyed
    assert state() == before


def test_a_key_that_is_empty_or_repeats_is_refused_with_the_lines_and_nothing_is_changed():
    run = landed({"1": "x", "2": "", "3": "x", "4": " ", "5": "y"})
    before = state()
    failed = rekeyed()
    assert failed.state == RunState.FAILED
    assert failed.error == (
        "The records of s can't be given this key. Records in which 'k' is empty or too long: 2, "
        f"such as line 3 of run {run.pk}, line 5 of run {run.pk}. Records with the key of another "
        f"record: 1, such as 'x' in line 2 of run {run.pk} and line 4 of run {run.pk}. No record "
        "was changed. Add a column to the key, or correct these records."
    )
    assert state() == before
    assert rekeyed("k", "id").state == RunState.FINISHED
    assert "x|3" in contents()


def test_a_closed_record_that_would_get_the_same_key_is_a_repetition():
    landed({"1": "x", "2": "x"})
    DataRecord.objects.filter(pk="s:2").update(closed_by=IngestionRun.objects.get())
    assert "Records with the key of another record: 1" in rekeyed().error


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ((), "Name at least one column"),
        (("ids",), "s has no column 'ids'; did you mean 'id'\\?"),
        (("other",), "s has no column 'other'\\."),
    ],
)
def test_columns_that_there_are_not_are_refused_by_name(columns, said):
    landed({"1": "x"})
    with pytest.raises(CannotRekey, match=said):
        rekey.create_rekey(source=source(), columns=columns, trigger="test")


def test_a_source_is_given_one_key_at_a_time_and_none_without_records():
    landed({})
    with pytest.raises(CannotRekey, match="There are none"):
        rekey.create_rekey(source=source(), columns=["k"], trigger="test")
    landed({"1": "x"})
    rekey.create_rekey(source=source(), columns=["k"], trigger="test")
    with pytest.raises(CannotRekey, match="at the moment"):
        rekey.create_rekey(source=source(), columns=["id"], trigger="test")


def begun(size=2):
    """A run whose worker has gone after the first batch."""
    made = rekey.create_rekey(source=source(), columns=["k"], trigger="test")
    run = leases.claim(IngestionRun, made.pk, "first")
    assert run is not None
    job = rekey.RekeyRecords(run, "first")
    assert store.rekey_batch(run=run, worker="first", ids_of=job._ids_of, size=size)
    return run


def test_a_run_that_was_interrupted_goes_on_behind_its_last_batch():
    rows = {str(n): str(n + 1) for n in range(1, 9)}
    landed(rows)
    before = state()
    run = begun()
    assert len(contents()) == len(rows)
    IngestionRun.objects.filter(pk=run.pk).update(lease_until=run.created_at)
    done = work_on(run, "second")
    assert done is not None
    assert (done.state, done.rekeyed) == (RunState.FINISHED, 8)
    assert contents() == {k: k for k in rows.values()}
    undone(done)
    assert state() == before


def test_a_cancelled_run_can_be_undone_or_begun_again():
    rows = {str(n): str(n + 1) for n in range(1, 9)}
    landed(rows)
    before = state()
    for is_undone in (True, False):
        run = begun()
        assert leases.stop(run)
        assert sorted(contents().values()) == sorted(rows.values())
        assert source().mapping["id"] == ["id"]
        if is_undone:
            undone(run)
            assert state() == before
    assert rekeyed().state == RunState.FINISHED
    assert contents() == {k: k for k in rows.values()}


def test_a_worker_without_the_lease_renames_nothing():
    landed({"1": "x"})
    made = rekey.create_rekey(source=source(), columns=["k"], trigger="test")
    run = leases.claim(IngestionRun, made.pk, WORKER)
    assert run is not None
    with pytest.raises(LeaseLost):
        store.rekey_batch(run=run, worker="other", ids_of=lambda rows: ["s:x"] * len(rows))
    assert contents() == {"1": "x"}
    assert not RecordKey.objects.exists()


def test_a_record_whose_new_key_was_taken_after_the_check_keeps_its_own():
    landed({"1": "2", "2": "3", "3": "4"})
    made = rekey.create_rekey(source=source(), columns=["k"], trigger="test")
    run = leases.claim(IngestionRun, made.pk, WORKER)
    assert run is not None
    store.edit_record(record_id="s:3", data={"id": "3", "k": "3"}, user=None)
    job = rekey.RekeyRecords(run, WORKER)
    while store.rekey_batch(run=run, worker=WORKER, ids_of=job._ids_of, size=1):
        pass
    assert contents()["3"] == "3"
    assert sorted(contents().values()) == ["2", "3", "3"]
    assert Rekey.objects.get(pk=run.pk).kept == 1


def test_while_records_are_rekeyed_inputs_and_undos_wait_and_it_waits_for_them():
    first = landed({"1": "x"})
    run = begun_alone()
    waiting = work_on(undo.create_undo(run=first, trigger="test"), WORKER)
    assert waiting is not None
    assert (waiting.state, waiting.waits_for) == (
        RunState.QUEUED,
        "Another run is changing the records of the source.",
    )
    leases.stop(run)
    Undo.objects.all().delete()
    running()
    assert rekeyed().is_waiting


def begun_alone():
    made = rekey.create_rekey(source=source(), columns=["k"], trigger="test")
    return leases.claim(IngestionRun, made.pk, "first")


def test_a_batch_that_is_being_processed_is_read_anew():
    landed({"1": "2", "2": "1"})
    processing = processing_runs.create_run(trigger="test", source_name="s")
    assert batches.join(processing.pk, "slow") is not None
    batch = batches.take(processing, "slow", 10)
    assert batch is not None
    assert rekeyed().state == RunState.FINISHED
    batch.refresh_from_db()
    assert (batch.worker, batch.attempts) == ("", 0)


def test_a_second_key_is_undone_before_or_after_the_first():
    landed({"1": "x", "2": "y"})
    before = state()
    first, second = rekeyed("k"), rekeyed("k", "id")
    assert set(contents()) == {"x|1", "y|2"}
    assert undone(first).kept == 2
    assert (set(contents()), source().mapping["id"]) == ({"x|1", "y|2"}, ["k", "id"])
    assert undone(second).restored == 2
    assert state() == before


def test_a_record_whose_former_key_another_record_has_now_keeps_the_new_one():
    landed({"1": "2", "2": "3"})
    run = rekeyed()
    land([row("s:1", {"id": "1", "k": "new"})], run=(later := running()))
    leases.finish(later, WORKER)
    done = undone(run)
    assert (done.restored, done.kept, sorted(done.kept_ids)) == (0, 2, ["s:2", "s:3"])
    assert contents() == {"1": "new", "2": "2", "3": "3"}


def test_a_record_that_was_deleted_takes_its_former_keys_along():
    landed({"1": "x", "2": "y"})
    run = rekeyed()
    store.delete_records(ids=["s:x"])
    land([row("s:x", {"id": "7", "k": "x"})], run=(later := running()))
    leases.finish(later, WORKER)
    assert undone(run).restored == 1
    assert set(contents()) == {"x", "2"}


def test_a_file_with_the_new_key_doubles_nothing_and_says_nothing(tmp_path):
    path = tmp_path / "s.csv"
    people = [(n, f"P{n}@x.org", n % 5) for n in range(40)]
    text = "".join(f"{','.join(map(str, row))}\n" for row in [("id", "email", "n"), *people])
    path.write_text(text)
    load(path)
    run = rekeyed("email")
    assert run.error == ""
    again = load(path)
    assert (again.created, again.unchanged, again.notes) == (0, 40, [])
    assert again.mapping["id"] == ["email"]
    undone(run)
    assert load(path).unchanged == 40


def call(*arguments):
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_the_command_tells_what_it_would_do_does_it_and_says_what_it_has_done():
    landed({"1": "x", "2": "y"})
    assert call("rekey", "--source", "s", "--id", "k", "--dry-run") == (
        "s (dry run, nothing changed): 2 of 2 records would get another key, from 'k'\n"
    )
    assert not IngestionRun.objects.filter(is_rekey=True).exists()
    answer = json.loads(call("rekey", "--source", "s", "--id", "k", "--json"))
    assert (answer["state"], answer["rekeyed"], answer["records"]) == ("finished", 2, 2)
    assert contents() == {"x": "x", "y": "y"}


def test_the_command_fails_with_the_reason():
    landed({"1": "x", "2": "x"})
    for options in (["--dry-run"], []):
        with pytest.raises(SystemExit) as caught:
            call("rekey", "--source", "s", "--id", "k", *options)
        assert caught.value.code == 1
    for wrong in (["--source", "none", "--id", "k"], ["--source", "s", "--id", "q"]):
        with pytest.raises(CommandError) as error:
            call("rekey", *wrong)
        assert error.value.returncode == 2


KEYS = st.sampled_from("abcd")
STEPS = st.one_of(
    st.tuples(st.just("load"), st.dictionaries(KEYS, KEYS, min_size=1)),
    st.tuples(st.just("rekey"), st.sampled_from(["id", "k"])),
    st.tuples(st.just("rekey and undo"), st.sampled_from(["id", "k"])),
    st.tuples(st.just("process"), st.none()),
    st.tuples(st.just("undo"), st.integers(0, 20)),
)


@given(st.lists(STEPS, max_size=10))
@settings(max_examples=60)
def test_whatever_is_loaded_rekeyed_and_undone_nothing_is_lost_and_the_counters_are_right(steps):
    store.delete_records(ids=list(DataRecord.objects.values_list("id", flat=True)))
    running("s")
    IngestionRun.objects.all().delete()
    Source.objects.filter(name="s").update(mapping={"id": ["id"]})
    ended: list[IngestionRun] = []
    for kind, what in steps:
        data = sorted(str(record.data) for record in DataRecord.objects.all())
        if kind == "load":
            (column,) = source().mapping["id"]
            run = running()
            cells = [{"id": key, "k": k} for key, k in what.items()]
            land([row(f"s:{each[column]}", each) for each in cells], run=run)
            leases.finish(run, WORKER, columns=["id", "k"], mapping=source().mapping)
            ended.append(run)
        elif kind == "process":
            process("s")
        elif kind == "undo":
            if ended:
                run = ended.pop(what % len(ended))
                undone(run)
                if run.is_rekey:
                    assert data == sorted(str(record.data) for record in DataRecord.objects.all())
        elif data:
            before = state()
            run = rekeyed(what)
            assert data == sorted(str(record.data) for record in DataRecord.objects.all())
            if run.state == RunState.FAILED:
                assert state() == before
            elif kind == "rekey and undo":
                undone(run)
                assert state() == before
            else:
                assert all(
                    record.id == f"s:{record.data[what]}" for record in DataRecord.objects.all()
                )
                ended.append(run)
        assert counted() == recounted()
        assert not store.check_counts()
        for model in (ProcessingResult, RecordVersion, RecordKey):
            known = DataRecord.objects.values("id")
            assert not model.objects.exclude(record_id__in=known).exists()


def test_the_history_of_a_record_says_by_which_run_its_key_changed_and_changed_back():
    landed({"1": "x"})
    run = rekeyed()
    titles = [part.title for part in history(DataRecord.objects.get())]
    assert titles[1:] == [f"Key changed from 1 to x by run {run.pk}", "Waiting to be processed"]
    undone(run)
    titles = [part.title for part in history(DataRecord.objects.get())]
    assert titles[1:3] == [
        f"Key changed from 1 to x by run {run.pk}",
        f"Key 1 given back when run {run.pk} was undone",
    ]
