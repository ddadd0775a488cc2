"""Processing runs, worked on batch by batch."""

import logging
import time
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django_q.brokers import get_broker

from accounts import audit
from processing.errors import ProcessingError, UnknownSource
from processing.jobs import batch_work
from processing.jobs.batch_work import Task
from processing.jobs.facts import RunFacts
from records.errors import BatchLost
from records.gc_tuning import tuned_gc
from records.jobs import batches, leases
from records.jobs.job import Job
from records.jobs.registry import entry_of
from records.jobs.runner import queue, wake
from records.models import (
    EVENTS,
    DataRecord,
    IngestionRun,
    ProcessingRun,
    RecordCount,
    RunState,
    Selection,
    Source,
)
from records.models.querysets import RunQuerySet
from records.visible_sources import check_unlimited, limited_to

log = logging.getLogger(__name__)

# The first batch tells how large records are; a batch is then of so many characters at the most.
FIRST_ROWS = 2_000
BATCH_CHARACTERS = 8_000_000
# How long to wait for others that are at work on the last batches of a run.
WAIT_SECONDS = 0.2


def create_run(
    *,
    trigger: str,
    source_name: str | None = None,
    selection: Selection = Selection.RAW,
    limit: int | None = None,
    user: User | None = None,
) -> ProcessingRun:
    """Make a run over the records of one source, or of all; of ``limit`` records at the most.

    Raises UnknownSource, and PermissionDenied for all sources if some are hidden.
    """
    source = None
    if source_name is None:
        check_unlimited("process all sources at once")
    else:
        source = Source.objects.named(source_name)
        if source is None:
            raise UnknownSource(source_name)
    with transaction.atomic():
        run = ProcessingRun.objects.create(
            source=source, selection=selection, limit=limit, trigger=trigger, user=user
        )
        # What workers process by themselves follows from an import, an undo or an edit.
        if trigger != "worker":
            audit.record(
                audit.Action.PROCESSING_STARTED,
                kind="processing run",
                object_id=run.pk,
                label=run,
                source=source_name or "",
                after={"selection": selection.value, "limit": limit},
            )
    return run


def queue_landed(source: Source) -> None:
    """Something has landed in a source: have it processed, unless a run that waits will do it."""
    with limited_to(None):
        # A run over all sources will do it, too.
        is_awaited = _taking_raw(source).filter(state=RunState.QUEUED).exists()
    if not is_awaited:
        queue(create_run(trigger="worker", source_name=source.name))


def queue_left_raw() -> None:
    """Queue runs for records that were left raw.

    Records of a source whose last run failed or was cancelled wait for a person: it would fail
    again, or be unwanted again. An import that goes on announces its records when it ends; a run of
    events stays open between them, and whoever landed the last ones may have died.
    """
    for source in Source.objects.filter(name__in=RecordCount.objects.sources_with_raw()):
        if not DataRecord.objects.awaiting(source.name).exists():
            continue  # the counter is wrong: a run would find nothing, and so would the next
        covering = _taking_raw(source)
        newest = covering.first()
        loads = IngestionRun.objects.filter(source=source).exclude(trigger=EVENTS)
        if (
            not covering.active().exists()
            and not loads.active().exists()
            and (newest is None or newest.state not in (RunState.FAILED, RunState.CANCELLED))
        ):
            queue(create_run(trigger="worker", source_name=source.name))


def _taking_raw(source: Source) -> RunQuerySet:
    """The runs that process what is raw in a source, newest first."""
    found: RunQuerySet = ProcessingRun.objects.covering(source)
    return found.filter(selection__in=(Selection.RAW, Selection.ALL))


class Process(Job[ProcessingRun]):
    """Process the records of a run in batches, together with other workers if there are any.

    With ``seconds``, this worker leaves after that time if other runs wait, and when only other
    workers are still busy with the last batches. If the environment is at fault, the worker's
    batches are released, and the run is queued again unless other workers are on it.
    """

    refusals = (ProcessingError,)
    # A small source should not have to wait for a large one.
    turn_seconds = 3

    @classmethod
    def claim(cls, row: ProcessingRun, worker: str) -> ProcessingRun | None:
        return batches.join(row.pk, worker)

    @classmethod
    def start_due(cls) -> None:
        queue_left_raw()

    def run(self) -> None:
        run = self.row
        until = None if self.seconds is None else time.monotonic() + self.seconds
        with tuned_gc():
            if not run.cursor:
                self._count()
            while self._work(until):
                if batches.finish(run) or until is not None:
                    return
                time.sleep(WAIT_SECONDS)  # others are at work on the last batches, and may die
            batches.leave(run)
            wake(run)

    def _count(self) -> None:
        run = self.row
        there_are = RecordCount.objects.selected(
            run.selection, run.source.name if run.source else None
        )
        total = there_are if run.limit is None else min(there_are, run.limit)
        leases.write(run, self.worker, total=total)

    def _work(self, until: float | None) -> bool:
        """Work on one batch after the other; whether none lies ahead, or other runs come first."""
        run, worker = self.row, self.worker
        size = min(FIRST_ROWS, settings.BATCH_ROWS)
        ahead: Task | None = None
        facts = RunFacts(run, self.still_here)
        # While the rules are carried out on a batch, the database takes the one before it.
        with ThreadPoolExecutor(1) as executor:
            others_first = False
            while True:
                batch = None if others_first else batches.take(run, worker, size)
                is_suspect = batch is not None and batch.attempts > 1
                if ahead and (batch is None or is_suspect):
                    self._save(ahead)
                    ahead = None
                if batch is None:
                    return not others_first
                if batch.attempts > batches.DEATHS and batches.split(batch, worker):
                    continue
                task = batch_work.begin(batch, executor, facts)
                size = _size(task)
                if batch.attempts > batches.DEATHS + 1:
                    batch_work.fail(
                        task, worker, f"{batches.DEATHS} workers crashed while processing it."
                    )
                elif is_suspect:
                    self._save(task)  # nothing else is at stake if this worker dies as well
                else:
                    if batch.records >= size:
                        _call_help(run)
                    if ahead:
                        self._save(ahead)
                    ahead = task
                is_over = until is not None and time.monotonic() >= until
                others_first = is_over and _others_wait(run)

    def _save(self, task: Task) -> None:
        try:
            batch_work.end(task, self.worker)
        except BatchLost as error:
            log.warning("%s", error)
        self.report_progress()


def _size(task: Task) -> int:
    """How many records like these a batch may have, so that memory stays flat."""
    each = task.characters / task.batch.records
    return max(1, min(settings.BATCH_ROWS, int(BATCH_CHARACTERS / max(each, 1))))


def _call_help(run: ProcessingRun) -> None:
    """Wake another worker for the run, if one is idle: then no wake-up call waits."""
    # Outside of a transaction the queue would close the connection, at each batch.
    with transaction.atomic():
        if get_broker(entry_of(run).queue).queue_size() == 0:
            wake(run)


def _others_wait(run: ProcessingRun) -> bool:
    return ProcessingRun.objects.filter(state=RunState.QUEUED).exclude(pk=run.pk).exists()
