"""What snapshots have closed and reopened."""

from django.contrib import admin

from records.admin.base import LISTED, LargeTable, LookOnly
from records.models import RecordClosing, SnapshotKey


@admin.register(RecordClosing)
class ClosingAdmin(LookOnly, LargeTable):
    """Closings and reopenings of records, with the runs that did it."""

    list_display = ("id", "record_id", "run_id", "is_closed", "at", "undone_at")
    ordering = ("-id",)
    search_fields = ("record_id",)
    search_help_text = f"Search by the full id of a record. Shows at most {LISTED:,} closings."
    fields = ("record_id", "run", "is_closed", "at", "undone_at")


@admin.register(SnapshotKey)
class SnapshotKeyAdmin(LookOnly, LargeTable):
    """Keys of the inputs of snapshots that are being loaded."""

    list_display = ("id", "run_id", "record_id")
    ordering = ("-id",)
    search_fields = ("record_id",)
    search_help_text = f"Search by the full id of a record. Shows at most {LISTED:,} keys."
    fields = ("run", "record_id")
