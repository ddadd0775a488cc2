"""New keys that a run has given the records of a source."""

from django.db import models
from django.db.models import Q

from records.models.fields import KeyField
from records.models.ingestion_runs import IngestionRun
from records.models.querysets import KeyManager
from records.models.records import DataRecord
from records.models.visibility import VisibleManager


class Rekey(models.Model):
    """How far a run is that gives the records of a source a new key: the columns of its mapping."""

    run = models.OneToOneField(
        IngestionRun, on_delete=models.CASCADE, primary_key=True, related_name="rekey"
    )
    # The id up to which the records have been looked at; "" before the first.
    cursor = models.CharField(max_length=255, blank=True)
    total = models.PositiveBigIntegerField(default=0, help_text="records at the start")
    kept = models.PositiveBigIntegerField(
        default=0, help_text="records whose new key was taken, or gone, when they came up"
    )
    # The mapping that the source had before the run finished; None until then.
    former_mapping = models.JSONField(null=True)

    objects = VisibleManager()

    class Meta:
        db_table = "rekeys"

    def __str__(self) -> str:
        return f"new key by {self.run}"


class RecordKey(models.Model):
    """That a run has given a record another id.

    ``record`` is the id that it has now, also after later runs. Rows are deleted with their record
    by the store.
    """

    record = models.ForeignKey(
        DataRecord,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="keys",
    )
    former_id = KeyField(max_length=255)
    new_id = KeyField(max_length=255)
    run = models.ForeignKey(
        IngestionRun, on_delete=models.CASCADE, db_index=False, related_name="record_keys"
    )
    at = models.DateTimeField()
    # Whether the record made room for another one and waits for its new id, with one of no meaning.
    is_waiting = models.BooleanField(default=False)
    # Whether the record keeps its new id though the run is undone: the former one was taken.
    is_kept = models.BooleanField(default=False)
    # When the record got its former id back; from then on the row no longer counts.
    undone_at = models.DateTimeField(null=True)

    objects = KeyManager()

    class Meta:
        db_table = "record_keys"
        ordering = ["record_id", "id"]
        indexes = [
            models.Index(fields=["record"], name="keys_of_record"),
            # Leads from the former id of a record to its page.
            models.Index(fields=["former_id"], name="keys_by_former_id"),
            models.Index(fields=["run", "id"], name="keys_by_run"),
            models.Index(fields=["run"], condition=Q(is_waiting=True), name="keys_waiting"),
            models.Index(fields=["run"], condition=Q(is_kept=True), name="keys_kept"),
        ]

    def __str__(self) -> str:
        return f"{self.former_id} -> {self.new_id} by run {self.run_id}"
