"""Jobs: registered by the apps, carried out by one task, each row by one worker."""

import pytest
from django.apps import apps
from django_q.models import OrmQ

from ingestion.feeds.jobs import FetchAPI, LookIntoFolder
from ingestion.loading import replay, runs
from ingestion.loading.load_file import LoadFile
from ingestion.loading.rekey import RekeyRecords, create_rekey
from ingestion.loading.replay import Replay
from processing.jobs.process import create_run as create_processing_run
from records.errors import UnknownJob
from records.jobs import registry, sweep
from records.jobs.job import Job
from records.jobs.runner import queue, run_job, work_on
from records.models import (
    DryRun,
    Export,
    Feed,
    IngestionRun,
    ProcessingBatch,
    ProcessingRun,
    RuleDryRun,
    Run,
    Source,
    Undo,
)
from tests.factories import WORKER, load

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("id,value\n1,2\n2,3,4\n")
    return path


def created(file):
    return runs.create_run(path=file, file_name=file.name, trigger="test", source_name="s")


def calls():
    return [(call.key, call.task["func"], call.task["args"]) for call in OrmQ.objects.all()]


def test_every_kind_is_registered_with_its_class():
    assert {entry.kind: (entry.queue, entry.model) for entry in registry.entries()} == {
        "load_file": ("ingestion", IngestionRun),
        "fetch_api": ("ingestion", IngestionRun),
        "replay": ("ingestion", IngestionRun),
        "rekey": ("ingestion", IngestionRun),
        "end_events": ("ingestion", IngestionRun),
        "look_into_folder": ("ingestion", Feed),
        "dry_run_file": ("ingestion", DryRun),
        "undo": ("ingestion", Undo),
        "process": ("processing", ProcessingRun),
        "dry_run_rules": ("processing", RuleDryRun),
        "export": ("processing", Export),
    }
    for entry in registry.entries():
        assert issubclass(entry.job, Job)
        assert entry.job.run is not Job.run


def test_every_table_of_runs_has_a_job():
    tables = {model for model in apps.get_models() if issubclass(model, Run)}
    assert set(registry.run_models()) == tables
    assert registry.leased_models() == [*registry.run_models(), ProcessingBatch]
    assert set(registry.run_models("processing")) == {ProcessingRun, RuleDryRun, Export}


def test_what_an_ingestion_run_reads_decides_which_job_it_is(file):
    source = Source.objects.create(name="s")
    feed = Feed.objects.create(source=source, kind="http", config={})
    run = created(file)
    kinds = {
        "load_file": [run, IngestionRun(source=source, feed=feed, path="/inbox/a.csv")],
        "fetch_api": [
            IngestionRun(source=source, feed=feed, path=""),
            # What was fetched is a file by now, also if its feed has been removed.
            IngestionRun(source=source, feed=feed, path="/kept", pages=[{"rows": 1}]),
            IngestionRun(source=source, path="/kept", pages=[{"rows": 1}]),
        ],
        "replay": [IngestionRun(source=source, parent=run, path="")],
        "rekey": [IngestionRun(source=source, is_rekey=True, path="")],
    }
    for kind, rows in kinds.items():
        for row in rows:
            assert registry.entry_of(row).kind == kind
    # The rows that were repaired in a file are read from that.
    repaired = IngestionRun(source=source, parent=run, path="/repaired.csv")
    assert registry.entry_of(repaired).job is LoadFile
    assert registry.entry_of(feed).job is LookIntoFolder
    jobs = [registry.entry_named(kind).job for kind in kinds]
    assert jobs == [LoadFile, FetchAPI, Replay, RekeyRecords]


def test_a_kind_that_nobody_has_registered_is_a_clear_error():
    with pytest.raises(UnknownJob, match=r"There is no job 'paint'\. The jobs are: .*load_file"):
        run_job("paint", 1)
    with pytest.raises(UnknownJob, match="There is no job for s"):
        registry.entry_of(Source(name="s"))


def test_a_row_that_is_queued_is_called_for_once_and_carried_out_once(file):
    run = created(file)
    queue(run)
    assert calls() == [("ingestion", "records.jobs.runner.run_job", ("load_file", run.pk))]
    run.refresh_from_db()
    assert run.woken_at is not None
    sweep.wake_stalled("ingestion")
    assert len(calls()) == 1
    run_job("load_file", run.pk)
    run.refresh_from_db()
    ended = run.finished_at
    assert (run.state, run.created, run.rejected, run.attempts) == ("finished", 1, 1, 1)
    run_job("load_file", run.pk)
    run.refresh_from_db()
    assert (run.finished_at, run.created, run.attempts) == (ended, 1, 1)
    assert work_on(run, WORKER) is None


def test_a_row_that_is_gone_is_no_work():
    for entry in registry.entries():
        run_job(entry.kind, 999)


def test_a_call_that_was_lost_is_made_again_for_every_kind(file):
    run = load(file, source="s", id=["id"])
    draft = created(file)
    draft.state = "draft"
    draft.save()
    made = {
        "replay": replay.create_replay(run=run, trigger="test"),
        "load_file": created(file),
        "rekey": create_rekey(source=run.source, columns=run.columns[:1], trigger="test"),
        "undo": Undo.objects.create(run=run, trigger="test"),
        "dry_run_file": draft.dry_runs.create(trigger="test", report={"on_conflict": "update"}),
        "process": create_processing_run(trigger="test", source_name="s"),
        "dry_run_rules": RuleDryRun.objects.create(source=run.source, rules=[], trigger="test"),
        "export": Export.objects.create(trigger="test"),
    }
    OrmQ.objects.all().delete()
    type(run).objects.filter(pk=run.pk).update(woken_at=None)
    for name in ("ingestion", "processing"):
        sweep.wake_stalled(name)
    called = {args for _, _, args in calls()}
    assert {(kind, row.pk) for kind, row in made.items()} <= called
    assert [registry.entry_of(row).kind for row in made.values()] == list(made)
