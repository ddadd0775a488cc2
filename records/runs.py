"""The life of a run: claimed by one worker at a time, renewed with each batch, ended once."""

import logging
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.models import F
from django.utils import timezone

from records.errors import LeaseLost
from records.models import DryRun, Heartbeat, IngestionRun, ProcessingRun, RunState, Undo

log = logging.getLogger(__name__)

# A queue whose worker has not given a sign of life for so long counts as not worked on.
ALIVE_SECONDS = 60
# A run that waits is woken again after so long: its wake-up call may have been lost.
WAKE_SECONDS = 15
# So begins the last part of the name of a worker that is none of a queue's.
ASIDE = "aside-"

AnyRun = TypeVar("AnyRun", IngestionRun, ProcessingRun, DryRun, Undo)


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
    if run.attempts > settings.MAX_ATTEMPTS:
        fail(
            run, worker, f"Given up: {settings.MAX_ATTEMPTS} workers died on it without getting on."
        )
        return None
    return run


def renew(run: AnyRun, worker: str) -> None:
    """Keep a run that is worked on without a batch to commit. Raises LeaseLost."""
    held = type(run).objects.filter(pk=run.pk, worker=worker, state=RunState.RUNNING)
    if not held.update(lease_until=lease_end()):
        raise LeaseLost(run)


def _end(run: AnyRun, worker: str, **changes: object) -> None:
    ended = (
        type(run)
        .objects.filter(pk=run.pk, worker=worker, state=RunState.RUNNING)
        .update(finished_at=timezone.now(), lease_until=None, **changes)
    )
    if not ended:
        raise LeaseLost(run)
    run.refresh_from_db()


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
    return bool(ended)


def put_back(run: AnyRun, worker: str) -> None:
    """Let others go first: the run waits for a worker again, behind its last batch."""
    held = type(run).objects.filter(pk=run.pk, worker=worker, state=RunState.RUNNING)
    waiting = held.update(
        state=RunState.QUEUED, worker="", lease_until=None, attempts=0, woken_at=timezone.now()
    )
    if not waiting:
        raise LeaseLost(run)


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
    here = model.objects.filter(state=RunState.RUNNING, worker__startswith=f"{_machine()}:")
    for run in here:
        if not _is_running(int(run.worker.split(":")[-2])):
            orphaned = model.objects.filter(pk=run.pk, worker=run.worker)
            orphaned.update(lease_until=run.created_at, woken_at=None)


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
    models = (IngestionRun, DryRun, Undo) if queue == "ingestion" else (ProcessingRun,)
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
