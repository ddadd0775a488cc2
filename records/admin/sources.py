"""Sources with their mappings; counters and signs of life."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest

from records import store
from records.admin.base import LargeTable, LookOnly
from records.admin.fields import JSONText
from records.errors import SourceHasRecords
from records.models import DataRecord, Heartbeat, OnConflict, RecordCount, Source
from records.models.mappings import check_mapping


class SourceForm(forms.ModelForm):  # type: ignore[type-arg]
    """The name of a source, the roles of its columns, and what becomes of known keys."""

    mapping = JSONText(
        required=False,
        help_text="The columns of each role, such as "
        '{"id": ["Invoice ID"], "timestamp": ["Date", "Time"], "value": ["Total"], '
        '"category": []}. It is used from the next run on.',
    )

    on_conflict = forms.ChoiceField(
        required=False,
        choices=OnConflict.choices,
        label="When a key comes back with other content",
    )

    class Meta:
        model = Source
        fields = ("name", "mapping", "on_conflict")

    def clean_mapping(self) -> dict[str, Any]:
        return check_mapping(self.cleaned_data["mapping"] or {})


@admin.register(Source)
class SourceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Sources: records carry the name of theirs, and keep it from being deleted."""

    form = SourceForm
    list_display = ("name", "on_conflict", "created_at")
    search_fields = ("name",)

    def get_readonly_fields(self, request: HttpRequest, obj: Source | None = None) -> Any:
        return ("name", "columns", "reading", "created_at") if obj else ()

    def delete_model(self, request: HttpRequest, obj: Source) -> None:
        try:
            store.delete_source(source=obj)
        except SourceHasRecords as error:
            # Some landed since the page asked whether there are any.
            raise PermissionDenied(str(error)) from error

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        for source in queryset:
            self.delete_model(request, source)

    def get_deleted_objects(
        self, objs: Iterable[Source], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """What belongs to a source goes with it, without a question each; records stay."""
        sources = list(objs)
        kept = [
            str(SourceHasRecords(source.name))
            for source in sources
            if DataRecord.objects.of_source(source.name).exists()
        ]
        names = [source.name for source in sources]
        return names, {"sources, with their runs and rules": len(names)}, set(), kept


@admin.register(RecordCount)
class CountAdmin(LookOnly, LargeTable):
    """The counters that the figures are read from."""

    list_display = ("source", "day", "status", "count")
    list_filter = ("status",)
    ordering = ("source", "-day", "status")
    search_fields = ("source",)
    search_help_text = "The name of a source."


@admin.register(Heartbeat)
class HeartbeatAdmin(LookOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """When the workers were last seen."""

    list_display = ("queue", "seen_at")
