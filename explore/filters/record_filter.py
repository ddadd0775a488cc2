"""The filter of records."""

import json
from functools import reduce
from operator import or_
from typing import Any

import django_filters
from django import forms
from django.core.validators import RegexValidator
from django.db import connections
from django.db.models import Exists, F, OuterRef, Q, TextField
from django.db.models.functions import Cast
from django.db.models.lookups import IContains

from explore.filters.conditions import (
    Bytewise,
    Cells,
    Condition,
    NamesRule,
    Wordwise,
    all_of,
    as_stored,
    in_json,
    spellings,
    texts_of,
)
from explore.filters.fields import EndField, ManyFilter, SingleFilter, StartField
from explore.filters.orders import ORDERS, Order
from records.models import DataRecord, IngestionRun, ProcessingResult
from records.models.querysets import RecordQuerySet, ResultQuerySet, key_range
from records.store import text_index
from web.converters import GREATEST_ID
from web.names import SOURCE_NAME

LONGEST_TEXT = 1_000
# Filters for which results alone tell.
OF_RESULTS = {
    "source", "category", "value_from", "value_to", "repaired", "reason", "rule", "anomaly",
    "result",
}  # fmt: skip
# What says how records are shown, and not which.
SHOWING = ("sort", "column", "result_column")
RULE_NAME = RegexValidator(r"\A\w[\w.-]*\Z", "A rule name may contain only letters, digits and _.")


class RecordFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Filters of records; all may be combined, and an empty value filters nothing.

    Of a filter by several values a record meets one; of conditions on cells it meets all, but of
    several that a cell is equal to something it meets one. Ask
    ``is_valid()`` first and show ``errors``: invalid values match no record. A source is a
    filter, not an address: a name that no source has matches no record either, but is no error.
    """

    source = ManyFilter(
        method="in_source",
        label="Source",
        help_text="Names of sources.",
        each=forms.CharField(max_length=100, validators=[SOURCE_NAME]),
    )
    status = ManyFilter(
        method="with_status",
        label="Status",
        help_text="Processing status of the record.",
        each=forms.ChoiceField(
            choices=DataRecord.Status.choices,
            error_messages={
                "invalid_choice": "There is no status “%(value)s”. Choose one of "
                + ", ".join(DataRecord.Status.values)
                + "."
            },
        ),
        schema={"type": "string", "enum": DataRecord.Status.values},
    )
    q = django_filters.CharFilter(
        method="with_text",
        label="Search",
        help_text="Text in the ID or in any cell; not case-sensitive.",
        max_length=200,
    )
    run = ManyFilter(
        method="from_run",
        label="Ingestion run",
        help_text="Numbers of the ingestion runs that created or last updated the records.",
        each=forms.IntegerField(min_value=1, max_value=GREATEST_ID),
        schema={"type": "integer", "minimum": 1, "maximum": GREATEST_ID},
    )
    time_from = SingleFilter(
        method="from_time",
        label="From",
        help_text="Earliest timestamp: a date (2026-03-01) or a time (2026-03-01T12:30Z).",
        field_class=StartField,
        schema={"type": "string"},
    )
    time_to = SingleFilter(
        method="to_time",
        label="To",
        help_text="Latest timestamp: a date, which is included, or a time, which is not.",
        field_class=EndField,
        schema={"type": "string"},
    )
    dated = django_filters.ChoiceFilter(
        method="with_timestamp",
        label="Has a timestamp?",
        help_text="1: records with a timestamp; 0: records without one.",
        choices=[("1", "Yes"), ("0", "No")],
        error_messages={"invalid_choice": "“dated” must be 0 or 1, not “%(value)s”."},
    )
    category = ManyFilter(
        method="in_category",
        label="Category",
        help_text="Categories in the current results.",
        each=forms.CharField(max_length=LONGEST_TEXT, strip=False),
    )
    value_from = SingleFilter(
        method="from_value",
        label="Min value",
        help_text="Minimum value in the current result.",
        field_class=forms.FloatField,
        schema={"type": "number"},
    )
    value_to = SingleFilter(
        method="to_value",
        label="Max value",
        help_text="Maximum value in the current result.",
        field_class=forms.FloatField,
        schema={"type": "number"},
    )
    repaired = django_filters.ChoiceFilter(
        method="with_repaired_value",
        label="Repaired value",
        help_text="1: records whose value was repaired; 0: records whose value was not.",
        choices=[("1", "Yes"), ("0", "No")],
        error_messages={"invalid_choice": "“repaired” must be 0 or 1, not “%(value)s”."},
    )
    reason = ManyFilter(
        method="for_reason",
        label="Failure reason",
        help_text="Error messages of failed processing.",
        each=forms.CharField(max_length=LONGEST_TEXT, strip=False),
    )
    rule = ManyFilter(
        method="by_rule",
        label="Rule",
        help_text="Rules that failed the record or repaired one of its cells.",
        each=forms.CharField(max_length=100, validators=[RULE_NAME]),
    )
    anomaly = django_filters.ChoiceFilter(
        method="for_anomaly",
        label="Anomaly",
        help_text="1: records flagged as an anomaly; 0: processed records that are not.",
        choices=[("1", "Yes"), ("0", "No")],
        error_messages={"invalid_choice": "“anomaly” must be 0 or 1, not “%(value)s”."},
    )
    where = ManyFilter(
        method="where_cell",
        label="Data",
        help_text=(
            "A condition on a cell of the original data, `column:operator:value`. Repeat the "
            "parameter for more conditions. Operators: eq, ne, contains (not case-sensitive), lt, "
            "le, gt, ge (compare numbers if the value is one, else text), and empty, filled "
            "(without a value). Records match all conditions, and any one of several `eq` on the "
            "same column. Put a backslash before a colon or backslash in a column name."
        ),
        each=forms.CharField(max_length=LONGEST_TEXT, strip=False),
        read=Condition.parse,
    )
    result = ManyFilter(
        method="where_result",
        label="Result",
        help_text="A condition like `where`, on a cell of the current result.",
        each=forms.CharField(max_length=LONGEST_TEXT, strip=False),
        read=Condition.parse,
    )
    sort = django_filters.ChoiceFilter(
        method="in_order",
        label="Sort by",
        help_text="Sort order.",
        choices=[(name, order.label) for name, order in ORDERS.items()],
        error_messages={
            "invalid_choice": "There is no order “%(value)s”. Choose one of "
            + ", ".join(ORDERS)
            + "."
        },
    )
    column = ManyFilter(
        method="in_columns",
        label="Column",
        help_text="Data columns to show, in this order; all if omitted.",
        each=forms.CharField(max_length=LONGEST_TEXT, strip=False),
    )
    result_column = ManyFilter(
        method="in_columns",
        label="Result column",
        help_text="Columns of the current result to show as well; none if omitted.",
        each=forms.CharField(max_length=LONGEST_TEXT, strip=False),
    )

    class Meta:
        model = DataRecord
        fields = ()

    @classmethod
    def repeatable(cls) -> frozenset[str]:
        """The names of the parameters that may be given several times."""
        return frozenset(
            name for name, item in cls.base_filters.items() if isinstance(item, ManyFilter)
        )

    @property
    def order(self) -> Order:
        """The order that was asked for."""
        return ORDERS[self.form.cleaned_data.get("sort") or "id"]

    @property
    def columns(self) -> list[str]:
        """The columns that were asked for; none for those that say most."""
        return self.form.cleaned_data.get("column") or []

    @property
    def result_columns(self) -> list[str]:
        """The columns of results that were asked for."""
        return self.form.cleaned_data.get("result_column") or []

    @property
    def chosen(self) -> dict[str, list[str]]:
        """The values of every filter that is set, as they stand in a URL."""
        return {
            name: [text for text in self._given(name) if text.strip()]
            for name in self.filters
            if name not in SHOWING and any(map(str.strip, self._given(name)))
        }

    @property
    def is_of_one_source(self) -> bool:
        """Whether all records that are found have the same source."""
        return len(self.chosen.get("source", ())) == 1

    def _given(self, name: str) -> list[str]:
        value = self.form[name].value()
        return [value] if isinstance(value, str) else list(value or ())

    def filter_queryset(self, queryset: RecordQuerySet) -> RecordQuerySet:
        if not self.form.is_valid():
            return queryset.none()
        # All that is asked of results is asked of the one current result of a record.
        self._of_result = Q()
        self._few: set[str] | None = None
        matching: RecordQuerySet = super().filter_queryset(queryset)
        if self._few is not None:
            matching = matching.with_ids(self._few)
        if self._of_result:
            results = ProcessingResult.objects.current().filter(
                self._of_result, record_id=OuterRef("pk")
            )
            matching = matching.filter(Exists(results))
        return matching

    @property
    def is_of_few(self) -> bool:
        """Whether few records are looked at to find these, as they have texts that are rare."""
        return self.is_valid() and self.qs is not None and self._few is not None

    @property
    def results(self) -> ResultQuerySet:
        """The current results of the records that are found."""
        records = self.qs
        results = ProcessingResult.objects.current().order_by()
        if self.is_valid() and set(self.chosen) <= OF_RESULTS:
            # Without a look at the records, of which only the source is to be told.
            sources = self.form.cleaned_data["source"]
            ranges = [key_range(source, "record_id") for source in sources]
            return results.filter(self._of_result, *([reduce(or_, ranges)] if ranges else []))
        return results.filter(record_id__in=records.order_by().values("pk"))

    def in_source(self, records: RecordQuerySet, name: str, value: list[str]) -> RecordQuerySet:
        return records.filter(reduce(or_, map(key_range, value)))

    def with_status(self, records: RecordQuerySet, name: str, value: list[str]) -> RecordQuerySet:
        return records.filter(status__in=value)

    def with_text(self, records: RecordQuerySet, name: str, value: str) -> RecordQuerySet:
        """Records with the text in their id or in a cell, whatever its case."""
        is_json = connections[records.db].vendor == "postgresql"
        # Letters of ASCII have their cases in any collation, and in this one they are quickest.
        cells = Bytewise(Cells(F("data"))) if value.isascii() else Cells(F("data"))
        matches = Q()
        for spelling in spellings(value):
            in_cells = Q(cell_text__icontains=spelling)
            if is_json:
                in_cells = Q(cell_text__icontains=in_json(spelling))
            elif json.dumps(spelling) == f'"{spelling}"':
                # However the JSON is spelled, it holds this text as it is: looking for it there
                # first spares most records from being taken apart, which is slow on SQLite.
                in_cells = Q(json_text__icontains=spelling) & in_cells
            matches |= Q(IContains(Wordwise(F("id")), spelling)) | in_cells
        matching: RecordQuerySet = records.alias(
            json_text=Cast(F("data"), TextField()), cell_text=cells
        ).filter(matches)
        self._narrow(as_stored(spellings(value)))
        return matching

    def from_run(self, records: RecordQuerySet, name: str, value: list[int]) -> RecordQuerySet:
        """Records that a run brought in or changed last; its source bounds where to look."""
        runs = IngestionRun.objects.filter(pk__in=value).values_list("pk", "source__name")
        found = [key_range(source) & Q(run_id=run) for run, source in runs]
        return records.filter(reduce(or_, found)) if found else records.none()

    def from_time(self, records: RecordQuerySet, name: str, value: Any) -> RecordQuerySet:
        return records.filter(timestamp__gte=value)

    def to_time(self, records: RecordQuerySet, name: str, value: Any) -> RecordQuerySet:
        return records.filter(timestamp__lt=value)

    def with_timestamp(self, records: RecordQuerySet, name: str, value: str) -> RecordQuerySet:
        return records.filter(timestamp__isnull=value == "0")

    def where_cell(
        self, records: RecordQuerySet, name: str, value: list[Condition]
    ) -> RecordQuerySet:
        for texts in texts_of(value):
            self._narrow(texts)
        return records.filter(all_of(value, "data"))

    def in_category(self, records: RecordQuerySet, name: str, value: list[str]) -> RecordQuerySet:
        return self._with_result(records, Q(category__in=value))

    def from_value(self, records: RecordQuerySet, name: str, value: float) -> RecordQuerySet:
        return self._with_result(records, Q(value__gte=value))

    def to_value(self, records: RecordQuerySet, name: str, value: float) -> RecordQuerySet:
        return self._with_result(records, Q(value__lte=value))

    def with_repaired_value(self, records: RecordQuerySet, name: str, value: str) -> RecordQuerySet:
        return self._with_result(records, Q(repaired=value == "1"))

    def for_reason(self, records: RecordQuerySet, name: str, value: list[str]) -> RecordQuerySet:
        return self._with_result(records, Q(success=False, error_message__in=value))

    def by_rule(self, records: RecordQuerySet, name: str, value: list[str]) -> RecordQuerySet:
        named = [Q(NamesRule(field, rule)) for rule in value for field in ("errors", "repairs")]
        return self._with_result(records, reduce(or_, named))

    def for_anomaly(self, records: RecordQuerySet, name: str, value: str) -> RecordQuerySet:
        return self._with_result(records, Q(success=True, anomaly__isnull=value == "0"))

    def where_result(
        self, records: RecordQuerySet, name: str, value: list[Condition]
    ) -> RecordQuerySet:
        return self._with_result(records, all_of(value, "processed_data"))

    def _with_result(self, records: RecordQuerySet, asked: Q) -> RecordQuerySet:
        self._of_result &= asked
        return records

    def in_order(self, records: RecordQuerySet, name: str, value: str) -> RecordQuerySet:
        return records

    def in_columns(self, records: RecordQuerySet, name: str, value: list[str]) -> RecordQuerySet:
        return records

    def _narrow(self, texts: set[str]) -> None:
        """All that is found has one of these texts."""
        found = text_index.candidates(texts)
        if found is not None:
            self._few = found if self._few is None else self._few & found
