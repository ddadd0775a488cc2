"""Counters that the store keeps exact in the transaction that writes the rows."""

from django.db import models

from records.models.fields import KeyField
from records.models.querysets import CountManager
from records.models.visibility import VisibleManager


class RecordCount(models.Model):
    """How many records of a source carry a timestamp of one day (UTC) and a status.

    Closed records are counted under CLOSED, whatever their status.
    """

    source = KeyField(max_length=100)
    day = models.DateField()
    status = models.CharField(max_length=10)
    count = models.BigIntegerField()

    objects = CountManager()

    class Meta:
        db_table = "record_counts"
        constraints = [
            models.UniqueConstraint(fields=["source", "day", "status"], name="one_count"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.day} {self.status}: {self.count}"


class ValueCount(models.Model):
    """How many current results of a source have a value, and for how many of these the value cell
    could not be read as a number."""

    source = KeyField(max_length=100, unique=True)
    filled = models.BigIntegerField(default=0)
    unread = models.BigIntegerField(default=0)

    objects = VisibleManager()

    class Meta:
        db_table = "value_counts"

    def __str__(self) -> str:
        return f"{self.source}: {self.unread} of {self.filled}"
