"""Exports: files that workers make, and the slots of those that stream."""

from pathlib import Path

from django.conf import settings
from django.db import models
from django.db.models import Q

from records.database.clock import now
from records.models.runs import Run, RunState
from web.links import HasPage


class Export(HasPage, Run):
    """A file that a worker makes of the records of a filter, for the one person who asked for it.

    ``query`` is the filter and the options as the query of a URL. The file lies in a private
    folder, and is removed with the row when it has expired.
    """

    query = models.TextField(blank=True)
    # Null until they have been counted.
    total = models.PositiveBigIntegerField(null=True, blank=True)
    done = models.PositiveBigIntegerField(default=0)
    file_name = models.CharField(max_length=255, blank=True)
    media_type = models.CharField(max_length=100, blank=True)
    size = models.PositiveBigIntegerField(default=0, help_text="bytes")
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta(Run.Meta):
        db_table = "exports"
        constraints = [
            models.CheckConstraint(condition=Q(state__in=RunState.values), name="export_state"),
        ]

    def __str__(self) -> str:
        return f"export {self.pk}"

    @property
    def path(self) -> Path:
        """Where its file lies once it is finished."""
        return settings.EXPORT_DIR / str(self.pk)

    @property
    def is_ready(self) -> bool:
        """Whether its file can be downloaded."""
        is_kept = self.expires_at is not None and self.expires_at > now()
        return self.state == RunState.FINISHED and is_kept

    @property
    def share_done(self) -> float:
        """How many of its records have been written, 0 to 1."""
        if self.state == RunState.FINISHED:
            return 1.0
        return min(self.done / self.total, 1.0) if self.total else 0.0


class ExportSlot(models.Model):
    """An export that a web process streams at this moment: it counts for all of them.

    The row goes when the stream ends, its reader leaves, or its process is seen to be gone; at the
    latest when its time is over.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="export_slots"
    )
    worker = models.CharField(max_length=100)
    taken_at = models.DateTimeField(auto_now_add=True)
    lease_until = models.DateTimeField()

    class Meta:
        db_table = "export_slots"
        ordering = ["id"]

    def __str__(self) -> str:
        return f"slot {self.pk}"
