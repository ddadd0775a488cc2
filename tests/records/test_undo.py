"""Undo: a run is taken back, and what others made of its records meanwhile stays."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.errors import CannotUndo
from ingestion.loading import undo as service
from records import store
from records.digests import digest_of
from records.jobs import leases
from records.jobs.runner import work_on
from records.models import (
    DataRecord,
    IngestionRun,
    ProcessingResult,
    RecordVersion,
    RejectedRow,
    RunState,
    Undo,
)
from records.rows import Reject
from tests.factories import WORKER, counted, land, process, recounted, row, running

pytestmark = pytest.mark.django_db


def loaded(contents, source="s", rejects=()):
    """A finished run that landed these contents, by key."""
    run = running(source)
    rows = [row(f"{source}:{key}", {"a": a}, line=i) for i, (key, a) in enumerate(contents.items())]
    land(rows, rejects, run=run)
    leases.finish(run, WORKER)
    return run


def edited(key, content):
    store.edit_record(record_id=f"s:{key}", data={"a": content}, user=None)


def undone(run):
    done = work_on(service.create_undo(run=run, trigger="test"), WORKER)
    assert done is not None
    assert done.state == RunState.FINISHED, done.error
    run.refresh_from_db()
    assert run.state == RunState.UNDONE
    return done


def tally(undo):
    return undo.deleted, undo.restored, undo.kept, undo.kept_ids


def contents():
    return {record.id[2:]: record.data["a"] for record in DataRecord.objects.of_source("s")}


def test_what_a_run_created_goes_with_its_results_and_counters():
    loaded({"1": "x"})
    process("s")
    before = digest_of("s")
    run = loaded({"2": "y", "3": "z"})
    process("s")
    assert digest_of("s") != before
    assert tally(undone(run)) == (2, 0, 0, [])
    assert digest_of("s") == before
    assert ProcessingResult.objects.count() == 1
    assert counted() == recounted() == {("s", "processed"): 1}


def test_what_a_run_overwrote_gets_its_content_its_run_and_its_line_back_and_is_raw_again():
    first = loaded({"0": "", "1": "x"})
    process("s")
    run = loaded({"1": "y"})
    process("s")
    assert tally(undone(run)) == (0, 1, 0, [])
    record = DataRecord.objects.get(pk="s:1")
    assert (record.data, record.run, record.line, record.status) == ({"a": "x"}, first, 1, "raw")
    assert record.version == 3
    version = RecordVersion.objects.get(record=record, version=2)
    assert (version.data, version.reason, version.replaced_by_run) == ({"a": "y"}, "undo", run)
    assert counted() == recounted() == {("s", "processed"): 1, ("s", "raw"): 1}
    process("s")
    assert ProcessingResult.objects.filter(current=True).count() == 2


def test_what_a_later_run_or_a_person_changed_stays_and_is_named():
    loaded({"1": "x", "2": "x", "3": "x"})
    run = loaded({"1": "y", "2": "y", "3": "y", "4": "new", "5": "new"})
    edited(2, "by hand")
    edited(4, "by hand")
    loaded({"3": "later"})
    assert tally(undone(run)) == (1, 1, 3, ["s:2", "s:3", "s:4"])
    assert contents() == {"1": "x", "2": "by hand", "3": "later", "4": "by hand"}


def test_an_edit_made_before_the_run_comes_back():
    loaded({"1": "x"})
    edited(1, "by hand")
    undone(loaded({"1": "y"}))
    assert contents() == {"1": "by hand"}
    # It is still the person's, though it has the run that brought the record.
    assert tally(undone(IngestionRun.objects.earliest("pk"))) == (0, 0, 1, ["s:1"])


def test_runs_undone_in_any_order_leave_what_was_before_the_first():
    loaded({"1": "x"})
    second, third = loaded({"1": "y", "2": "y"}), loaded({"1": "z", "2": "z"})
    assert tally(undone(second)) == (0, 0, 2, ["s:1", "s:2"])
    assert tally(undone(third)) == (1, 1, 0, [])
    assert contents() == {"1": "x"}


def test_a_run_that_is_loaded_again_can_be_undone_again():
    first = loaded({"1": "x"})
    undone(loaded({"1": "y"}))
    undone(loaded({"1": "y"}))
    assert contents() == {"1": "x"}
    undone(first)
    assert contents() == {}
    assert not RecordVersion.objects.exists()


def test_records_of_other_sources_stay():
    loaded({"1": "x"}, source="s2")
    undone(loaded({"1": "x"}))
    assert [record.id for record in DataRecord.objects.all()] == ["s2:1"]


def test_rejected_rows_that_the_run_took_up_are_open_again():
    first = loaded({}, rejects=[Reject(7, b"bad", "missing_key", "no key")])
    replay = loaded({"1": "x"})
    RejectedRow.objects.update(resolved_by=replay, record_id="s:1")
    undone(replay)
    (rejected,) = first.rejected_rows.open()
    assert rejected.record_id == ""


def test_a_run_that_is_active_or_undone_can_not_be_undone():
    with pytest.raises(CannotUndo, match="it is running"):
        service.create_undo(run=running(), trigger="test")
    run = loaded({"1": "x"})
    undone(run)
    with pytest.raises(CannotUndo, match="it is undone"):
        service.create_undo(run=run, trigger="test")


def test_a_source_has_one_undo_at_a_time():
    first, second = loaded({"1": "x"}), loaded({"1": "y"})
    service.create_undo(run=first, trigger="test")
    with pytest.raises(CannotUndo, match="is being undone"):
        service.create_undo(run=second, trigger="test")


def test_an_undo_that_was_interrupted_goes_on_behind_its_last_batch():
    loaded({str(n): "x" for n in range(0, 10, 2)})
    before = digest_of("s")
    run = loaded({str(n): "y" for n in range(10)})
    undo = leases.claim(Undo, service.create_undo(run=run, trigger="test").pk, "first")
    assert undo is not None
    assert store.undo_batch(undo=undo, worker="first", size=4)
    Undo.objects.update(lease_until=undo.created_at)
    done = work_on(undo, "second")
    assert done is not None
    assert tally(done) == (5, 5, 0, [])
    assert digest_of("s") == before


def test_an_undo_that_failed_half_way_can_be_made_again():
    loaded({str(n): "x" for n in range(0, 10, 2)})
    before = digest_of("s")
    run = loaded({str(n): "y" for n in range(10)})
    undo = leases.claim(Undo, service.create_undo(run=run, trigger="test").pk, WORKER)
    assert undo is not None
    store.undo_batch(undo=undo, worker=WORKER, size=4)
    leases.fail(undo, WORKER, "worn out")
    assert undone(run).kept == 0
    assert digest_of("s") == before


def test_a_worker_without_the_lease_takes_nothing_back():
    run = loaded({"1": "x"})
    undo = leases.claim(Undo, service.create_undo(run=run, trigger="test").pk, WORKER)
    assert undo is not None
    with pytest.raises(Exception, match="no longer held"):
        store.undo_batch(undo=undo, worker="another")
    assert contents() == {"1": "x"}


def test_the_digest_knows_ids_and_data_and_no_order_of_rows_or_columns():
    loaded({"1": "x", "2": "y"}, source="p")
    found = digest_of("p")
    assert (found.records, len(found.digest)) == (2, 64)
    land([row("q:2", {"a": "y", "b": ""}), row("q:1", {"a": "x"})])
    assert digest_of("q") != found
    assert digest_of("empty").digest == "0" * 64


def test_the_digest_takes_numbers_for_the_same_that_databases_write_differently():
    land([row("s:1", {"a": 1e16, "b": [1.0, 10**17]})])
    first = digest_of("s").digest
    DataRecord.objects.update(data={"a": 10**16, "b": [1, 10**17]})
    assert digest_of("s").digest == first


def call(*arguments):
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_the_commands_undo_a_run_and_print_the_digest():
    loaded({"1": "x"})
    before = call("digest", "--source", "s")
    assert before.split()[1] == "1"
    run = loaded({"1": "y", "2": "y"})
    answer = json.loads(call("undo", str(run.pk), "--json"))
    assert (answer["deleted"], answer["restored"], answer["kept"]) == (1, 1, 0)
    assert call("digest", "--source", "s") == before
    for wrong in (("undo", "987654"), ("undo", str(run.pk)), ("digest", "--source", "none")):
        with pytest.raises(CommandError) as caught:
            call(*wrong)
        assert caught.value.returncode == 2


KEYS = st.sampled_from("abc")
STEPS = st.one_of(
    st.tuples(st.just("load"), st.dictionaries(KEYS, st.sampled_from("xyz"), min_size=1)),
    st.tuples(st.just("edit"), st.tuples(KEYS, st.sampled_from("xyz"))),
    st.tuples(st.just("undo"), st.integers(0, 20)),
)


@given(st.lists(STEPS, max_size=12))
@settings(max_examples=60)
def test_whatever_is_loaded_edited_and_undone_each_record_is_what_is_left_of_its_contents(steps):
    store.delete_records(ids=list(DataRecord.objects.values_list("id", flat=True)))
    # Key -> contents upon each other, each with its run (None: a person's).
    model: dict[str, list[tuple[str, int | None]]] = {}
    finished: list[IngestionRun] = []
    gone: set[int | None] = set()
    for kind, what in steps:
        if kind == "load":
            run = loaded(what)
            finished.append(run)
            for key, content in what.items():
                stack = model.setdefault(key, [])
                if not stack or stack[-1][0] != content:
                    stack.append((content, run.pk))
        elif kind == "edit":
            key, content = what
            stack = model.get(key, [])
            if stack and stack[-1][0] != content:
                edited(key, content)
                stack.append((content, None))
        elif finished:
            run = finished.pop(what % len(finished))
            touched = [key for key, stack in model.items() if run.pk in {by for _, by in stack}]
            kept = sorted(f"s:{key}" for key in touched if model[key][-1][1] != run.pk)
            gone.add(run.pk)
            done = undone(run)
            assert done.kept_ids == kept
            assert done.kept == len(kept)
            for key in touched:
                if model[key][-1][1] == run.pk:
                    while model[key] and model[key][-1][1] in gone:
                        model[key].pop()
        assert contents() == {key: stack[-1][0] for key, stack in model.items() if stack}
        assert counted() == recounted()
