"""Records, their previous versions, and rejected rows."""

from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url

from records import store
from records.admin.base import LISTED, NEWEST, HistoryInline, LargeTable, LookOnly
from records.admin.fields import JSONText
from records.admin.results import ResultInline
from records.errors import InvalidData
from records.models import DataRecord, RecordVersion, RejectedRow, Source
from records.models.querysets import RecordQuerySet


class RecordForm(forms.ModelForm):  # type: ignore[type-arg]
    """The data of a record, and whether to process it again."""

    data = JSONText(  # type: ignore[assignment]
        help_text="A JSON object with a value for each column."
    )
    status = forms.ChoiceField(help_text="Raw records are processed by the next processing run.")
    seen_version = forms.IntegerField(widget=forms.HiddenInput)

    class Meta:
        model = DataRecord
        fields = ("data", "status")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        record = self.instance
        self.fields["seen_version"].initial = record.version
        choices = {record.status: record.status, DataRecord.Status.RAW.value: "raw: process again"}
        cast(forms.ChoiceField, self.fields["status"]).choices = list(choices.items())

    def clean_data(self) -> Any:
        data = self.cleaned_data["data"]
        try:
            store.check_data(data)
        except InvalidData as error:
            raise ValidationError(str(error)) from error
        return data

    def clean(self) -> dict[str, Any] | None:
        if self.cleaned_data.get("seen_version") != self.instance.version:
            raise ValidationError(
                "This record was changed by someone else. Reload the page and repeat your change."
            )
        return super().clean()


class SourceFilter(admin.SimpleListFilter):
    """Filters by source, as a range of ids."""

    title = "source"
    parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(name, name) for name in Source.objects.names()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        source = self.value()
        records = cast(RecordQuerySet, queryset)
        return records.of_source(source) if source else records


class VersionInline(HistoryInline):
    """The previous versions of a record."""

    model = RecordVersion
    verbose_name_plural = f"previous versions (latest {NEWEST})"
    fields = ("replaced_at", "reason", "replaced_by_user", "replaced_by_run", "run", "line", "data")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[RecordVersion]:
        versions = super().get_queryset(request)
        return versions.select_related("replaced_by_user", "replaced_by_run", "run")


@admin.register(DataRecord)
class RecordAdmin(LargeTable):
    """Records: their data can be edited, and they can be processed again.

    Every change goes through the store, which keeps the previous version.
    """

    form = RecordForm
    list_display = ("id", "source_id", "status", "timestamp", "version")
    list_filter = (SourceFilter, "status")
    ordering = ("id",)
    search_fields = ("id__startswith",)
    search_help_text = (
        f"Search by the start of an ID, such as sales:10. Shows at most {LISTED:,} records."
    )
    actions = ("process_again",)
    readonly_fields = (
        "id",
        "source",
        "timestamp",
        "run",
        "line",
        "version",
        "created_at",
        "processed_at",
        "closed_by",
    )
    fields = ("id", "source", "data", "status", *readonly_fields[2:], "seen_version")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def view_on_site(self, record: DataRecord) -> str:
        # Looked up directly: Django's own lookup fails for keys with line ends.
        return resolve_url(record)

    def get_inlines(self, request: HttpRequest, obj: DataRecord | None) -> Any:
        # The history is not part of the submitted form.
        return (VersionInline, ResultInline) if request.method == "GET" else ()

    def save_model(self, request: HttpRequest, obj: DataRecord, form: Any, change: bool) -> None:
        if "data" in form.changed_data:
            user = cast(User, request.user)
            store.edit_record(record_id=obj.pk, data=form.cleaned_data["data"], user=user)
        elif "status" in form.changed_data:
            store.requeue_records(ids=[obj.pk])

    def delete_model(self, request: HttpRequest, obj: DataRecord) -> None:
        store.delete_records(ids=[obj.pk])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[DataRecord]) -> None:
        store.delete_records(ids=list(queryset.values_list("pk", flat=True)))

    def get_deleted_objects(
        self, objs: Iterable[DataRecord], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """Delete versions and results with their record, without a permission for each."""
        ids = [record.pk for record in objs]
        return ids, {"records, with their versions and results": len(ids)}, set(), []

    @admin.action(description="Reprocess selected records", permissions=["change"])
    def process_again(self, request: HttpRequest, queryset: QuerySet[DataRecord]) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        changed = store.requeue_records(ids=ids)
        self.message_user(request, f"{changed} of {len(ids)} records will be processed again.")

    def response_action(  # type: ignore[override]
        self, request: HttpRequest, queryset: QuerySet[DataRecord]
    ) -> HttpResponse | None:
        """Actions apply to the records on the page only: nobody has seen the others."""
        if request.POST.get("select_across") == "1":
            self.message_user(request, "Select records on one page only.", messages.ERROR)
            return redirect(request.get_full_path())
        return super().response_action(request, queryset)


@admin.register(RecordVersion)
class VersionAdmin(LookOnly, LargeTable):
    """Versions of records before an update, an edit or an undo."""

    list_display = ("record_id", "version", "reason", "replaced_at")
    ordering = ("record_id", "-version")
    search_fields = ("record_id",)
    search_help_text = f"Search by the full id of a record. Shows at most {LISTED:,} versions."


@admin.register(RejectedRow)
class RejectedRowAdmin(LookOnly, LargeTable):
    """Rows that could not be imported."""

    list_display = ("run_id", "line", "code", "column", "message")
    list_display_links = ("line",)
    ordering = ("-run_id", "id")
    search_fields = ("run_id",)
    search_help_text = f"Search by the number of an ingestion run. Shows at most {LISTED:,} rows."
    fields = ("run", "line", "code", "column", "message", "text", "created_at")

    def matching(self, rows: QuerySet[RejectedRow], term: str) -> QuerySet[RejectedRow]:
        is_number = term.isascii() and term.isdigit() and len(term) < 19
        return rows.filter(run_id=int(term)) if is_number else rows.none()
