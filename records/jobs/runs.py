"""The life cycle of a run: claimed by one worker at a time, renewed with each batch, ended once."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.db import Error, connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Greatest

from records.database.clock import now
from records.database.faults import FAULTS, environment_fault
from records.database.sessions import end_sessions, name_session
from records.errors import EnvironmentFault, LeaseLost
from records.jobs.workers import is_orphan
from records.models import (
    DryRun,
    Export,
    IngestionRun,
    ProcessingRun,
    Rehearsal,
    RunState,
    Undo,
)

log = logging.getLogger(__name__)

# A run that waits is woken again after so long: its wake-up call may have been lost.
WAKE_SECONDS = 15
# A run whose environment is at fault is tried again after 1, 2, 4 .. seconds, at most so many.
LONGEST_PAUSE = 300
# While the database is away, it is tried after at most so many seconds.
LONGEST_SLEEP = 15

# What /health says of an input that is away: its name is not for everyone.
NO_INPUT = "An input can't be read at the moment."

RUNS = (IngestionRun, ProcessingRun, DryRun, Rehearsal, Undo, Export)

AnyRun = TypeVar("AnyRun", IngestionRun, ProcessingRun, DryRun, Rehearsal, Undo, Export)


def lease_end() -> datetime:
    return now() + timedelta(seconds=settings.LEASE_SECONDS)


def claim(model: type[AnyRun], run_id: int, worker: str) -> AnyRun | None:
    """Take a run that no living worker holds; None where there is nothing to take.

    The conditional UPDATE is the claim: of several workers that try, one changes the row. The
    sessions of the worker before are ended first: a frozen one still holds its locks. A run that
    has been taken up too often without making progress is given up as failed.
    """
    name_session(worker)
    moment = now()
    claimable = model.objects.filter(pk=run_id).claimable(now=moment)
    _end_former_sessions(claimable)
    taken = claimable.update(
        state=RunState.RUNNING,
        worker=worker,
        lease_until=lease_end(),
        attempts=F("attempts") + 1,
        retry_at=None,
    )
    if not taken:
        return None
    model.objects.filter(pk=run_id, started_at=None).update(started_at=moment)
    run: AnyRun = model.objects.get(pk=run_id)
    return None if _given_up(run, worker) else run


def _end_former_sessions(claimable: "QuerySet[AnyRun]") -> None:
    """End the sessions of those who held these runs."""
    for former in claimable.exclude(worker="").values_list("worker", flat=True):
        end_sessions(former)


def _given_up(run: AnyRun, worker: str) -> bool:
    """Whether it has been taken up too often: it is failed then."""
    if run.attempts <= settings.MAX_ATTEMPTS:
        return False
    fail(
        run,
        worker,
        f"Gave up after {settings.MAX_ATTEMPTS} attempts: each worker crashed or stopped "
        "responding before it made progress.",
    )
    return True


def join(run_id: int, worker: str) -> ProcessingRun | None:
    """Work on a processing run, beside others if there are any; None where it has ended or waits.

    A run whose workers all died too often without making progress is given up as failed.
    """
    name_session(worker)
    moment = now()
    active = ProcessingRun.objects.filter(pk=run_id).active().due(moment)
    claimable = active.claimable(now=moment)
    _end_former_sessions(claimable)
    # It is an attempt if nobody else is at work.
    claimable.update(attempts=F("attempts") + 1)
    changes = {"worker": worker, "lease_until": lease_end(), "retry_at": None}
    if not active.update(state=RunState.RUNNING, **changes):
        return None
    ProcessingRun.objects.filter(pk=run_id, started_at=None).update(started_at=moment)
    run: ProcessingRun = ProcessingRun.objects.with_source().get(pk=run_id)
    return None if _given_up(run, worker) else run


def renew(run: AnyRun, worker: str) -> None:
    """Keep a run that is worked on without a batch to commit. Raises LeaseLost."""
    write(run, worker, lease_until=lease_end())
    if isinstance(run, ProcessingRun):
        renew_batches(run, worker)


def renew_batches(run: ProcessingRun, worker: str) -> None:
    """Keep the batches of a run that a worker holds: they are in good hands."""
    run.batches.filter(worker=worker).update(lease_until=lease_end())


def write(run: AnyRun, worker: str, **changes: object) -> None:
    """Change fields of a run, also of the object, if it is this worker's. Raises LeaseLost."""
    if not held(run, worker).update(**changes):
        raise LeaseLost(run)
    for name, value in changes.items():
        setattr(run, name, value)


def held(run: AnyRun, worker: str) -> "QuerySet[AnyRun]":
    """The run, if this worker may go on with it: it holds it, or shares it with others."""
    running: QuerySet[AnyRun] = type(run).objects.filter(pk=run.pk, state=RunState.RUNNING)
    return running if isinstance(run, ProcessingRun) else running.filter(worker=worker)


def renewing(run: AnyRun, worker: str) -> Callable[[], None]:
    """Keeps a run through a long silence: to be called often, it renews as often as is of use.

    It raises LeaseLost.
    """
    last = float("-inf")

    def still_here() -> None:
        nonlocal last
        if time.monotonic() - last >= settings.LEASE_SECONDS / 6:
            renew(run, worker)
            last = time.monotonic()

    return still_here


def _end(run: AnyRun, worker: str, **changes: object) -> None:
    ended = {"finished_at": now(), "lease_until": None, "waits_for": ""}
    if not held(run, worker).update(**ended, **changes):
        raise LeaseLost(run)
    _drop_batches(run)
    run.refresh_from_db()


def _drop_batches(run: AnyRun) -> None:
    """Who is at work on a part of a run that has ended finds out when he saves it."""
    if isinstance(run, ProcessingRun):
        run.batches.all().delete()


@contextmanager
def working_on(
    run: AnyRun,
    worker: str,
    refusals: tuple[type[Exception], ...] = (),
    *,
    patience: float | None = None,
) -> Iterator[None]:
    """What ends the work on a run ends the run, and never the worker.

    ``refusals`` are errors whose sentence is what its page shows. After any other error the page
    refers to the log. Where the environment is at fault, the run waits and is tried again; see
    ``put_back`` for ``patience``. Ctrl-C cancels the run.
    """
    try:
        try:
            yield
        except KeyboardInterrupt:
            cancel(run, worker)
        except LeaseLost:
            raise
        except Exception as error:
            fault = str(error) if isinstance(error, EnvironmentFault) else environment_fault(error)
            if fault:
                log.warning("%s is waiting. %s (%s)", run, fault, error)
                put_back(run, worker, fault, patience=patience)
            elif isinstance(error, refusals):
                fail(run, worker, str(error))
            else:
                # A run that was ended meanwhile may fail by that: its file may be gone.
                renew(run, worker)
                log.exception("%s ended by an unexpected error.", run)
                fail(
                    run,
                    worker,
                    f"Unexpected error ({type(error).__name__}). See the log for details.",
                )
        name_session()
    except LeaseLost:
        log.warning("%s was taken over or ended; this worker leaves it.", run)


def put_back(run: AnyRun, worker: str, fault: str, *, patience: float | None = None) -> None:
    """Let a run wait, with growing pauses, until the environment is as it should be.

    It goes on where its last commit was; which that is, the next worker reads in the database.
    The attempt does not count. A database that can't be written to now is tried until it can, or
    for ``patience`` seconds; the lease then lapses. Raises LeaseLost.
    """
    until = None if patience is None else time.monotonic() + patience
    pause = 0.5
    while True:
        try:
            if not connection.in_atomic_block:
                # Whether the connection can still be used is asked of the server.
                connection.close_if_unusable_or_obsolete()
            _put_back(run, worker, fault)
            return
        except Error as error:
            if connection.in_atomic_block or not environment_fault(error):
                raise
            log.warning("%s can't be put back yet: %s", run, error)
            if until is not None and time.monotonic() + pause > until:
                return
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_SLEEP)


def _put_back(run: AnyRun, worker: str, fault: str) -> None:
    if isinstance(run, ProcessingRun):
        mine = run.batches.filter(worker=worker)
        mine.update(worker="", lease_until=now(), attempts=Greatest(F("attempts") - 1, 0))
        if run.batches.exclude(worker="").exists():
            return  # others go on with the run
    pauses = type(run).objects.filter(pk=run.pk).values_list("pauses", flat=True).first() or 0
    pause = timedelta(seconds=min(2**pauses, LONGEST_PAUSE))
    waiting = held(run, worker).update(
        state=RunState.QUEUED,
        worker="",
        lease_until=None,
        woken_at=None,
        attempts=Greatest(F("attempts") - 1, 0),
        pauses=min(pauses + 1, 20),
        retry_at=now() + pause,
        waits_for=fault,
    )
    if not waiting:
        raise LeaseLost(run)


def retry(run: AnyRun) -> bool:
    """Have a run that waits for its environment tried again at once; False if it doesn't wait.

    The supervisor, which looks for such runs, wakes a worker.
    """
    waiting = type(run).objects.filter(pk=run.pk).waiting()
    return bool(waiting.update(retry_at=now(), woken_at=None))


def what_runs_wait_for() -> list[str]:
    """What keeps runs waiting, as sentences that name no file, for anyone to read."""
    first, *others = (
        model.objects.waiting().order_by().values_list("waits_for", flat=True) for model in RUNS
    )
    return sorted({fault if fault in FAULTS else NO_INPUT for fault in first.union(*others)})


def finish(run: AnyRun, worker: str, **changes: object) -> None:
    """The run has come to its end. Raises LeaseLost if it is not this worker's."""
    _end(run, worker, state=RunState.FINISHED, **changes)


def fail(run: AnyRun, worker: str, error: str, **changes: object) -> None:
    """The run can't go on; ``error`` is the sentence that its page shows."""
    _end(run, worker, state=RunState.FAILED, error=error, **changes)


def cancel(run: AnyRun, worker: str) -> None:
    """Who started the run wants no more of it; what it has done so far stays."""
    _end(run, worker, state=RunState.CANCELLED)


def stop(run: AnyRun) -> bool:
    """End a run that waits or is worked on, whoever holds it; False if it had ended already.

    What it has done so far stays. Its worker finds out at its next batch, and leaves it.
    """
    ended = (
        type(run)
        .objects.filter(pk=run.pk)
        .active()
        .update(state=RunState.CANCELLED, finished_at=now(), lease_until=None)
    )
    if ended:
        _drop_batches(run)
    return bool(ended)


def stalled(model: type[AnyRun]) -> list[AnyRun]:
    """The runs that wait for a worker and whose last wake-up call, if any, came to nothing.

    They are marked as woken, so the caller enqueues a call for each.
    """
    _free_orphans(model)
    moment = now()
    unwoken = model.objects.claimable(now=moment).unwoken(moment - timedelta(seconds=WAKE_SECONDS))
    with transaction.atomic():
        # A frozen worker may have locked its run; see liveness.end_forsaken.
        waiting = list(unwoken.select_for_update(skip_locked=True))
        model.objects.filter(pk__in=[run.pk for run in waiting]).update(woken_at=moment)
    return waiting


def _free_orphans(model: type[AnyRun]) -> None:
    """Let the leases lapse whose process was on this machine and is gone."""
    for run in model.objects.filter(state=RunState.RUNNING):
        if is_orphan(run.worker):
            end_sessions(run.worker)
            orphaned = model.objects.filter(pk=run.pk, worker=run.worker)
            orphaned.update(lease_until=run.created_at, woken_at=None)
