"""Ingestion and processing runs, dry runs, exports and undos: read-only."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html

from records.admin.base import LargeTable, LookOnly
from records.models import (
    DryRun,
    Export,
    ExportSlot,
    IngestionRun,
    ProcessingBatch,
    ProcessingFacts,
    ProcessingRun,
    RuleDryRun,
    Undo,
)


class RunAdmin(LookOnly, LargeTable):
    """Base of the admin of ingestion and processing runs."""

    list_filter: ClassVar[tuple[str, ...]] = ("state", "source")
    list_select_related: ClassVar[tuple[str, ...]] = ("source", "user")
    ordering = ("-id",)
    search_fields = ("id",)
    search_help_text = "Search by run number."

    def matching(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        is_number = term.isascii() and term.isdigit() and len(term) < 19
        return rows.filter(pk=int(term)) if is_number else rows.none()


@admin.register(IngestionRun)
class IngestionRunAdmin(RunAdmin):
    """Ingestion runs, with their ledgers."""

    list_display = (
        "id",
        "source",
        "file_name",
        "state",
        "read",
        "created",
        "updated",
        "unchanged",
        "rejected",
        "user",
        "created_at",
    )
    readonly_fields: ClassVar = ("rejected_rows",)

    @admin.display(description="rejected rows")
    def rejected_rows(self, run: IngestionRun) -> str:
        url = reverse("admin:records_rejectedrow_changelist")
        return format_html('<a href="{}?q={}">{} rejected rows</a>', url, run.pk, run.rejected)


@admin.register(ProcessingRun)
class ProcessingRunAdmin(RunAdmin):
    """Processing runs."""

    list_display = (
        "id",
        "source",
        "selection",
        "state",
        "processed",
        "failed",
        "repaired",
        "unchanged",
        "user",
        "created_at",
    )


@admin.register(RuleDryRun)
class RuleDryRunAdmin(RunAdmin):
    """Tests of draft rules on all records."""

    list_display = ("id", "source", "state", "done", "user", "created_at")


@admin.register(Export)
class ExportAdmin(RunAdmin):
    """Exports that workers write to files."""

    list_display = ("id", "user", "state", "done", "total", "size", "created_at", "expires_at")
    list_filter: ClassVar[tuple[str, ...]] = ("state",)
    list_select_related: ClassVar[tuple[str, ...]] = ("user",)
    search_help_text = "Search by export number."


@admin.register(ExportSlot)
class ExportSlotAdmin(LookOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Exports that are being streamed now."""

    list_display = ("id", "user", "worker", "taken_at", "lease_until")
    list_select_related = ("user",)


class PartOfRunAdmin(LookOnly, LargeTable):
    """Base of the admin of what belongs to a run, a processing run if nothing else is said."""

    ordering = ("-id",)
    list_select_related: ClassVar[tuple[str, ...]] = ("run",)
    search_fields = ("run__id",)
    search_help_text = "Search by the number of a processing run."

    def matching(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        is_number = term.isascii() and term.isdigit() and len(term) < 19
        return rows.filter(run=int(term)) if is_number else rows.none()


@admin.register(ProcessingBatch)
class ProcessingBatchAdmin(PartOfRunAdmin):
    """Parts of processing runs that are in progress."""

    list_display = ("id", "run", "source", "records", "worker", "lease_until", "attempts")


@admin.register(ProcessingFacts)
class ProcessingFactsAdmin(PartOfRunAdmin):
    """Facts about whole sources that rules need, stored with the run."""

    list_display = ("id", "run", "rule_set", "created_at")
    list_select_related = ("run", "rule_set__source")


class OfRunAdmin(RunAdmin):
    """Base of the admin of dry runs and undos."""

    list_filter: ClassVar[tuple[str, ...]] = ("state",)
    list_select_related: ClassVar[tuple[str, ...]] = ("run", "user")


@admin.register(DryRun)
class DryRunAdmin(OfRunAdmin):
    """Dry runs of imports."""

    list_display = ("id", "run", "state", "read", "user", "created_at")


@admin.register(Undo)
class UndoAdmin(OfRunAdmin):
    """Undos of ingestion runs."""

    list_display = ("id", "run", "state", "deleted", "restored", "kept", "user", "created_at")
