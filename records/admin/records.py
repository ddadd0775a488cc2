"""Records, their former versions, and rejected rows."""

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
    """The data of a record, and whether it is to be processed again."""

    data = JSONText(  # type: ignore[assignment]
        help_text="A JSON object: the names of the columns and their cells."
    )
    status = forms.ChoiceField(help_text="What is raw is processed by the worker.")
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
                "This record has been changed meanwhile. Open it again and repeat your change."
            )
        return super().clean()


class SourceFilter(admin.SimpleListFilter):
    """By source, as a range of the ids."""

    title = "source"
    parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(name, name) for name in Source.objects.names()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        source = self.value()
        records = cast(RecordQuerySet, queryset)
        return records.of_source(source) if source else records


class VersionInline(HistoryInline):
    """What the record held before."""

    model = RecordVersion
    verbose_name_plural = f"former versions (the newest {NEWEST})"
    fields = ("replaced_at", "reason", "replaced_by_user", "replaced_by_run", "run", "line", "data")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[RecordVersion]:
        versions = super().get_queryset(request)
        return versions.select_related("replaced_by_user", "replaced_by_run", "run")


@admin.register(DataRecord)
class RecordAdmin(LargeTable):
    """Records: their data may be edited, and they may be processed again; else they are as read.

    Every change goes through the store, which keeps what was there before.
    """

    form = RecordForm
    list_display = ("id", "source_id", "status", "timestamp", "version")
    list_filter = (SourceFilter, "status")
    ordering = ("id",)
    search_fields = ("id__startswith",)
    search_help_text = f"The start of an id, as in sales:10. The first {LISTED:,} are listed."
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
    )
    fields = ("id", "source", "data", "status", *readonly_fields[2:], "seen_version")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def view_on_site(self, record: DataRecord) -> str:
        # Directly: Django's way there has no place for a key with a line end.
        return resolve_url(record)

    def get_inlines(self, request: HttpRequest, obj: DataRecord | None) -> Any:
        # History is not part of what a form sends back.
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
        """Versions and results belong to their record and go with it, without a question each."""
        ids = [record.pk for record in objs]
        return ids, {"records, with their versions and results": len(ids)}, set(), []

    @admin.action(description="Process selected records again", permissions=["change"])
    def process_again(self, request: HttpRequest, queryset: QuerySet[DataRecord]) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        changed = store.requeue_records(ids=ids)
        self.message_user(request, f"{changed} of {len(ids)} records are raw again.")

    def response_action(  # type: ignore[override]
        self, request: HttpRequest, queryset: QuerySet[DataRecord]
    ) -> HttpResponse | None:
        """Actions are for the records that a page shows: of the others nobody has seen one."""
        if request.POST.get("select_across") == "1":
            self.message_user(request, "Select the records of one page.", messages.ERROR)
            return redirect(request.get_full_path())
        return super().response_action(request, queryset)


@admin.register(RecordVersion)
class VersionAdmin(LookOnly, LargeTable):
    """What records held before an update or an edit."""

    list_display = ("record_id", "version", "reason", "replaced_at")
    ordering = ("record_id", "-version")
    search_fields = ("record_id",)
    search_help_text = f"The whole id of a record. The first {LISTED:,} are listed."


@admin.register(RejectedRow)
class RejectedRowAdmin(LookOnly, LargeTable):
    """Rows that could not become records."""

    list_display = ("run_id", "line", "code", "column", "message")
    list_display_links = ("line",)
    ordering = ("-run_id", "id")
    search_fields = ("run_id",)
    search_help_text = f"The number of an ingestion run. The first {LISTED:,} are listed."
    fields = ("run", "line", "code", "column", "message", "text", "created_at")

    def matching(self, rows: QuerySet[RejectedRow], term: str) -> QuerySet[RejectedRow]:
        is_number = term.isascii() and term.isdigit() and len(term) < 19
        return rows.filter(run_id=int(term)) if is_number else rows.none()
