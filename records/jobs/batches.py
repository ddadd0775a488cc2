"""The batches of a processing run, each leased to one worker at a time."""

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Count, Exists, F, Max, Min, OuterRef

from records.database.clock import now
from records.database.sessions import end_sessions, name_session
from records.errors import BatchLost, LeaseLost
from records.jobs import leases
from records.jobs.workers import is_orphan
from records.models import DataRecord, ProcessingBatch, ProcessingRun, RunState

if TYPE_CHECKING:
    from django.db.models import QuerySet

# A batch on which so many workers have died is suspected to be what they died of.
DEATHS = 2


def join(run_id: int, worker: str) -> ProcessingRun | None:
    """Work on a processing run, beside others if there are any; None where it has ended or waits.

    A run whose workers all died too often without making progress is given up as failed.
    """
    name_session(worker)
    moment = now()
    active = ProcessingRun.objects.filter(pk=run_id).active().due(moment)
    claimable = active.claimable(now=moment)
    leases.end_former_sessions(claimable)
    # It is an attempt if nobody else is at work.
    claimable.update(attempts=F("attempts") + 1)
    changes = {"worker": worker, "lease_until": leases.lease_end(), "retry_at": None}
    if not active.update(state=RunState.RUNNING, **changes):
        return None
    return leases.begun(ProcessingRun, run_id, worker, moment)


def take(run: ProcessingRun, worker: str, size: int) -> ProcessingBatch | None:
    """A batch for this worker: one whose worker is gone, else the next, of ``size`` records.

    None where no records lie ahead; others may still be at work on the last ones. Raises LeaseLost
    when the run has been ended.
    """
    return _take_left(run, worker) or _take_next(run, worker, size)


def _take_left(run: ProcessingRun, worker: str) -> ProcessingBatch | None:
    moment = now()
    for batch in run.batches.exclude(worker=worker):
        if batch.lease_until > moment and not is_orphan(batch.worker):
            continue
        # A frozen worker would keep what it has locked.
        end_sessions(batch.worker)
        # The conditional UPDATE is the claim: of several workers that try, one changes the row.
        taken = run.batches.filter(
            pk=batch.pk, worker=batch.worker, attempts=batch.attempts, last=batch.last
        ).update(worker=worker, lease_until=leases.lease_end(), attempts=F("attempts") + 1)
        if taken:
            return run.batches.get(pk=batch.pk)
    return None


def _take_next(run: ProcessingRun, worker: str, size: int) -> ProcessingBatch | None:
    while True:
        held = ProcessingRun.objects.filter(pk=run.pk, state=RunState.RUNNING)
        position = held.values_list("cursor", "handed_out").first()
        if position is None:
            raise LeaseLost(run)
        run.cursor, handed_out = position
        wanted = size if run.limit is None else min(size, max(run.limit - handed_out, 0))
        found = _next(run, wanted)
        if found is None:
            return None
        with transaction.atomic():
            moved = held.filter(cursor=run.cursor).update(
                cursor=found.last,
                handed_out=F("handed_out") + found.records,
                worker=worker,
                lease_until=leases.lease_end(),
            )
            if moved:
                found.worker, found.lease_until, found.attempts = worker, leases.lease_end(), 1
                found.save()
                return found


def _next(run: ProcessingRun, size: int) -> ProcessingBatch | None:
    """The next records behind the run's cursor, all of one source; not saved."""
    ahead = DataRecord.objects.selected(run.selection).after(run.cursor).order_by("id")
    source = run.source.name if run.source else ahead.values_list("source_id", flat=True).first()
    if source is None or not size:
        return None
    ends = ahead.of_source(source)[:size].aggregate(
        first=Min("id"), last=Max("id"), records=Count("id")
    )
    return ProcessingBatch(run=run, source=source, **ends) if ends["records"] else None


def split(batch: ProcessingBatch, worker: str) -> bool:
    """Halve a batch; whoever is next takes the halves. False for one that holds a single record.

    Raises BatchLost if it is no longer this worker's.
    """
    ids = list(matching(batch).order_by("id").values_list("id", flat=True))
    if len(ids) < 2:
        return False
    middle = len(ids) // 2
    with transaction.atomic():
        _drop(batch, worker)
        for half in (ids[:middle], ids[middle:]):
            ProcessingBatch.objects.create(
                run=batch.run,
                source=batch.source,
                first=half[0],
                last=half[-1],
                records=len(half),
                lease_until=now(),
                # One more death on it, and it is halved as well.
                attempts=DEATHS - 1,
            )
        # To have narrowed it down is to have got on.
        ProcessingRun.objects.filter(pk=batch.run_id).update(attempts=0)
    return True


def matching(batch: ProcessingBatch) -> "QuerySet[DataRecord]":
    """The records that the batch has to process."""
    found: QuerySet[DataRecord] = DataRecord.objects.selected(batch.run.selection).filter(
        id__range=(batch.first, batch.last)
    )
    return found


def _drop(batch: ProcessingBatch, worker: str) -> None:
    dropped, _ = ProcessingBatch.objects.filter(pk=batch.pk, worker=worker).delete()
    if not dropped:
        raise BatchLost(batch)


def finish(run: ProcessingRun) -> bool:
    """End a run if everything that was handed out is done; False while others are at work.

    ``run.cursor`` is where take() found nothing ahead. A run that has ended is no more work either.
    """
    done = _untaken(run).filter(cursor=run.cursor)
    ended = done.update(state=RunState.FINISHED, finished_at=now(), lease_until=None)
    return bool(ended) or not ProcessingRun.objects.filter(pk=run.pk).active().exists()


def leave(run: ProcessingRun) -> None:
    """Let other runs go first: unless others are at work on it, the run waits for a worker."""
    _untaken(run).update(
        state=RunState.QUEUED, worker="", lease_until=None, attempts=0, woken_at=now()
    )


def _untaken(run: ProcessingRun) -> "QuerySet[ProcessingRun]":
    """The run, if it goes on and no worker holds a part of it."""
    taken = ProcessingBatch.objects.filter(run=OuterRef("pk"))
    found: QuerySet[ProcessingRun] = ProcessingRun.objects.filter(
        ~Exists(taken), pk=run.pk, state=RunState.RUNNING
    )
    return found
