"""Sources with their mappings; counters and signs of life."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from records.admin.base import LargeTable, LookOnly
from records.admin.fields import JSONText
from records.models import Heartbeat, RecordCount, Source

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
    if not (is_name(text) and (text in ("iso", "unix") or "%" in str(text))):
        raise ValidationError(f"{FORMAT!r} is 'iso', 'unix' or a format such as '%d.%m.%Y'.")


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
    """Sources: their records keep them from being deleted, and carry their names."""

    form = SourceForm
    list_display = ("name", "created_at")
    search_fields = ("name",)

    def get_readonly_fields(self, request: HttpRequest, obj: Source | None = None) -> Any:
        return ("name", "created_at") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


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
