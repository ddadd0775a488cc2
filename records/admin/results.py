"""Results of processing."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from records.admin.base import LISTED, NEWEST, HistoryInline, LargeTable, LookOnly
from records.models import ProcessingResult

# Says nothing, but lets the database find a record's results in its two partial indexes.
CURRENT_OR_FORMER = Q(current=True) | Q(current=False)


class ResultInline(HistoryInline):
    """What the rules made of the record."""

    model = ProcessingResult
    verbose_name_plural = f"results (the newest {NEWEST})"
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
        results = super().get_queryset(request).filter(CURRENT_OR_FORMER)
        return results.select_related("run", "rule_set__source")


@admin.register(ProcessingResult)
class ResultAdmin(LookOnly, LargeTable):
    """Results, newest first."""

    list_display = ("id", "record_id", "success", "current", "repaired", "created_at")
    list_filter = ("success",)
    ordering = ("-id",)
    search_fields = ("record_id",)
    search_help_text = f"The whole id of a record. The first {LISTED:,} are listed."

    def matching(self, rows: QuerySet[ProcessingResult], term: str) -> QuerySet[ProcessingResult]:
        return rows.filter(CURRENT_OR_FORMER, record_id=term)
