"""Undo: a worker reverts what an ingestion run did, batch by batch."""

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction

from accounts import audit
from ingestion.errors import CannotUndo
from ingestion.feeds.loading import after_undo, move_back
from ingestion.loading.rekey import check_not_rekeyed
from ingestion.loading.runs import end_events
from records import store
from records.jobs.job import Job
from records.models import IngestionRun, RunState, Source, Undo
from records.signals import landed

# The states of runs that may have written records and have ended.
UNDOABLE = (RunState.FINISHED, RunState.FAILED, RunState.CANCELLED)

# How many later runs are listed.
LATER = 20


def create_undo(*, run: IngestionRun, trigger: str, user: User | None = None) -> Undo:
    """Create the undo of a run. Raises CannotUndo for a run that is active or already undone."""
    with transaction.atomic():
        # One undo per source: each has to see what the other did to their common records.
        Source.everything.select_for_update().get(pk=run.source_id)
        run.refresh_from_db()
        end_events(run)
        if run.state not in UNDOABLE:
            raise CannotUndo(run, f"it is {run.state}")
        if Undo.objects.filter(run__source=run.source_id).active().exists():
            raise CannotUndo(run, f"another run of {run.source} is being undone")
        made = Undo.objects.create(run=run, trigger=trigger, user=user)
        audit.record(
            audit.Action.IMPORT_UNDONE,
            kind="ingestion run",
            object_id=run.pk,
            label=run,
            source=run.source.name,
        )
        return made


@dataclass(frozen=True, slots=True)
class Preview:
    """What an undo would do, as far as the ledgers tell.

    ``obstacle`` says why the run can't be undone, "" if it can. Records that ``later`` runs have
    updated are kept. ``feed`` says what the automatic import of its source does then, "" if
    nothing.
    """

    obstacle: str
    later: list[IngestionRun]
    feed: str


def preview(run: IngestionRun) -> Preview:
    """What an undo of the run would do."""
    later = IngestionRun.objects.filter(source=run.source_id, pk__gt=run.pk, updated__gt=0)
    can_be_undone = run.state in UNDOABLE or run.takes_events
    return Preview(
        obstacle="" if can_be_undone else str(CannotUndo(run, f"it is {run.state}")),
        later=list(later.order_by("pk")[:LATER]),
        feed=after_undo(run),
    )


class UndoRun(Job[Undo]):
    """Undo a run batch by batch. After an interruption this continues behind the last batch."""

    def run(self) -> None:
        undo = self.row
        check_not_rekeyed(undo.run)
        take_back = store.restore_ids_batch if undo.run.is_rekey else store.undo_batch
        more = True
        while more:
            more = take_back(undo=undo, worker=self.worker)
            self.report_progress()
        with transaction.atomic():
            store.finish_undo(undo=undo, worker=self.worker)
            move_back(undo.run)
        # Records that got their previous version back have to be processed again.
        landed.send(sender=IngestionRun, source=undo.run.source)
