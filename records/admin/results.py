"""Results of processing."""

from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from records.admin.base import LISTED, NEWEST, HistoryInline, LargeTable, LookOnly, NewestRows
from records.models import ProcessingResult
from records.models.querysets import ResultQuerySet


class NewestResults(NewestRows):
    """The newest results of a record."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["queryset"] = kwargs["queryset"].of_record(kwargs["instance"].pk)
        super().__init__(*args, **kwargs)


class ResultInline(HistoryInline):
    """The results of a record."""

    model = ProcessingResult
    formset = NewestResults
    verbose_name_plural = f"results (latest {NEWEST})"
    fields = (
        "created_at",
        "current",
        "success",
        "run",
        "rule_set",
        "error_message",
        "processed_data",
        "repairs",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProcessingResult]:
        return super().get_queryset(request).select_related("run", "rule_set__source")


@admin.register(ProcessingResult)
class ResultAdmin(LookOnly, LargeTable):
    """Results, newest first."""

    list_display = ("id", "record_id", "success", "current", "repaired", "created_at")
    list_filter = ("success",)
    ordering = ("-id",)
    search_fields = ("record_id",)
    search_help_text = f"Search by the full id of a record. Shows at most {LISTED:,} results."

    def matching(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        return cast(ResultQuerySet, rows).of_record(term)
