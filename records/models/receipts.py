"""Receipts of runs, chained by source."""

from typing import Any

import orjson
from django.db import models

from records.models.ingestion_runs import IngestionRun, Undo
from records.models.sources import Source
from records.models.visibility import VisibleManager


class Receipt(models.Model):
    """What a run had made of its input when it ended, or what an undo had taken back.

    Made in the transaction that ends the run, and never changed. A run that is taken up again and
    ends once more gets one more.
    """

    source = models.ForeignKey(
        Source, on_delete=models.CASCADE, db_index=False, related_name="receipts"
    )
    # Its place in the chain of the source, from 1.
    number = models.PositiveBigIntegerField()
    run = models.ForeignKey(IngestionRun, on_delete=models.CASCADE, related_name="receipts")
    undo = models.OneToOneField(Undo, on_delete=models.CASCADE, null=True, related_name="receipt")
    # JSON text, as it was signed.
    content = models.TextField()
    digest = models.CharField(max_length=64)
    signature = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = VisibleManager()

    class Meta:
        db_table = "receipts"
        ordering = ["source", "number"]
        constraints = [
            models.UniqueConstraint(fields=["source", "number"], name="receipt_number_once"),
        ]

    def __str__(self) -> str:
        return f"receipt {self.number} of {self.source}"

    def document(self) -> dict[str, Any]:
        """The receipt as it is given out."""
        content = orjson.loads(self.content)
        return {"content": content, "digest": self.digest, "signature": self.signature}
