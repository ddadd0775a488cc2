"""Processing: from raw records to results, by command and by what has landed."""

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django_q.models import OrmQ

from processing.jobs import batch_work
from processing.jobs import process as processing_runs
from processing.rule_sets import rule_set_for
from records import store
from records.jobs.runner import run_job, work_on
from records.jobs.sweep import wake_stalled
from records.models import (
    DataRecord,
    IngestionRun,
    ProcessingBatch,
    ProcessingResult,
    ProcessingRun,
    RunState,
    Source,
)
from tests.factories import WORKER, Died, counted, load, process, recounted

pytestmark = pytest.mark.django_db

CSV = """id,date,amount,category
1,2025-01-02,10.5,  Tools
2,2025-01-03,bad,TOYS
3,2025-01-03,,toys
4,2025-01-04,1e400,toys
"""


@pytest.fixture
def landed(tmp_path):
    path = tmp_path / "sales.csv"
    path.write_text(CSV)
    return load(path)


def test_records_are_validated_and_cleaned_by_the_default_rules(landed):
    run = process()
    assert (run.state, run.processed, run.failed, run.repaired) == ("finished", 3, 1, 2)
    first, second, third, fourth = ProcessingResult.objects.order_by("record_id")
    cleaned = first.processed_data or {}
    assert (cleaned["amount"], cleaned["category"], cleaned["id"]) == (10.5, "tools", "1")
    assert cleaned["processed_timestamp"] > 1_700_000_000
    assert (first.value, first.category, first.repaired) == (10.5, "tools", False)
    assert second.repairs == [{"rule": "number", "column": "amount", "before": "bad", "after": 0.0}]
    assert (second.value, second.repaired) == (0.0, True)
    assert third.error_message == "Data validation failed: 'amount' is missing."
    assert third.errors[0]["column"] == "amount"
    assert fourth.repairs[0]["before"] == "1e400"
    assert counted() == recounted() == {("sales", "processed"): 3, ("sales", "failed"): 1}


def test_the_record_itself_stays_what_was_read(landed):
    process()
    assert DataRecord.objects.get(pk="sales:2").data["amount"] == "bad"


def test_a_source_without_a_value_has_rules_without_it(tmp_path):
    path = tmp_path / "names.csv"
    path.write_text("id,name\n1,Ann\n")
    load(path)
    assert process().processed == 1
    rule_set = rule_set_for(Source.objects.get())
    assert [step["rule"] for step in rule_set.rules] == ["required", "stamp"]
    assert ProcessingResult.objects.get().value is None


def test_default_rules_follow_the_mapping_and_saved_rules_stay(landed):
    source = Source.objects.get()
    assert rule_set_for(source).version == 1
    source.mapping = {**source.mapping, "value": []}
    assert rule_set_for(source).version == 2
    saved = store.save_rule_set(source=source, rules=[], note="mine")
    source.mapping = {**source.mapping, "value": ["amount"]}
    assert rule_set_for(source) == saved


def command(capsys, *arguments: str) -> dict[str, Any]:
    call_command("process", *arguments, "--json")
    return json.loads(capsys.readouterr().out)


def test_the_command_prints_what_became_of_the_records(landed, capsys):
    facts = command(capsys)
    assert facts.pop("seconds") >= 0
    assert facts.pop("run") == ProcessingRun.objects.latest("id").pk
    assert facts == {"processed": 3, "failed": 1, "repaired": 2, "unread": 2}
    assert command(capsys)["processed"] == 0


def test_the_command_keeps_to_source_and_limit(landed, tmp_path, capsys, settings):
    settings.BATCH_ROWS = 2
    other = tmp_path / "other.csv"
    other.write_text(CSV)
    load(other)
    facts = command(capsys, "--source", "other", "--limit", "3")
    assert facts["processed"] + facts["failed"] == 3
    assert counted()["sales", "raw"] == 4
    assert counted()["other", "raw"] == 1


def test_a_large_run_lets_others_go_first(landed, settings):
    settings.BATCH_ROWS = 1
    run = processing_runs.create_run(trigger="test")
    assert ProcessingRun.objects.filter(state=RunState.QUEUED).count() == 2
    for turn in range(1, 3):
        left = work_on(run, WORKER, seconds=0)
        assert left is not None
        assert (left.state, left.processed + left.failed) == (RunState.QUEUED, turn)
    ProcessingRun.objects.exclude(pk=run.pk).delete()
    ended = work_on(run, WORKER, seconds=0)
    assert ended is not None
    assert (ended.state, ended.processed + ended.failed) == (RunState.FINISHED, 4)


def test_a_worker_of_the_queue_lets_others_go_first_and_a_command_does_not(
    landed, settings, monkeypatch
):
    settings.BATCH_ROWS = 1
    monkeypatch.setattr(processing_runs.Process, "turn_seconds", 0)
    run = processing_runs.create_run(trigger="test")
    run_job("process", run.pk)
    run.refresh_from_db()
    assert (run.state, run.processed + run.failed) == (RunState.QUEUED, 1)
    ended = work_on(run, WORKER)
    assert ended is not None
    assert (ended.state, ended.processed + ended.failed) == (RunState.FINISHED, 4)


@pytest.mark.parametrize(
    "arguments", [["--source", "nope"], ["--limit", "0"], ["--limit", "x"], ["--limit", "9" * 20]]
)
def test_wrong_usage_exits_with_2(arguments):
    with pytest.raises(CommandError) as caught:
        call_command("process", *arguments)
    assert caught.value.returncode == 2 or "whole number" in str(caught.value)


def test_what_lands_is_queued_for_processing_once(landed, tmp_path):
    (queued,) = ProcessingRun.objects.filter(state=RunState.QUEUED)
    assert (str(queued.source), queued.trigger) == ("sales", "worker")
    again = tmp_path / "sales.csv"
    again.write_text(CSV.replace("10.5", "11"))
    load(again)
    assert ProcessingRun.objects.filter(state=RunState.QUEUED).count() == 1
    assert OrmQ.objects.filter(key="processing").count() == 1


def test_records_that_were_left_raw_are_found_and_queued(landed):
    ProcessingRun.objects.all().delete()
    wake_stalled("processing")
    wake_stalled("processing")
    (found,) = ProcessingRun.objects.all()
    assert str(found.source) == "sales"


@pytest.mark.parametrize(("trigger", "runs"), [("events", 1), ("upload", 0)])
def test_an_import_that_goes_on_announces_its_records_but_events_may_not(landed, trigger, runs):
    ProcessingRun.objects.all().delete()
    IngestionRun.objects.update(state=RunState.RUNNING, trigger=trigger)
    wake_stalled("processing")
    assert ProcessingRun.objects.count() == runs


def test_a_counter_that_is_wrong_makes_no_runs(landed):
    ProcessingRun.objects.all().delete()
    DataRecord.objects.update(status="processed")
    wake_stalled("processing")
    assert not ProcessingRun.objects.exists()


def test_records_whose_last_run_failed_wait_for_a_person(landed, monkeypatch):
    def broken(*arguments):
        raise ZeroDivisionError

    monkeypatch.setattr(batch_work, "rule_set_for", broken)
    run = process("sales")
    assert (run.state, "ZeroDivisionError" in run.error) == (RunState.FAILED, True)
    ProcessingRun.objects.filter(state=RunState.QUEUED).delete()
    wake_stalled("processing")
    assert not ProcessingRun.objects.active().exists()


def test_a_killed_run_is_taken_over_and_each_record_gets_one_result(landed, settings, monkeypatch):
    settings.BATCH_ROWS = 1
    save, batches = store.save_results, 0

    def die_in_the_third(**arguments):
        nonlocal batches
        batches += 1
        if batches == 3:
            raise Died
        return save(**arguments)

    run = processing_runs.create_run(trigger="test")
    monkeypatch.setattr(store, "save_results", die_in_the_third)
    with pytest.raises(Died):
        work_on(run, "the first worker")
    ProcessingRun.objects.filter(pk=run.pk).update(lease_until=run.created_at)
    ProcessingBatch.objects.update(lease_until=run.created_at)
    done = work_on(run, WORKER)
    assert done is not None
    assert (done.state, done.processed, done.failed, done.total) == ("finished", 3, 1, 4)
    assert ProcessingResult.objects.filter(current=True).count() == 4
    assert not DataRecord.objects.filter(status__in=["raw", "processing"]).exists()
