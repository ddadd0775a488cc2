"""The settings page of a source: column mapping, existing records and parsing options."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from ingestion.parsing.dialect import CHECKS, Format
from ingestion.parsing.mapping import column_names
from ingestion.parsing.number_format import NUMBER_FORMAT
from ingestion.source_settings import (
    DATES,
    change_settings,
    maps_columns,
    problems,
    settings_of,
)
from records.lookups import source_or_404
from records.models import OnConflict, Source
from records.number_decision import FORMATS
from records.permissions import Action, check
from records.rows import ROLES
from web.requests import PageRequest


class ColumnsField(forms.CharField):
    """Column names, separated by commas."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, max_length=2_000, **options)

    def to_python(self, value: Any) -> Any:
        return column_names(" ".join((super().to_python(value) or "").splitlines()))

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else listed(value or [])

    def run_validators(self, value: Any) -> None:
        super().run_validators(listed(value))


def listed(columns: Sequence[str]) -> str:
    """Column names as ``column_names`` parses them."""
    cells = [io.StringIO() for _ in columns]
    for cell, column in zip(cells, columns, strict=True):
        csv.writer(cell, lineterminator="").writerow([column])
    return ", ".join(cell.getvalue() for cell in cells)


def _answer(label: str, help_text: str = "") -> forms.CharField:
    return forms.CharField(
        label=label, required=False, max_length=1_000, strip=False, help_text=help_text
    )


class SettingsForm(forms.Form):
    """The settings of a source, under the names in which they are stored."""

    id = ColumnsField(label="ID columns", help_text="Together they identify a record.")
    timestamp = ColumnsField(label="Timestamp columns", help_text="A date, or a date and a time.")
    value = ColumnsField(label="Value column", help_text="The number to chart and average.")
    category = ColumnsField(label="Category column", help_text="The column to group by.")
    timestamp_format = forms.CharField(
        label="Date format",
        required=False,
        max_length=500,
        help_text="iso, unix or a pattern such as %d.%m.%Y. Leave blank to detect it in each file; "
        "a file with ambiguous dates is then not imported.",
    )
    timestamp_zone = forms.CharField(
        label="Time zone",
        required=False,
        max_length=50,
        help_text="Of times without an offset, for example Europe/Vienna or +01:00. Leave blank "
        "for the time zone of this installation.",
    )
    timestamp_zone_column = forms.CharField(
        label="Time zone column",
        required=False,
        max_length=2_000,
        help_text="The column with the time zone of each row, such as PST or Europe/Vienna.",
    )
    number_format = forms.ChoiceField(
        label="Number format",
        required=False,
        choices=[("", "Detect it in the first file"), *((text, text) for text in FORMATS)],
        help_text="How the numbers of the value column are written. Currency symbols and signs are "
        "detected.",
    )
    on_conflict = forms.ChoiceField(
        label="When an existing record changes", choices=OnConflict.choices
    )
    is_snapshot = forms.BooleanField(
        label="Snapshot: each file holds all records",
        required=False,
        help_text="Records that are missing from the newest file are closed: they are kept, but no "
        "longer counted.",
    )
    format = forms.ChoiceField(
        label="Format",
        required=False,
        choices=[("", "Auto-detect"), *((str(kind), str(kind)) for kind in Format)],
    )
    encoding = _answer("Encoding", "For example utf-8 or cp1252.")
    delimiter = _answer("Delimiter", "One character, or tab.")
    quote = _answer("Quote character", "One character, or none.")
    escape = _answer("Escape character", "One character, or none.")
    header = _answer("Header line", "A line number, a range such as 2-3, or none.")
    skip = _answer("Lines to skip", "How many lines come before the table.")
    sheet = _answer(
        "Sheet", "For workbooks: the name of the sheet, or * for all with the same columns."
    )
    rows_path = _answer(
        "Path to the rows", "For JSON: names or list indexes with dots, such as data.items or 1."
    )

    def __init__(self, source: Source, data: QueryDict | None = None) -> None:
        self.source = source
        super().__init__(data, initial=settings_of(source))

    def clean(self) -> dict[str, Any]:
        for name, sentence in problems(self.source, self.cleaned_data).items():
            self.add_error(name, sentence)
        return self.cleaned_data

    @property
    def knows_roles(self) -> bool:
        """Whether the columns are mapped; if not, the next input's columns are detected."""
        return maps_columns(self.source, self.cleaned_data if self.is_bound else {})

    @property
    def role_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in (*ROLES, *DATES, NUMBER_FORMAT)]

    @property
    def reading_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in CHECKS if name != "format"]


@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: PageRequest, name: str) -> HttpResponse:
    """Show and save the settings; they apply from the next import on."""
    check(request.user, Action.CHANGE_SOURCE)
    source = source_or_404(name)
    form = SettingsForm(source, request.POST if request.method == "POST" else None)
    if form.is_valid():
        change_settings(source=source, chosen=form.cleaned_data)
        messages.success(request, "Settings saved. They apply from the next import on.")
        return redirect(source)
    context = {"form": form, "source": source}
    status = 400 if form.errors else 200
    return render(request, "ingestion/source_settings.html", context, status=status)
