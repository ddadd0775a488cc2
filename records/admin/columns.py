"""The admin of the column store."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet

from records.admin.base import LargeTable, LookOnly
from records.json_text import json_text
from records.models import ColumnChange, ColumnFold, ColumnSegment


@admin.register(ColumnChange)
class ColumnChangeAdmin(LookOnly, LargeTable):
    """Changed records that are not in the segments yet."""

    list_display = ("id", "source", "records", "noted_at", "woken_at")
    ordering = ("-id",)
    search_fields = ("ids",)
    search_help_text = "Search by record ID."

    def matching(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        return rows.filter(ids__contains=json_text(term))


@admin.register(ColumnSegment)
class ColumnSegmentAdmin(LookOnly, LargeTable):
    """The files of the column store."""

    list_display = ("id", "source", "first", "last", "records", "size", "replaced_at")
    ordering = ("-id",)
    search_fields = ("source",)
    search_help_text = "Search by source."


@admin.register(ColumnFold)
class ColumnFoldAdmin(LookOnly, LargeTable):
    """As of when the segments of each source are."""

    list_display = ("source", "moment", "ingestion_run", "processing_run")
    ordering = ("source",)
    search_fields = ("source",)
    search_help_text = "Search by source."
