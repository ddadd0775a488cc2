"""Undo: an ingestion run is taken back, batch by batch, by a worker like any other work."""

from django.contrib.auth.models import User
from django.db import transaction

from ingestion.errors import CannotUndo
from ingestion.feeds.loading import move_back
from records import store
from records.jobs.job import Job
from records.models import IngestionRun, RunState, Undo
from records.signals import landed

# What has landed something, and lands no more.
UNDOABLE = (RunState.FINISHED, RunState.FAILED, RunState.CANCELLED)


def create_undo(*, run: IngestionRun, how: str, user: User | None = None) -> Undo:
    """Make the undo of a run. Raises CannotUndo for a run that is active, or undone already."""
    with transaction.atomic():
        # One undo a source: each has to see what the other has made of their common records.
        type(run.source).objects.select_for_update().get(pk=run.source_id)
        run.refresh_from_db()
        if run.state not in UNDOABLE:
            raise CannotUndo(run, f"it is {run.state}")
        if Undo.objects.filter(run__source=run.source_id).active().exists():
            raise CannotUndo(run, f"an undo of another run of {run.source} is under way")
        return Undo.objects.create(run=run, how=how, user=user)


class UndoRun(Job[Undo]):
    """Undo a run batch by batch. After an interruption this continues behind the last batch."""

    def run(self) -> None:
        undo = self.row
        more = True
        while more:
            more = store.undo_batch(undo=undo, worker=self.worker)
            self.report_progress()
        with transaction.atomic():
            store.finish_undo(undo=undo, worker=self.worker)
            move_back(undo.run)
        # What got its former content back is to be processed anew.
        landed.send(sender=IngestionRun, source=undo.run.source)
