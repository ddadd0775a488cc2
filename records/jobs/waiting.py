"""Runs that wait for their environment: put back with growing pauses, and tried again."""

import logging
import time
from datetime import timedelta

from django.db import Error, connection, transaction
from django.db.models import F
from django.db.models.functions import Greatest

from records.changes import tell_of_run
from records.database.clock import now
from records.database.faults import FAULTS, environment_fault
from records.errors import LeaseLost
from records.jobs import registry
from records.models import Run, RunState

log = logging.getLogger(__name__)

# A run whose environment is at fault is tried again after 1, 2, 4 .. seconds, at most so many.
LONGEST_PAUSE = 300
# While the database is away, it is tried after at most so many seconds.
LONGEST_SLEEP = 15

# What /health says of an input that is away: its name is not for everyone.
NO_INPUT = "An input can't be read at the moment."


def put_back(run: Run, worker: str, fault: str, *, retry_seconds: float | None = None) -> None:
    """Let a run wait, with growing pauses, until the environment is as it should be.

    It goes on where its last commit was; which that is, the next worker reads in the database.
    The attempt does not count. A database that can't be written to now is tried until it can, or
    for ``retry_seconds`` seconds; the lease then lapses. Raises LeaseLost.
    """
    until = None if retry_seconds is None else time.monotonic() + retry_seconds
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


def _put_back(run: Run, worker: str, fault: str) -> None:
    if run.give_back_parts(worker):
        return  # others go on with the run
    pauses = type(run).objects.filter(pk=run.pk).values_list("pauses", flat=True).first() or 0
    pause = timedelta(seconds=min(2**pauses, LONGEST_PAUSE))
    waiting = run.held_by(worker).update(
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


def retry(run: Run) -> bool:
    """Have a run that waits for its environment tried again at once; False if it doesn't wait.

    The supervisor, which looks for such runs, wakes a worker.
    """
    waiting = type(run).objects.filter(pk=run.pk).waiting()
    with transaction.atomic():
        is_woken = bool(waiting.update(retry_at=now(), woken_at=None))
        if is_woken:
            tell_of_run("run.retried", run)
    return is_woken


def what_runs_wait_for() -> list[str]:
    """What keeps runs waiting, as sentences that name no file, for anyone to read."""
    first, *others = (
        model.objects.waiting().order_by().values_list("waits_for", flat=True)
        for model in registry.run_models()
    )
    return sorted({fault if fault in FAULTS else NO_INPUT for fault in first.union(*others)})
