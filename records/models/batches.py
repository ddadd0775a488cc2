"""The parts of a processing run that workers have taken."""

from django.db import models

from records.models.fields import KeyField
from records.models.processing_runs import ProcessingRun
from records.models.visibility import VisibleManager


class ProcessingBatch(models.Model):
    """The records of one source between two ids, handed out to one worker.

    It is there from the moment that a worker takes it until its results are saved. A worker that
    is gone lets the lease lapse, and any other takes the batch. An empty ``worker`` waits for one.
    """

    run = models.ForeignKey(ProcessingRun, on_delete=models.CASCADE, related_name="batches")
    source = KeyField(max_length=100)
    # Both ends included.
    first = KeyField(max_length=255)
    last = KeyField(max_length=255)
    records = models.PositiveIntegerField(help_text="how many there were when it was handed out")
    worker = models.CharField(max_length=100, blank=True)
    lease_until = models.DateTimeField()
    # How often it was taken; more than once after the death of a worker.
    attempts = models.PositiveSmallIntegerField(default=0)

    objects = VisibleManager()

    class Meta:
        db_table = "processing_batches"
        verbose_name_plural = "processing batches"
        ordering = ["id"]

    def __str__(self) -> str:
        return f"batch {self.pk} of {self.run}"
