"""Processing runs: passes over raw records, carried out batch by batch."""

import logging
import time
from collections.abc import Callable
from itertools import groupby

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from django_q.tasks import async_task

from processing import pipeline
from processing.errors import UnknownSource
from processing.rule_sets import rule_set_for
from records import runs, store
from records.models import DataRecord, IngestionRun, ProcessingRun, RecordCount, RunState, Source
from records.rows import RawRecord

log = logging.getLogger(__name__)

QUEUE = "processing"

Progress = Callable[[ProcessingRun], None]


def create_run(
    *,
    how: str,
    source_name: str | None = None,
    limit: int | None = None,
    user: User | None = None,
) -> ProcessingRun:
    """Make a run over the raw records of one source, or of all; of ``limit`` records at the most.

    Raises UnknownSource.
    """
    source = None
    if source_name is not None:
        source = Source.objects.named(source_name)
        if source is None:
            raise UnknownSource(source_name)
    return ProcessingRun.objects.create(source=source, limit=limit, how=how, user=user)


def queue(run: ProcessingRun) -> None:
    """Have a worker carry the run out soon."""
    ProcessingRun.objects.filter(pk=run.pk).update(woken_at=timezone.now())
    wake(run)


def wake(run: ProcessingRun) -> None:
    """Tell a worker to look at a run."""
    async_task("processing.tasks.process_run", run.pk, cluster=QUEUE)


def queue_landed(source: Source) -> None:
    """Something has landed in a source: have it processed, unless a run that waits will do it."""
    if not ProcessingRun.objects.covering(source).filter(state=RunState.QUEUED).exists():
        queue(create_run(how="worker", source_name=source.name))


def wake_stalled() -> None:
    """Wake a worker for every run that waits for one or lost it, and for records left raw.

    Records of a source whose last run failed or was cancelled wait for a person: it would fail
    again, or be unwanted again.
    """
    for run in runs.stalled(ProcessingRun):
        wake(run)
    for source in Source.objects.filter(name__in=RecordCount.objects.sources_with_raw()):
        if not DataRecord.objects.awaiting(source.name).exists():
            continue  # the counter is wrong: a run would find nothing, and so would the next
        covering = ProcessingRun.objects.covering(source)
        newest = covering.first()
        if (
            not covering.active().exists()
            and not IngestionRun.objects.filter(source=source).active().exists()
            and (newest is None or newest.state not in (RunState.FAILED, RunState.CANCELLED))
        ):
            queue(create_run(how="worker", source_name=source.name))


def process(
    run_id: int,
    worker: str,
    on_progress: Progress | None = None,
    *,
    seconds: float | None = None,
) -> ProcessingRun | None:
    """Work on a run until no raw record lies ahead of it; None if another worker holds it.

    After ``seconds`` it is put back behind other runs, if any wait. Database errors are raised:
    the run then waits for the next worker, which goes on behind the last batch that was saved.
    """
    run = runs.claim(ProcessingRun, run_id, worker)
    if run is None:
        return None
    with runs.working_on(run, worker):
        until = None if seconds is None else time.monotonic() + seconds
        if _process(run, worker, on_progress, until):
            runs.finish(run, worker)
        else:
            runs.put_back(run, worker)
            wake(run)
    run.refresh_from_db()
    return run


def _process(
    run: ProcessingRun, worker: str, on_progress: Progress | None, until: float | None
) -> bool:
    """Whether the run came to its end, and did not have to let others go first."""
    source = run.source.name if run.source else None
    if not run.cursor:
        waiting = RecordCount.objects.with_status(DataRecord.Status.RAW, source)
        run.total = waiting if run.limit is None else min(waiting, run.limit)
        run.save(update_fields=["total"])
    cursor, done = run.cursor, run.processed + run.failed
    while size := _batch_size(run, done):
        records = DataRecord.objects.awaiting(source).after(cursor).for_processing()[:size]
        batch = list(records)
        for name, group in groupby(batch, key=lambda record: record[2]):
            fields = [RawRecord(record[0], record[1], record[3]) for record in group]
            cursor = fields[-1].id
            owner = Source.objects.get(name=name)
            rule_set = rule_set_for(owner)
            outcomes = pipeline.run(fields, rule_set.rules, owner.mapping, time.time())
            counts = store.save_results(
                run=run, worker=worker, outcomes=outcomes, rule_set=rule_set, cursor=cursor
            )
            done += counts.processed + counts.failed
        if not batch:
            break
        if on_progress is not None:
            run.refresh_from_db()
            on_progress(run)
        if until is not None and time.monotonic() >= until and _others_wait(run):
            return False
    return True


def _others_wait(run: ProcessingRun) -> bool:
    return ProcessingRun.objects.filter(state=RunState.QUEUED).exclude(pk=run.pk).exists()


def _batch_size(run: ProcessingRun, done: int) -> int:
    if run.limit is None:
        return int(settings.BATCH_ROWS)
    return min(int(settings.BATCH_ROWS), max(run.limit - done, 0))
