"""Records that are missing from a snapshot: an input that holds the whole state of its source."""

from django.db import models

from records.models.fields import KeyField
from records.models.ingestion_runs import IngestionRun
from records.models.querysets import ClosingManager
from records.models.records import DataRecord
from records.models.visibility import VisibleManager


class RecordClosing(models.Model):
    """That a run has closed a record (its key was missing), or reopened it (its key came again).

    A record is closed if the last of its rows that count says so. Rows are deleted with their
    record by the store.
    """

    record = models.ForeignKey(
        DataRecord,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="closings",
    )
    run = models.ForeignKey(
        IngestionRun, on_delete=models.CASCADE, db_index=False, related_name="closings"
    )
    is_closed = models.BooleanField()
    at = models.DateTimeField()
    # When the run was undone; from then on the row no longer counts.
    undone_at = models.DateTimeField(null=True)

    objects = ClosingManager()

    class Meta:
        db_table = "record_closings"
        ordering = ["record", "at"]
        indexes = [
            models.Index(fields=["record"], name="closings_of_record"),
            models.Index(fields=["run", "record"], name="closings_by_run"),
        ]

    def __str__(self) -> str:
        done = "closed" if self.is_closed else "reopened"
        return f"{self.record_id} {done} by run {self.run_id}"


class SnapshotKey(models.Model):
    """That the input of a running snapshot has this record; deleted when the run ends."""

    run = models.ForeignKey(
        IngestionRun,
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="snapshot_keys",
    )
    record_id = KeyField(max_length=255)

    objects = VisibleManager()

    class Meta:
        db_table = "snapshot_keys"
        indexes = [models.Index(fields=["run", "record_id"], name="keys_of_snapshot")]

    def __str__(self) -> str:
        return f"{self.record_id} in run {self.run_id}"
