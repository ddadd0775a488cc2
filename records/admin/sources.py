"""Sources with their column mappings; counters and heartbeats."""

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
from records.changes import Change, tell
from records.errors import SourceHasRecords
from records.models import DataRecord, Heartbeat, OnConflict, RecordCount, Source, ValueCount
from records.models.mappings import check_mapping
from records.visible_sources import check_visible


class SourceForm(forms.ModelForm):  # type: ignore[type-arg]
    """The name of a source, its column mapping, and its policy for existing records."""

    mapping = JSONText(
        required=False,
        help_text="The columns for each role, such as "
        '{"id": ["Invoice ID"], "timestamp": ["Date", "Time"], "value": ["Total"], '
        '"category": []}. It applies from the next run on.',
    )

    on_conflict = forms.ChoiceField(
        required=False,
        choices=OnConflict.choices,
        label="When an existing record changes",
    )

    class Meta:
        model = Source
        fields = ("name", "mapping", "on_conflict")

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        check_visible(name)
        return name

    def clean_mapping(self) -> dict[str, Any]:
        return check_mapping(self.cleaned_data["mapping"] or {})


@admin.register(Source)
class SourceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Sources; a source with records can't be deleted."""

    form = SourceForm
    list_display = ("name", "on_conflict", "created_at")
    search_fields = ("name",)

    def get_readonly_fields(self, request: HttpRequest, obj: Source | None = None) -> Any:
        return ("name", "columns", "reading", "created_at") if obj else ()

    def save_model(self, request: HttpRequest, obj: Source, form: Any, change: bool) -> None:
        hidden = Source.everything.filter(name=obj.name, is_draft=True).first()
        if hidden is not None:
            # The drafts of a source of this name are now drafts of this one.
            obj.pk, obj.created_at = hidden.pk, hidden.created_at
        former = Source.objects.filter(pk=obj.pk).first() if change else None
        super().save_model(request, obj, form, change)
        tell(
            Change(
                action="source.changed" if former else "source.created",
                kind="source",
                object_id=obj.pk,
                label=obj.name,
                source=obj.name,
                before=former.settings if former else None,
                after=obj.settings,
            )
        )

    def delete_model(self, request: HttpRequest, obj: Source) -> None:
        try:
            store.delete_source(source=obj)
        except SourceHasRecords as error:
            # Records were added after the page checked for them.
            raise PermissionDenied(str(error)) from error

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        for source in queryset:
            self.delete_model(request, source)

    def get_deleted_objects(
        self, objs: Iterable[Source], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """Delete what belongs to a source with it, without a permission for each; not records."""
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
    """The counters behind the figures of the dashboard."""

    list_display = ("source", "day", "status", "count")
    list_filter = ("status",)
    ordering = ("source", "-day", "status")
    search_fields = ("source",)
    search_help_text = "Search by source name."


@admin.register(ValueCount)
class ValueCountAdmin(LookOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """How many values each source has, and how many of these could not be read."""

    list_display = ("source", "filled", "unread")
    ordering = ("source",)


@admin.register(Heartbeat)
class HeartbeatAdmin(LookOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """The last heartbeat of each worker."""

    list_display = ("queue", "seen_at")
