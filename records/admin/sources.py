"""Sources with their mappings; counters and signs of life."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from records import store
from records.admin.base import LargeTable, LookOnly
from records.admin.fields import JSONText
from records.errors import SourceHasRecords
from records.models import DataRecord, Heartbeat, RecordCount, Source

# How many columns may play a role; None stands for any number of them.
ROLES: dict[str, int | None] = {"id": None, "timestamp": None, "value": 1, "category": 1}
FORMAT = "timestamp_format"


class SourceForm(forms.ModelForm):  # type: ignore[type-arg]
    """The name of a source and the roles of its columns."""

    mapping = JSONText(
        required=False,
        help_text="The columns of each role, such as "
        '{"id": ["Invoice ID"], "timestamp": ["Date", "Time"], "value": ["Total"], '
        '"category": []}. It is used from the next run on.',
    )

    class Meta:
        model = Source
        fields = ("name", "mapping")

    def clean_mapping(self) -> dict[str, Any]:
        mapping = self.cleaned_data["mapping"] or {}
        if not isinstance(mapping, dict):
            raise ValidationError("A mapping is a JSON object of roles and their columns.")
        for role, columns in mapping.items():
            if role == FORMAT:
                check_format(columns)
            elif role in ROLES:
                check_columns(role, columns)
            else:
                known = ", ".join([*ROLES, FORMAT])
                raise ValidationError(f"There is no role {role!r}. The roles are {known}.")
        return {role: mapping.get(role, []) for role in ROLES} | {
            key: value for key, value in mapping.items() if key == FORMAT
        }


def is_name(text: object) -> bool:
    return isinstance(text, str) and bool(text) and "\0" not in text


def check_format(text: object) -> None:
    """Raise ValidationError unless the text may be the format of a date."""
    if not (is_name(text) and (text in ("iso", "unix") or reads_dates(str(text)))):
        raise ValidationError(f"{FORMAT!r} is 'iso', 'unix' or a format such as '%d.%m.%Y'.")


def reads_dates(pattern: str) -> bool:
    """Whether strptime reads a date by the pattern: a time of day without a year is none."""
    moment = datetime(2021, 11, 23, 13, 45, 56, tzinfo=UTC)
    try:
        return datetime.strptime(moment.strftime(pattern), pattern).year == moment.year  # noqa: DTZ007
    except (ValueError, re.error):
        # A directive given twice makes strptime fail with an error of its regular expression.
        return False


def check_columns(role: str, columns: object) -> None:
    """Raise ValidationError unless the columns may play the role."""
    if not isinstance(columns, list) or not all(map(is_name, columns)):
        raise ValidationError(f"{role!r} has a list of names of columns.")
    if len(set(columns)) < len(columns):
        raise ValidationError(f"{role!r} names a column twice.")
    most = ROLES[role]
    if most is not None and len(columns) > most:
        raise ValidationError(f"{role!r} has one column at the most.")


@admin.register(Source)
class SourceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Sources: records carry the name of theirs, and keep it from being deleted."""

    form = SourceForm
    list_display = ("name", "created_at")
    search_fields = ("name",)

    def get_readonly_fields(self, request: HttpRequest, obj: Source | None = None) -> Any:
        return ("name", "created_at") if obj else ()

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
