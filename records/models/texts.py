"""The index of texts, which workers fill: see ``records.store.text_index``."""

from django.db import models

from records.models.fields import KeyField
from records.models.visibility import VisibleManager


class RecordText(models.Model):
    """The id and the cells of a record as one text, in upper case."""

    record_id = KeyField(max_length=255, primary_key=True)
    # Its index of trigrams is PostgreSQL's own: see the migration.
    text = models.TextField()

    objects = VisibleManager()

    class Meta:
        db_table = "record_texts"

    def __str__(self) -> str:
        return self.record_id


class TextChange(models.Model):
    """Records that a transaction has made, changed or deleted, and the index has yet to follow."""

    # A JSON list of their ids, which costs the rows that land half the time as text.
    ids = models.TextField()
    # When a worker was last called for this change and those before it.
    woken_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "text_changes"

    def __str__(self) -> str:
        return f"Change {self.pk}"
