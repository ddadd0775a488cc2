"""The settings page of a source: column mapping, existing records and parsing options."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from ingestion.errors import InvalidReading
from ingestion.parsing.dialect import CHECKS, Format, check_reading
from ingestion.parsing.mapping import column_names, knows_roles
from ingestion.parsing.number_format import NUMBER_FORMAT, NUMBERS, chosen_format, known_style
from records.lookups import source_or_404
from records.models import OnConflict, Source
from records.models.mappings import (
    FORMAT,
    ZONE,
    ZONE_COLUMN,
    check_columns,
    check_format,
    check_zone,
)
from records.number_decision import FORMATS, with_signs
from records.number_text import PLAIN
from records.permissions import Action, check
from records.rows import ROLES
from web.requests import PageRequest

# The settings of dates.
DATES = (FORMAT, ZONE, ZONE_COLUMN)


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
        known = {**source.reading, **source.mapping, "on_conflict": source.on_conflict}
        known["is_snapshot"] = source.is_snapshot
        if values := source.mapping.get("value"):
            known[NUMBER_FORMAT] = chosen_format(source.mapping, values[0])
        super().__init__(data, initial={name: known.get(name) for name in self.base_fields})

    def clean(self) -> dict[str, Any]:
        for role in ROLES:
            if role in self.cleaned_data:
                self._check(role, self._check_role, role)
        if self.cleaned_data.get(FORMAT):
            self._check(FORMAT, check_format, self.cleaned_data[FORMAT])
            if self.knows_roles and not self.cleaned_data.get("timestamp"):
                self.add_error(FORMAT, "A date format needs a timestamp column.")
        if self.cleaned_data.get(ZONE):
            self._check(ZONE, check_zone, self.cleaned_data[ZONE])
        if self.cleaned_data.get(ZONE_COLUMN):
            self._check(ZONE_COLUMN, self._check_columns, [self.cleaned_data[ZONE_COLUMN]])
        if self.cleaned_data.get(NUMBER_FORMAT) and not self.cleaned_data.get("value"):
            self.add_error(NUMBER_FORMAT, "A number format needs a value column.")
        try:
            check_reading(self.reading)
        except InvalidReading as error:
            self.add_error(error.what, str(error))
        return self.cleaned_data

    def _check(self, name: str, check: Any, value: Any) -> None:
        try:
            check(value)
        except ValidationError as error:
            self.add_error(name, error)

    def _check_role(self, role: str) -> None:
        columns = self.cleaned_data[role]
        check_columns(role, columns)
        self._check_columns(columns)

    def _check_columns(self, columns: Sequence[str]) -> None:
        strangers = [name for name in columns if name not in self.source.columns]
        if self.source.columns and strangers:
            raise ValidationError(f"This source has no column {', '.join(map(repr, strangers))}.")

    @property
    def knows_roles(self) -> bool:
        """Whether the columns are mapped; if not, the next input's columns are detected."""
        named = any(self.cleaned_data.get(role) for role in ROLES) if self.is_bound else False
        return knows_roles(self.source.mapping) or named

    @property
    def mapping(self) -> dict[str, Any]:
        """The column mapping to save, with roles only if they are set."""
        options = {name: self.cleaned_data[name] for name in DATES if self.cleaned_data[name]}
        if not self.knows_roles:
            return options
        mapping = {role: self.cleaned_data[role] for role in ROLES} | {FORMAT: None} | options
        return mapping | self._numbers(mapping["value"])

    def _numbers(self, values: list[str]) -> dict[str, Any]:
        """The number styles of the mapping, with the format of the value column."""
        styles = dict(self.source.mapping.get(NUMBERS) or {})
        chosen = self.cleaned_data[NUMBER_FORMAT]
        if values and chosen and chosen != chosen_format(self.source.mapping, values[0]):
            known = known_style(self.source.mapping, values[0]) or PLAIN
            styles[values[0]] = with_signs(known, FORMATS[chosen]).parameters()
        return {NUMBERS: styles} if styles else {}

    @property
    def reading(self) -> dict[str, str]:
        return {name: text for name in CHECKS if (text := self.cleaned_data.get(name))}

    @property
    def role_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in (*ROLES, *DATES, NUMBER_FORMAT)]

    @property
    def reading_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in CHECKS if name != "format"]


def change_settings(
    *,
    source: Source,
    mapping: dict[str, Any],
    on_conflict: str,
    is_snapshot: bool,
    reading: dict[str, str],
) -> None:
    """Save the settings of a source for its next input; existing records don't change."""
    Source.objects.filter(pk=source.pk).update(
        mapping=mapping, on_conflict=on_conflict, is_snapshot=is_snapshot, reading=reading
    )


@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: PageRequest, name: str) -> HttpResponse:
    """Show and save the settings; they apply from the next import on."""
    check(request.user, Action.CHANGE_SOURCE)
    source = source_or_404(name)
    form = SettingsForm(source, request.POST if request.method == "POST" else None)
    if form.is_valid():
        change_settings(
            source=source,
            mapping=form.mapping,
            on_conflict=form.cleaned_data["on_conflict"],
            is_snapshot=form.cleaned_data["is_snapshot"],
            reading=form.reading,
        )
        messages.success(request, "Settings saved. They apply from the next import on.")
        return redirect(source)
    context = {"form": form, "source": source}
    status = 400 if form.errors else 200
    return render(request, "ingestion/source_settings.html", context, status=status)
