"""Undo: a worker reverts what an ingestion run did, batch by batch."""

from collections.abc import Callable

from django.contrib.auth.models import User
from django.db import transaction
from django_q.tasks import async_task

from ingestion.errors import CannotUndo
from ingestion.feeds.loading import move_back
from records import store
from records.database.clock import now
from records.jobs import runs
from records.models import IngestionRun, RunState, Undo
from records.signals import landed

QUEUE = "ingestion"

Progress = Callable[[Undo], None]

# The states of runs that may have written records and have ended.
UNDOABLE = (RunState.FINISHED, RunState.FAILED, RunState.CANCELLED)


def create_undo(*, run: IngestionRun, how: str, user: User | None = None) -> Undo:
    """Create the undo of a run. Raises CannotUndo for a run that is active or already undone."""
    with transaction.atomic():
        # One undo per source: each has to see what the other did to their common records.
        type(run.source).objects.select_for_update().get(pk=run.source_id)
        run.refresh_from_db()
        if run.state not in UNDOABLE:
            raise CannotUndo(run, f"it is {run.state}")
        if Undo.objects.filter(run__source=run.source_id).active().exists():
            raise CannotUndo(run, f"another run of {run.source} is being undone")
        return Undo.objects.create(run=run, how=how, user=user)


def queue(undo: Undo) -> None:
    """Queue the undo for a worker."""
    Undo.objects.filter(pk=undo.pk).update(woken_at=now())
    wake(undo)


def wake(undo: Undo) -> None:
    """Tell a worker to look at an undo."""
    async_task("ingestion.tasks.undo_run", undo.pk, cluster=QUEUE)


def wake_stalled() -> None:
    """Wake a worker for every undo that waits for one, or whose worker is gone."""
    for undo in runs.stalled(Undo):
        wake(undo)


def undo(undo_id: int, worker: str, on_progress: Progress | None = None) -> Undo | None:
    """Work on an undo until the run is undone; None if another worker holds it.

    If the environment is at fault, the undo is queued again; it continues after the last batch.
    """
    claimed = runs.claim(Undo, undo_id, worker)
    if claimed is None:
        return None
    with runs.working_on(claimed, worker):
        more = True
        while more:
            more = store.undo_batch(undo=claimed, worker=worker)
            if on_progress is not None:
                claimed.refresh_from_db()
                on_progress(claimed)
        with transaction.atomic():
            store.finish_undo(undo=claimed, worker=worker)
            move_back(claimed.run)
        # Records that got their previous version back have to be processed again.
        landed.send(sender=IngestionRun, source=claimed.run.source)
    claimed.refresh_from_db()
    return claimed
