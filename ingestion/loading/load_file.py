"""The job that loads a file into records and rejected rows."""

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from django.conf import settings

from ingestion.errors import IngestionError
from ingestion.loading import inputs, items, replay
from ingestion.loading.closing import close_missing
from ingestion.loading.doubled import doubled_note
from ingestion.loading.pipelined_writer import Land, Landed, landing
from ingestion.loading.reject_limit import check_rejects
from ingestion.loading.rekey import check_not_rekeyed
from ingestion.loading.run_input import (
    check_unchanged,
    closing_notes,
    detect_input,
    lost_cells_notes,
    open_input,
    row_mapper,
)
from ingestion.loading.value_cells import keep_style, watch_values
from ingestion.parsing.batches import Batch, read_batches
from ingestion.parsing.prefetch import prefetch
from ingestion.parsing.spill_dict import SpillDict
from records import store
from records.database import bulk
from records.gc_tuning import tuned_gc
from records.jobs.job import Job
from records.lost_cells import lost_cells
from records.models import IngestionRun, OnConflict
from records.reject_codes import NO_DATA
from records.rows import Ledger
from records.signals import landed


class LoadFile(Job[IngestionRun]):
    """Load a file until each of its rows is a record or a rejected row.

    After an interruption the run continues behind the rows that its ledger counts. A snapshot then
    closes the records that it does not have. A file that
    can't be loaded ends the run as failed, with the reason in ``error``.
    """

    refusals = (IngestionError,)
    # What of the value column can't be read, once all rows have been.
    value_cells: Mapping[str, Any] = {}

    def run(self) -> None:
        check_not_rekeyed(self.row)
        with tuned_gc():
            if self.row.columns:
                check_unchanged(self.row, self.still_here)
            else:
                detect_input(self.row, self.worker, self.still_here, doubled_note)
            notes = self.load_rows()
            notes += close_missing(self.row, self.worker, self.report_progress)
            self.end_run(notes)
        landed.send(sender=IngestionRun, source=self.row.source)

    def load_rows(self) -> list[str]:
        """Read the rows and save them in batches; return the notes of the run."""
        run = self.row
        with open_input(run, self.still_here) as reader, SpillDict() as seen:
            mapper = row_mapper(run, seen.count, members=bulk.member_order(run.columns))
            values = watch_values(run, reader)
            found = read_batches(
                values or reader,
                mapper,
                skip=run.read,
                size=settings.BATCH_ROWS,
                keep_raw=run.source.on_conflict == OnConflict.REJECT,
            )
            # The next batch is read while the database takes this one. SQLite works in this very
            # process: a thread beside it would wait for the interpreter at each of its rows.
            with (
                prefetch(found) if bulk.is_postgresql() else nullcontext(found) as batches,
                landing(batches, self._batch_writer(), self.worker) as landed_batches,
            ):
                self._check_ledger(landed_batches)
            closing = closing_notes(reader, mapper, run.source.on_conflict)
            notes = [*self.input_notes(), *reader.notes, *closing]
            if run.source.on_conflict == OnConflict.UPDATE:
                notes += lost_cells_notes(lost_cells(run))
            if values is not None:
                cells, more = keep_style(run, values)
                self.value_cells = cells.as_json()
                notes += more
            return notes

    def input_notes(self) -> list[str]:
        """The notes on the file from before its rows were read."""
        return list(self.row.notes)

    def end_run(self, notes: list[str]) -> None:
        """End the run, since all rows are saved."""
        self.finish(
            notes=notes,
            bytes_read=self.row.size,
            value_cells=self.value_cells,
            mapping=self.row.mapping,
            is_snapshot=self.row.is_snapshot,
        )

    @classmethod
    def tidy(cls) -> None:
        inputs.drop_unfinished()
        items.drop_old()

    def _check_ledger(self, batches: Landed) -> None:
        """Check the ledger after each batch. Raises TooManyRejects."""
        run = self.row
        rejected, read = run.rejected, run.read
        if rejected:
            # Rows that are no data don't count.
            rejected -= run.rejected_rows.filter(code__in=NO_DATA).count()
        for batch, ledger in batches:
            if not batch:
                self.still_here()
                continue
            aside = sum(reject.code in NO_DATA for reject in batch.rejects)
            rejected, read = rejected + ledger.rejected - aside, read + ledger.read
            check_rejects(run.max_rejects, rejected=rejected, read=read, at_end=False)
            self.report_progress()
        check_rejects(run.max_rejects, rejected=rejected, read=read, at_end=True)

    def _batch_writer(self) -> Land:
        """The function that saves a batch."""
        run, worker = self.row, self.worker
        if run.parent is None:

            def land(batch: Batch, turn: store.Turn | None) -> Ledger:
                return store.land(
                    run=run,
                    worker=worker,
                    rows=batch.rows,
                    rejects=batch.rejects,
                    position=batch.position,
                    bytes_read=batch.bytes_read,
                    turn=turn,
                )

            return land
        cells_of, restore = replay.comparable_cells(run), replay.restore(run)

        def land_repaired(batch: Batch, turn: store.Turn | None) -> Ledger:
            # Rows that were rejected before are identified by their lines.
            if turn is not None:
                turn.wait(None)
            return store.land_repaired(
                run=run,
                worker=worker,
                rows=batch.rows,
                rejects=batch.rejects,
                position=batch.position,
                bytes_read=batch.bytes_read,
                cells_of=cells_of,
                restore=restore,
            )

        return land_repaired
