"""The column store, which workers fill: see ``explore.columns``."""

from django.db import models

from records.models.fields import KeyField
from records.models.visibility import VisibleManager


class ColumnChange(models.Model):
    """Records of a source that a transaction has made, changed or deleted, and that the column
    store has yet to follow."""

    source = KeyField(max_length=100)
    # A JSON list of their ids, as text like those of TextChange; "" where they are all records
    # from ``first`` up to and with ``last``.
    ids = models.TextField(blank=True)
    first = KeyField(max_length=255, blank=True)
    last = KeyField(max_length=255, blank=True)
    # How many there are, at the most those of a range that have been there when it was noted.
    records = models.PositiveBigIntegerField()
    noted_at = models.DateTimeField()
    # When a worker was last called for this change and those before it.
    woken_at = models.DateTimeField(null=True)

    objects = VisibleManager()

    class Meta:
        db_table = "column_changes"
        ordering = ["id"]

    def __str__(self) -> str:
        return f"Change {self.pk} of {self.source}"


class ColumnSegment(models.Model):
    """A Parquet file with all records of a source from one id up to another."""

    source = KeyField(max_length=100)
    first = KeyField(max_length=255)
    last = KeyField(max_length=255)
    records = models.PositiveBigIntegerField()
    size = models.PositiveBigIntegerField(help_text="bytes")
    # Its name is the SHA-256 of its content.
    digest = models.CharField(max_length=64)
    # The columns of data and results: lists of kind, name, type, and name in the file.
    columns = models.JSONField(default=list)
    created_at = models.DateTimeField()
    # When others took its place: readers that began before may still read the file.
    replaced_at = models.DateTimeField(null=True)

    objects = VisibleManager()

    class Meta:
        db_table = "column_segments"
        ordering = ["source", "first"]
        indexes = [
            models.Index(
                fields=["source", "first"],
                condition=models.Q(replaced_at=None),
                name="segments_current",
            )
        ]

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


class ColumnFold(models.Model):
    """As of when the segments of a source are."""

    source = KeyField(max_length=100, unique=True)
    moment = models.DateTimeField()
    # The newest runs of the source at that moment, whether they had ended or not.
    ingestion_run = models.PositiveBigIntegerField(null=True)
    processing_run = models.PositiveBigIntegerField(null=True)

    objects = VisibleManager()

    class Meta:
        db_table = "column_folds"

    def __str__(self) -> str:
        return f"{self.source} as of {self.moment}"
