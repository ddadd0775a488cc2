"""What one rule-set version made of one record."""

from django.db import models
from django.db.models import Q

from records.models.processing_runs import ProcessingRun
from records.models.querysets import ResultManager
from records.models.records import DataRecord
from records.models.sources import RuleSet


class ProcessingResult(models.Model):
    """The outcome for one record; the newest is current, the older ones are its history.

    ``errors`` is a list of {rule, column, value, message}, ``repairs`` one of {rule, column,
    before, after}. ``value`` and ``category`` repeat the two mapped cells of ``processed_data``
    as typed columns, for charts; ``repaired`` says that a repair made the value, which charts
    and averages leave out unless asked.
    """

    record = models.ForeignKey(
        DataRecord,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="results",
    )
    success = models.BooleanField()
    processed_data = models.JSONField(null=True)
    # NULL, as success has no message and a record may have no category.
    error_message = models.TextField(null=True)  # noqa: DJ001
    processing_time = models.FloatField(help_text="seconds")
    created_at = models.DateTimeField()
    run = models.ForeignKey(
        ProcessingRun,
        on_delete=models.PROTECT,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="results",
    )
    rule_set = models.ForeignKey(
        RuleSet,
        on_delete=models.PROTECT,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="results",
    )
    current = models.BooleanField(default=True)
    errors = models.JSONField(default=list)
    repairs = models.JSONField(default=list)
    value = models.FloatField(null=True)
    category = models.TextField(null=True)  # noqa: DJ001
    repaired = models.BooleanField(default=False)
    # Whether the value cell could not be read as a number.
    unread = models.BooleanField(default=False)
    # Why the record is out of the ordinary, in words; NULL for one that is not.
    anomaly = models.TextField(null=True)  # noqa: DJ001

    objects = ResultManager()

    class Meta:
        db_table = "processing_results"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["record"], condition=Q(current=True), name="one_current_result"
            ),
        ]
        indexes = [
            # The history of a record: only what has been superseded pays for it.
            models.Index(fields=["record"], condition=Q(current=False), name="results_former"),
            # The examples that pages show: costs nothing on values that are read.
            models.Index(
                fields=["record"], condition=Q(current=True, unread=True), name="results_unread"
            ),
        ]

    def __str__(self) -> str:
        return f"result {self.pk} of {self.record_id}"
