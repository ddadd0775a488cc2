"""The life of a run: claimed by one worker at a time, renewed with each batch, ended once."""

import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.models import F, QuerySet
from django.utils import timezone

from records.errors import LeaseLost
from records.models import (
    DryRun,
    Export,
    Heartbeat,
    IngestionRun,
    ProcessingRun,
    Rehearsal,
    RunState,
    Undo,
)

log = logging.getLogger(__name__)

# A queue whose worker has not given a sign of life for so long counts as not worked on.
ALIVE_SECONDS = 60
# A run that waits is woken again after so long: its wake-up call may have been lost.
WAKE_SECONDS = 15
# So begins the last part of the name of a worker that is none of a queue's.
ASIDE = "aside-"

AnyRun = TypeVar("AnyRun", IngestionRun, ProcessingRun, DryRun, Rehearsal, Undo, Export)


def worker_name(*, of_queue: bool = True) -> str:
    """A name that no other worker has, on this or another machine; it tells its process.

    It also tells whether that is a worker of a queue, or somebody's command or request.
    """
    kind = "" if of_queue else ASIDE
    return f"{_machine()}:{os.getpid()}:{kind}{secrets.token_hex(4)}"


@cache
def _machine() -> str:
    """This machine as it is now: process ids mean nothing on another one, or after a restart."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
    except OSError:
        boot = ""
    return f"{socket.gethostname()[:50]}/{boot}"


def lease_end() -> datetime:
    return timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)


def claim(model: type[AnyRun], run_id: int, worker: str) -> AnyRun | None:
    """Take a run that no living worker holds; None where there is nothing to take.

    The conditional UPDATE is the claim: of several workers that try, one changes the row. A run
    that has been taken up too often without getting on is given up as failed.
    """
    now = timezone.now()
    taken = (
        model.objects.filter(pk=run_id)
        .claimable(now=now)
        .update(
            state=RunState.RUNNING,
            worker=worker,
            lease_until=lease_end(),
            attempts=F("attempts") + 1,
        )
    )
    if not taken:
        return None
    model.objects.filter(pk=run_id, started_at=None).update(started_at=now)
    run: AnyRun = model.objects.get(pk=run_id)
    return None if _given_up(run, worker) else run


def _given_up(run: AnyRun, worker: str) -> bool:
    """Whether it has been taken up too often: it is failed then."""
    if run.attempts <= settings.MAX_ATTEMPTS:
        return False
    fail(run, worker, f"Given up: {settings.MAX_ATTEMPTS} workers died on it without getting on.")
    return True


def join(run_id: int, worker: str) -> ProcessingRun | None:
    """Work on a processing run, beside others if there are any; None where it has ended.

    A run whose workers all died too often without getting on is given up as failed.
    """
    now = timezone.now()
    active = ProcessingRun.objects.filter(pk=run_id).active()
    # It is an attempt if nobody else is at work.
    active.claimable(now=now).update(attempts=F("attempts") + 1)
    if not active.update(state=RunState.RUNNING, worker=worker, lease_until=lease_end()):
        return None
    ProcessingRun.objects.filter(pk=run_id, started_at=None).update(started_at=now)
    run: ProcessingRun = ProcessingRun.objects.with_source().get(pk=run_id)
    return None if _given_up(run, worker) else run


def renew(run: AnyRun, worker: str) -> None:
    """Keep a run that is worked on without a batch to commit. Raises LeaseLost."""
    if not held(run, worker).update(lease_until=lease_end()):
        raise LeaseLost(run)
    if isinstance(run, ProcessingRun):
        renew_batches(run, worker)


def renew_batches(run: ProcessingRun, worker: str) -> None:
    """Keep the batches of a run that a worker holds: they are in good hands."""
    run.batches.filter(worker=worker).update(lease_until=lease_end())


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
    if not held(run, worker).update(finished_at=timezone.now(), lease_until=None, **changes):
        raise LeaseLost(run)
    _drop_batches(run)
    run.refresh_from_db()


def _drop_batches(run: AnyRun) -> None:
    """Who is at work on a part of a run that has ended finds out when he saves it."""
    if isinstance(run, ProcessingRun):
        run.batches.all().delete()


@contextmanager
def working_on(
    run: AnyRun, worker: str, refusals: tuple[type[Exception], ...] = ()
) -> Iterator[None]:
    """What ends the work on a run ends the run, and never the worker.

    ``refusals`` are errors whose sentence is what its page shows. After any other error the page
    refers to the log. Database errors are raised: the run then waits for the next worker. Ctrl-C
    cancels the run.
    """
    try:
        try:
            yield
        except KeyboardInterrupt:
            cancel(run, worker)
        except (LeaseLost, OperationalError, InterfaceError):
            raise
        except refusals as error:
            fail(run, worker, str(error))
        except Exception as error:
            # A run that was ended meanwhile may fail by that: its file may be gone.
            renew(run, worker)
            log.exception("%s ended by an unexpected error.", run)
            fail(run, worker, f"Unexpected error ({type(error).__name__}); the log has it all.")
    except LeaseLost:
        log.warning("%s was taken over or ended; this worker leaves it.", run)


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
        .update(state=RunState.CANCELLED, finished_at=timezone.now(), lease_until=None)
    )
    if ended:
        _drop_batches(run)
    return bool(ended)


def stalled(model: type[AnyRun]) -> list[AnyRun]:
    """The runs that wait for a worker and whose last wake-up call, if any, came to nothing.

    They are marked as woken, so the caller enqueues a call for each.
    """
    _free_orphans(model)
    now = timezone.now()
    waiting = list(model.objects.claimable(now=now).unwoken(now - timedelta(seconds=WAKE_SECONDS)))
    for run in waiting:
        model.objects.filter(pk=run.pk).update(woken_at=now)
    return waiting


def _free_orphans(model: type[AnyRun]) -> None:
    """Let the leases lapse whose process was on this machine and is gone."""
    for run in model.objects.filter(state=RunState.RUNNING):
        if is_orphan(run.worker):
            orphaned = model.objects.filter(pk=run.pk, worker=run.worker)
            orphaned.update(lease_until=run.created_at, woken_at=None)


def is_orphan(worker: str) -> bool:
    """Whether a worker is known to be gone: its process was on this machine."""
    return worker.startswith(f"{_machine()}:") and not _is_running(int(worker.split(":")[-2]))


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it is another user's, and there
    return True


def beat(queue: str) -> None:
    """A worker of the queue is alive."""
    Heartbeat.objects.update_or_create(queue=queue, defaults={"seen_at": timezone.now()})


def is_working(queue: str) -> bool:
    """Whether a worker of the queue holds a run."""
    of_ingestion = (IngestionRun, DryRun, Undo)
    of_processing = (ProcessingRun, Rehearsal, Export)
    models = of_ingestion if queue == "ingestion" else of_processing
    now = timezone.now()
    return any(
        model.objects.filter(state=RunState.RUNNING, lease_until__gte=now)
        .exclude(worker__contains=f":{ASIDE}")
        .exists()
        for model in models
    )


def worker_alive(queue: str) -> bool:
    """Whether a worker of the queue gave a sign of life lately: a beat, or work on a run."""
    since = timezone.now() - timedelta(seconds=ALIVE_SECONDS)
    return Heartbeat.objects.filter(queue=queue, seen_at__gte=since).exists() or is_working(queue)
