"""Finds the work that is due or was interrupted, and wakes workers for it."""

from datetime import timedelta

from django.db import transaction

from records.database.clock import now
from records.database.sessions import end_sessions
from records.jobs import registry
from records.jobs.leases import AnyRun
from records.jobs.runner import wake
from records.jobs.workers import is_orphan
from records.models import Run, RunState

# A run that waits is woken again after so long: its wake-up call may have been lost.
WAKE_SECONDS = 15


def wake_stalled(queue: str) -> None:
    """Queue what is due, and wake a worker for each run that has none or has lost it."""
    entries = registry.entries(queue)
    for entry in entries:
        entry.job.start_due()
    for model in registry.run_models(queue):
        for run in stalled(model):
            if registry.entry_of(run).job.is_next(run):
                wake(run)


def tidy() -> None:
    """Delete what has expired and what killed processes have left."""
    for entry in registry.entries():
        entry.job.tidy()


def stalled(model: type[AnyRun]) -> list[AnyRun]:
    """The runs that wait for a worker and whose last wake-up call, if any, was lost.

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


def _free_orphans(model: type[Run]) -> None:
    """Let the leases lapse whose process was on this machine and is gone."""
    for run in model.objects.filter(state=RunState.RUNNING):
        if is_orphan(run.worker):
            end_sessions(run.worker)
            orphaned = model.objects.filter(pk=run.pk, worker=run.worker)
            orphaned.update(lease_until=run.created_at, woken_at=None)
