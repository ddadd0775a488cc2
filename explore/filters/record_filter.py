"""The filter of records."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any

import django_filters
from django import forms
from django.core.validators import RegexValidator
from django.db import connection
from django.db.models import F, Q, TextField
from django.db.models.functions import Cast

from explore.filters.conditions import Condition, all_of, texts_of
from explore.filters.fields import EndField, ManyFilter, SingleFilter, StartField
from explore.filters.operators import WEEKDAYS, documented
from explore.filters.orders import ORDERS
from explore.filters.sql import (
    Bytewise,
    Cells,
    Contains,
    NamesRule,
    Wordwise,
    as_stored,
    in_json,
    spellings,
)
from records.models import DataRecord, IngestionRun
from records.models.querysets import key_range
from web.converters import GREATEST_ID
from web.names import SOURCE_NAME

LONGEST_TEXT = 1_000
# What says how records are shown, and not which.
SHOWING = ("sort", "column", "result_column")
RULE_NAME = RegexValidator(r"\A\w[\w.-]*\Z", "A rule name may contain only letters, digits and _.")


@dataclass(frozen=True, slots=True)
class Asked:
    """The conditions of a filter on a record and on its current result.

    The id or the cells of every matching record contain one text of each set in ``texts``.
    """

    of_record: Q = field(default_factory=Q)
    of_result: Q = field(default_factory=Q)
    texts: Sequence[set[str]] = ()


class RecordFilter(django_filters.FilterSet):  # type: ignore[misc]
    """The parameters of record filters: their names, values, documentation and conditions.

    All may be combined; a blank value filters nothing. A record matches a filter if it matches one
    of its values, but it matches all conditions on cells, except that several `eq` on one column
    are alternatives. A source that does not exist matches no record and is not an error.

    RecordQuery parses parameters with this class. The method of a filter makes its conditions.
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
    weekday = ManyFilter(
        method="on_weekday",
        label="Weekday",
        help_text="Weekdays of the timestamp, from 1 for Monday to 7 for Sunday.",
        each=forms.ChoiceField(
            choices=[(str(number), name) for number, name in enumerate(WEEKDAYS, 1)],
            error_messages={"invalid_choice": "“weekday” must be 1 to 7, not “%(value)s”."},
        ),
        schema={"type": "string", "enum": list("1234567")},
    )
    dated = django_filters.ChoiceFilter(
        method="with_timestamp",
        label="Has a timestamp?",
        help_text="1: records with a timestamp; 0: records without one.",
        choices=[("1", "Yes"), ("0", "No")],
        error_messages={"invalid_choice": "“dated” must be 0 or 1, not “%(value)s”."},
    )
    closed = django_filters.ChoiceFilter(
        method="with_closed",
        label="Closed records",
        help_text="1: only closed records, which are missing from the newest file of a snapshot "
        "source; all: these as well. Default: no closed records.",
        choices=[("0", "Not listed"), ("1", "Only closed"), ("all", "Listed as well")],
        error_messages={"invalid_choice": "“closed” must be 0, 1 or all, not “%(value)s”."},
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
            f"parameter for more conditions. Operators: {documented()}. Records match all "
            "conditions, and any one of several `eq` on the same column. Put a backslash before a "
            "colon or backslash in a column name."
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

    @classmethod
    def asked(cls, name: str, value: Any) -> Asked:
        """The conditions of a valid value of a filter."""
        asked: Asked = getattr(cls, cls.base_filters[name].method)(value)
        return asked

    @staticmethod
    def in_source(value: list[str]) -> Asked:
        return Asked(reduce(or_, map(key_range, value)))

    @staticmethod
    def with_status(value: list[str]) -> Asked:
        return Asked(Q(status__in=value))

    @staticmethod
    def with_text(value: str) -> Asked:
        """The text in the id or in a cell, not case-sensitive."""
        is_json = connection.vendor == "postgresql"
        # Letters of ASCII have their cases in any collation, and in this one they are quickest.
        cells = Bytewise(Cells(F("data"))) if value.isascii() else Cells(F("data"))
        matches = Q()
        for spelling in spellings(value):
            in_cells = Q(Contains(cells, in_json(spelling) if is_json else spelling))
            if not is_json and json.dumps(spelling) == f'"{spelling}"':
                # However the JSON is spelled, it holds this text as it is: looking for it there
                # first spares most records from being taken apart, which is slow on SQLite.
                in_cells = Q(Contains(Cast(F("data"), TextField()), spelling)) & in_cells
            matches |= Q(Contains(Wordwise(F("id")), spelling)) | in_cells
        return Asked(matches, texts=[as_stored(spellings(value))])

    @staticmethod
    def from_run(value: list[int]) -> Asked:
        """A run that created or last changed the record; its source bounds the range of ids."""
        runs = IngestionRun.objects.filter(pk__in=value).values_list("pk", "source__name")
        found = [key_range(source) & Q(run_id=run) for run, source in runs]
        return Asked(reduce(or_, found) if found else Q(pk__in=[]))

    @staticmethod
    def from_time(value: Any) -> Asked:
        return Asked(Q(timestamp__gte=value))

    @staticmethod
    def to_time(value: Any) -> Asked:
        return Asked(Q(timestamp__lt=value))

    @staticmethod
    def on_weekday(value: list[str]) -> Asked:
        return Asked(Q(timestamp__iso_week_day__in=list(map(int, value))))

    @staticmethod
    def with_timestamp(value: str) -> Asked:
        return Asked(Q(timestamp__isnull=value == "0"))

    @staticmethod
    def with_closed(value: str) -> Asked:
        return Asked(Q(closed_by__isnull=False) if value == "1" else Q())

    @staticmethod
    def where_cell(value: list[Condition]) -> Asked:
        return Asked(all_of(value, "data"), texts=texts_of(value))

    @staticmethod
    def in_category(value: list[str]) -> Asked:
        return Asked(of_result=Q(category__in=value))

    @staticmethod
    def from_value(value: float) -> Asked:
        return Asked(of_result=Q(value__gte=value))

    @staticmethod
    def to_value(value: float) -> Asked:
        return Asked(of_result=Q(value__lte=value))

    @staticmethod
    def with_repaired_value(value: str) -> Asked:
        return Asked(of_result=Q(repaired=value == "1"))

    @staticmethod
    def for_reason(value: list[str]) -> Asked:
        return Asked(of_result=Q(success=False, error_message__in=value))

    @staticmethod
    def by_rule(value: list[str]) -> Asked:
        named = [Q(NamesRule(notes, rule)) for rule in value for notes in ("errors", "repairs")]
        return Asked(of_result=reduce(or_, named))

    @staticmethod
    def for_anomaly(value: str) -> Asked:
        return Asked(of_result=Q(success=True, anomaly__isnull=value == "0"))

    @staticmethod
    def where_result(value: list[Condition]) -> Asked:
        return Asked(of_result=all_of(value, "processed_data"))

    @staticmethod
    def in_order(value: str) -> Asked:
        return Asked()

    @staticmethod
    def in_columns(value: list[str]) -> Asked:
        return Asked()
