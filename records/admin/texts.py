"""The admin of the text index."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet

from records.admin.base import LargeTable, LookOnly
from records.json_text import json_text
from records.models import RecordText, TextChange


@admin.register(RecordText)
class RecordTextAdmin(LookOnly, LargeTable):
    """The indexed text of each record."""

    list_display = ("record_id",)
    ordering = ("record_id",)
    search_fields = ("record_id",)
    search_help_text = "Search by record ID."


@admin.register(TextChange)
class TextChangeAdmin(LookOnly, LargeTable):
    """Changed records that are not indexed yet."""

    list_display = ("id", "woken_at")
    ordering = ("-id",)
    search_fields = ("ids",)
    search_help_text = "Search by record ID."

    def matching(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        return rows.filter(ids__contains=json_text(term))
