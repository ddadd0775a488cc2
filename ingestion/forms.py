"""What the upload page takes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from ingestion.mapping import column_names
from records.models.sources import SOURCE_NAME
from records.numbers import size
from records.rows import ROLES


class ColumnsField(forms.CharField):
    """Names of columns, separated by commas."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, max_length=2_000, **options)

    def clean(self, value: Any) -> list[str]:
        text: str = super().clean(value)
        return column_names(text)


class UploadForm(forms.Form):
    """A file, and what its sender knows better than its column names tell."""

    file = forms.FileField(
        label="File",
        max_length=255,
        error_messages={
            "required": "Choose a file to upload.",
            "empty": "This file is empty: there is nothing in it to load.",
        },
    )
    source = forms.CharField(
        label="Source",
        required=False,
        max_length=100,
        validators=[SOURCE_NAME],
        help_text="The feed that the records belong to. Left empty: named after the file.",
    )
    id = ColumnsField(label="Id columns", help_text="What tells one record from all others.")
    timestamp = ColumnsField(label="Timestamp columns", help_text="A date, or a date and a time.")
    value = ColumnsField(label="Value column", help_text="The number to chart and average.")
    category = ColumnsField(label="Category column", help_text="What to group by.")

    def clean_file(self) -> UploadedFile[bytes]:
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > settings.MAX_UPLOAD_BYTES:
            raise forms.ValidationError(
                f"{file.name} has {size(file.size or 0)}; the limit is "
                f"{size(settings.MAX_UPLOAD_BYTES)}. Load it with `manage.py ingest` instead."
            )
        return file

    def clean_value(self) -> list[str]:
        return self._one_column("value")

    def clean_category(self) -> list[str]:
        return self._one_column("category")

    def _one_column(self, role: str) -> list[str]:
        columns: list[str] = self.cleaned_data[role]
        if len(columns) > 1:
            raise forms.ValidationError(f"Name one column for the {role}, not {len(columns)}.")
        return columns

    @property
    def roles(self) -> dict[str, list[str]]:
        """The roles that were named; all others are found by the source or the column names."""
        return {role: self.cleaned_data[role] for role in ROLES if self.cleaned_data[role]}

    @property
    def names_roles(self) -> bool:
        """Whether a role has been filled in, so that the page shows it again."""
        return any(self[role].value() for role in ROLES)

    @property
    def role_fields(self) -> list[forms.BoundField]:
        return [self[role] for role in ROLES]
