"""The life cycle of a run: claimed by one worker at a time, renewed with each batch, ended once."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet

from records.changes import tell_of_run
from records.database.clock import now
from records.database.faults import environment_fault
from records.database.sessions import end_sessions, name_session
from records.errors import EnvironmentFault, LeaseLost
from records.jobs.registry import leased_models
from records.jobs.waiting import put_back
from records.models import Run, RunState
from records.signals import ended

log = logging.getLogger(__name__)

AnyRun = TypeVar("AnyRun", bound=Run)


def lease_end(seconds: float | None = None) -> datetime:
    """When a lease that is renewed now ends, after so many seconds or the usual ones."""
    return now() + timedelta(seconds=settings.LEASE_SECONDS if seconds is None else seconds)


def claim(model: type[AnyRun], run_id: int, worker: str) -> AnyRun | None:
    """Take a run that no living worker holds; None where there is nothing to take.

    The conditional UPDATE is the claim: of several workers that try, one changes the row. The
    sessions of the worker before are ended first: a frozen one still holds its locks. A run that
    has been attempted too often without making progress is given up as failed.
    """
    name_session(worker)
    moment = now()
    claimable = model.objects.filter(pk=run_id).claimable(now=moment)
    end_former_sessions(claimable)
    taken = claimable.update(
        state=RunState.RUNNING,
        worker=worker,
        lease_until=lease_end(),
        attempts=F("attempts") + 1,
        retry_at=None,
    )
    return begun(model, run_id, worker, moment) if taken else None


def begun(model: type[AnyRun], run_id: int, worker: str, moment: datetime) -> AnyRun | None:
    """A run that was just claimed. None if that was one attempt too many: the run has failed."""
    model.objects.filter(pk=run_id, started_at=None).update(started_at=moment)
    run: AnyRun = model.objects.get(pk=run_id)
    return None if _given_up(run, worker) else run


def end_former_sessions(claimable: "QuerySet[Any]") -> None:
    """End the sessions of those who held these runs."""
    for former in claimable.exclude(worker="").values_list("worker", flat=True):
        end_sessions(former)


def _given_up(run: Run, worker: str) -> bool:
    """Whether it has used all its attempts; if so, it is marked as failed."""
    if run.attempts <= settings.MAX_ATTEMPTS:
        return False
    fail(
        run,
        worker,
        f"Gave up after {settings.MAX_ATTEMPTS} attempts: each worker crashed or stopped "
        "responding before it made progress.",
    )
    return True


def renew(run: Run, worker: str) -> None:
    """Keep a run that is worked on without a batch to commit. Raises LeaseLost."""
    write(run, worker, lease_until=lease_end())
    run.renew_parts(worker, lease_end())


def write(run: Run, worker: str, **changes: object) -> None:
    """Change fields of a run, also of the object, if it is this worker's. Raises LeaseLost."""
    if not run.held_by(worker).update(**changes):
        raise LeaseLost(run)
    for name, value in changes.items():
        setattr(run, name, value)


def renewing(run: Run, worker: str) -> Callable[[], None]:
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


def _end(run: Run, worker: str, **changes: object) -> None:
    with transaction.atomic():
        # As landing does: first the source, then the run.
        run.hold_source()
        end = {"finished_at": now(), "lease_until": None, "waits_for": ""}
        if not run.held_by(worker).update(**end, **changes):
            raise LeaseLost(run)
        run.drop_parts()
        run.refresh_from_db()
        ended.send(sender=type(run), run=run)


@contextmanager
def working_on(
    run: Run,
    worker: str,
    refusals: tuple[type[Exception], ...] = (),
    *,
    retry_seconds: float | None = None,
) -> Iterator[None]:
    """What ends the work on a run ends the run, and never the worker.

    ``refusals`` are errors whose sentence is what its page shows. After any other error the page
    refers to the log. Where the environment is at fault, the run waits and is tried again; see
    ``put_back`` for ``retry_seconds``. Ctrl-C cancels the run.
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
                put_back(run, worker, fault, retry_seconds=retry_seconds)
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


def finish(run: Run, worker: str, **changes: object) -> None:
    """The run has come to its end. Raises LeaseLost if it is not this worker's."""
    _end(run, worker, state=RunState.FINISHED, **changes)


def fail(run: Run, worker: str, error: str, **changes: object) -> None:
    """The run can't go on; ``error`` is the sentence that its page shows."""
    _end(run, worker, state=RunState.FAILED, error=error, **changes)


def cancel(run: Run, worker: str) -> None:
    """Who started the run wants no more of it; what it has done so far stays."""
    _end(run, worker, state=RunState.CANCELLED)


def stop(run: Run) -> bool:
    """End a run that waits or is worked on, whoever holds it; False if it had ended already.

    What it has done so far stays. Its worker finds out at its next batch, and leaves it.
    """
    with transaction.atomic():
        run.hold_source()
        active = type(run).objects.filter(pk=run.pk).active()
        if not active.update(state=RunState.CANCELLED, finished_at=now(), lease_until=None):
            return False
        run.drop_parts()
        run.refresh_from_db()
        ended.send(sender=type(run), run=run)
        tell_of_run("run.cancelled", run)
    return True


def release_all() -> None:
    """Take every lease from its worker: in a database that was restored, nobody has one."""
    for model in leased_models():
        held = model._default_manager.filter(lease_until__isnull=False)
        held.update(worker="", lease_until=now())
