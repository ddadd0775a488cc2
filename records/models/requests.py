"""What is kept of requests that import items: their keys, and what has become of each item."""

from typing import Any

import orjson
from django.conf import settings
from django.db import models

from records.models.ingestion_runs import IngestionRun


class RowOutcomes(models.Model):
    """What has become of the rows of one batch of a run, in the order of the input.

    ``rows`` is JSON text: a list of objects as records.store.outcomes makes them.
    """

    run = models.ForeignKey(IngestionRun, on_delete=models.CASCADE, related_name="outcomes")
    # How many rows of the input come before the batch.
    position = models.PositiveBigIntegerField()
    rows = models.TextField()

    class Meta:
        db_table = "row_outcomes"
        verbose_name_plural = "row outcomes"
        ordering = ["run", "position"]
        constraints = [
            models.UniqueConstraint(fields=["run", "position"], name="outcomes_of_a_batch_once"),
        ]

    def __str__(self) -> str:
        return f"outcomes of {self.run} from row {self.position + 1}"

    def parsed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = orjson.loads(self.rows)
        return found


class IdempotencyKey(models.Model):
    """A key that a sender gave a request, so that repeating it does nothing more.

    It is committed with the run that the request creates, or with the rows that it adds to one, so
    it always leads to what has become of the request, or to what a worker is about to make of it.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    # The digest of all that makes the request: where to, how, and its body.
    fingerprint = models.CharField(max_length=64)
    run = models.ForeignKey(IngestionRun, on_delete=models.CASCADE, related_name="+")
    # Which rows of the run came with the request: how many come before them, and how many they
    # are; null for all of them.
    first = models.PositiveBigIntegerField(default=0)
    rows = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        db_table = "idempotency_keys"
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="idempotency_key_once"),
        ]

    def __str__(self) -> str:
        return f"{self.key} of {self.user}"
