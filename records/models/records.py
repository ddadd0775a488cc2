"""Records, what they were before, and the rows that could not become one."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.shortcuts import resolve_url

from records.models.fields import KeyField
from records.models.ingestion_runs import IngestionRun
from records.models.querysets import RecordManager, RejectedManager, VersionManager
from records.models.sources import Source
from web.links import HasPage


class DataRecord(HasPage, models.Model):
    """What one row said, untouched, and how far its processing is."""

    class Status(models.TextChoices):
        RAW = "raw"
        PROCESSING = "processing"
        PROCESSED = "processed"
        FAILED = "failed"

    id = KeyField(max_length=255, primary_key=True)
    timestamp = models.DateTimeField(null=True, blank=True)
    # A foreign-key constraint and an index would be paid on every row that lands; the store is
    # the only writer, and a source's records are a range of the primary key.
    source = models.ForeignKey(
        Source,
        to_field="name",
        db_column="source",
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="records",
    )
    data = models.JSONField()
    processed_at = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RAW)
    created_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)
    run = models.ForeignKey(
        IngestionRun,
        on_delete=models.PROTECT,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="records",
    )
    line = models.PositiveBigIntegerField(null=True)
    # The run since which it is closed: the first snapshot that its key is missing from. A closed
    # record has no current result, and only its own counter counts it.
    closed_by = models.ForeignKey(
        IngestionRun,
        on_delete=models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )

    objects = RecordManager()

    class Meta:
        db_table = "data_records"
        permissions = [
            ("reprocess_datarecord", "Can reprocess data record"),
            ("query_datarecord", "Can query data record"),
        ]
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["raw", "processing", "processed", "failed"]),
                name="record_status",
            ),
        ]
        indexes = [
            # What processing looks for, and what a reader of failures looks for: each costs
            # nothing on the rows that are neither.
            models.Index(fields=["id"], condition=Q(status="raw"), name="records_raw"),
            models.Index(fields=["id"], condition=Q(status="failed"), name="records_failed"),
        ]

    def __str__(self) -> str:
        return self.id


class RecordVersion(models.Model):
    """What a record held before an update, an edit or an undo replaced it.

    Versions and results are deleted with their record by the store, which knows their indexes.
    """

    class Reason(models.TextChoices):
        UPDATE = "update"
        EDIT = "edit"
        UNDO = "undo"

    record = models.ForeignKey(
        DataRecord,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="versions",
    )
    version = models.PositiveIntegerField()
    timestamp = models.DateTimeField(null=True)
    data = models.JSONField()
    run = models.ForeignKey(
        IngestionRun,
        on_delete=models.SET_NULL,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    line = models.PositiveBigIntegerField(null=True)
    reason = models.CharField(max_length=10, choices=Reason.choices)
    replaced_at = models.DateTimeField()
    replaced_by_run = models.ForeignKey(
        IngestionRun,
        on_delete=models.SET_NULL,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    replaced_by_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        db_index=False,
        related_name="+",
    )

    objects = VersionManager()

    class Meta:
        db_table = "record_versions"
        ordering = ["record", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["record", "version"], name="record_version_once"),
        ]
        indexes = [
            # What a run has updated, in the order in which it was done.
            models.Index(
                fields=["replaced_by_run", "id"],
                condition=Q(reason="update"),
                name="versions_updated_by",
            ),
            # What a run has created, of the records that have been changed since.
            models.Index(
                fields=["run", "record"], condition=Q(version=1), name="versions_created_by"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.record_id} v{self.version}"


class RejectedRow(models.Model):
    """A row that could not become a record, with its exact bytes and the reason.

    It is open until a replay has taken it up, which makes a record of it (``record_id``) or
    rejects it again, as a rejected row of its own.
    """

    run = models.ForeignKey(IngestionRun, on_delete=models.CASCADE, related_name="rejected_rows")
    line = models.PositiveBigIntegerField()
    raw = models.BinaryField()
    code = models.CharField(max_length=40)
    column = models.CharField(max_length=255, blank=True)
    message = models.TextField()
    created_at = models.DateTimeField()
    # The row as a person repaired it; it is replayed in place of ``raw``.
    fixed = models.TextField(blank=True)
    resolved_by = models.ForeignKey(
        IngestionRun,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="resolved_rows",
    )
    record_id = models.CharField(max_length=255, blank=True)
    # The row that a replay took up and rejected again, which made this one.
    former = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, db_index=False, related_name="+"
    )

    objects = RejectedManager()

    class Meta:
        db_table = "rejected_rows"
        ordering = ["run", "id"]
        indexes = [
            models.Index(
                fields=["former"], condition=Q(former__isnull=False), name="rejected_again"
            ),
            models.Index(fields=["record_id"], condition=~Q(record_id=""), name="rejected_became"),
        ]

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}"

    @property
    def record_url(self) -> str:
        """The page of the record that it has become."""
        return resolve_url(DataRecord(id=self.record_id))

    @property
    def is_unreadable(self) -> bool:
        """Whether its cells could not be told, or not be stored; else it is what they say."""
        return self.code not in ("missing_key", "key_too_long", "key_conflict")

    @property
    def text(self) -> str:
        """The bytes as readable text; what does not fit the encoding shows as U+FFFD."""
        return bytes(self.raw).decode(self.run.encoding or "utf-8", "replace")
