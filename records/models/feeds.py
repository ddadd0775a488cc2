"""Feeds: where a source gets its inputs by itself, and when."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

from records.models.sources import Source
from records.models.visibility import VisibleManager

# Workers look for feeds that are due every second.
AT_ONCE = timedelta(minutes=1)


class Feed(models.Model):
    """An HTTP API or a folder from which a source is loaded, by hand or by a schedule."""

    class Kind(models.TextChoices):
        HTTP = "http", "HTTP API"
        FOLDER = "folder", "Folder"

    source = models.OneToOneField(Source, on_delete=models.CASCADE, related_name="feed")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    # Of an API: {"url", "headers", "rows_path", "paging", ...}; of a folder: {"folder",
    # "pattern"}; see ingestion.feeds. Secrets are not in it.
    config = models.JSONField(default=dict)
    # Headers with secrets, encrypted as a whole; never shown, logged or exported.
    secrets = models.TextField(blank=True)
    # Where the next loading goes on: the highest value of the cursor column so far.
    position = models.TextField(blank=True)
    schedule = models.CharField(
        max_length=100, blank=True, help_text="cron expression; empty: manual imports only"
    )
    enabled = models.BooleanField(default=True)
    next_at = models.DateTimeField(null=True, blank=True)
    # When a worker was told last that it is due.
    woken_at = models.DateTimeField(null=True, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = VisibleManager()

    class Meta:
        db_table = "feeds"

    def __str__(self) -> str:
        return f"{self.kind} feed of {self.source}"

    @property
    def overdue_since(self) -> datetime | None:
        """Since when it is due, where no worker has started it; None where nothing is amiss."""
        is_due = self.enabled and self.next_at and self.next_at < timezone.now() - AT_ONCE
        return self.next_at if is_due else None


class FolderFile(models.Model):
    """A file as a folder's feed saw it last; loaded once it has stopped growing, and once only."""

    feed = models.ForeignKey(Feed, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=1000)
    size = models.PositiveBigIntegerField()
    modified_ns = models.PositiveBigIntegerField()
    run = models.ForeignKey(
        "records.IngestionRun", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    seen_at = models.DateTimeField()

    objects = VisibleManager()

    class Meta:
        db_table = "folder_files"
        constraints = [
            models.UniqueConstraint(fields=["feed", "name"], name="folder_file_once"),
        ]

    def __str__(self) -> str:
        return self.name
