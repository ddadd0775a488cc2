"""Which records to show: the one definition of filters for pages, API and exports."""

import json

import django_filters
from django import forms
from django.db import connections
from django.db.models import F, Func, Q, TextField
from django.db.models.functions import Cast

from records.models import DataRecord, Source
from records.models.sources import SOURCE_NAME
from records.querysets import RecordQuerySet

GREATEST_ID = 2**63 - 1


class CellText(Func):
    """The cells of a JSON object as one text, without the names of their columns.

    PostgreSQL gives it as JSON, because reading each cell on its own takes six times as long.
    """

    output_field = TextField()

    def as_postgresql(self, compiler, connection, **context):  # type: ignore[no-untyped-def]
        template = "jsonb_path_query_array(%(expressions)s, '$.*')::text"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_sqlite(self, compiler, connection, **context):  # type: ignore[no-untyped-def]
        template = "(SELECT group_concat(value, char(10)) FROM json_each(%(expressions)s))"
        return self.as_sql(compiler, connection, template=template, **context)


def spellings(text: str) -> set[str]:
    """The text in the cases that a database may not know for one another.

    SQLite, and PostgreSQL in locale C, compare without regard to case in ASCII only.
    """
    return {text} if text.isascii() else {text, text.lower(), text.upper(), text.title()}


class IntegerFilter(django_filters.Filter):  # type: ignore[misc]
    field_class = forms.IntegerField


class RecordFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Filters of records; all may be combined, and an empty value filters nothing.

    Ask ``is_valid()`` first and show ``errors``: invalid values match no record. A source is a
    filter, not an address: a name that no source has matches no record either, but is no error.
    """

    source = django_filters.CharFilter(
        method="in_source",
        label="Source",
        help_text="The name of a source.",
        max_length=100,
        validators=[SOURCE_NAME],
    )
    status = django_filters.ChoiceFilter(
        label="Status",
        help_text="How far the processing of a record is.",
        choices=DataRecord.Status.choices,
        empty_label="Any status",
        error_messages={
            "invalid_choice": "There is no status “%(value)s”. Choose one of "
            + ", ".join(DataRecord.Status.values)
            + "."
        },
    )
    q = django_filters.CharFilter(
        method="with_text",
        label="Text",
        help_text="A text in the id or in a cell, in upper or lower case.",
        max_length=200,
    )
    run = IntegerFilter(
        method="from_run",
        label="Ingestion run",
        help_text="The number of the ingestion run that brought a record in, or changed it last.",
        min_value=1,
        max_value=GREATEST_ID,
    )

    class Meta:
        model = DataRecord
        fields = ()

    def filter_queryset(self, queryset: RecordQuerySet) -> RecordQuerySet:
        if not self.form.is_valid():
            return queryset.none()
        matching: RecordQuerySet = super().filter_queryset(queryset)
        return matching

    def in_source(self, records: RecordQuerySet, name: str, value: str) -> RecordQuerySet:
        return records.of_source(value)

    def with_text(self, records: RecordQuerySet, name: str, value: str) -> RecordQuerySet:
        """Records with the text in their id or in a cell, whatever its case."""
        is_json = connections[records.db].vendor == "postgresql"
        matches = Q()
        for spelling in spellings(value):
            in_cells = Q(cell_text__icontains=spelling)
            if is_json:
                in_cells = Q(cell_text__icontains=json.dumps(spelling, ensure_ascii=False)[1:-1])
            elif json.dumps(spelling) == f'"{spelling}"':
                # However the JSON is spelled, it holds this text as it is: looking for it there
                # first spares most records from being taken apart, which is slow on SQLite.
                in_cells = Q(json_text__icontains=spelling) & in_cells
            matches |= Q(id__icontains=spelling) | in_cells
        matching: RecordQuerySet = records.alias(
            json_text=Cast(F("data"), TextField()), cell_text=CellText(F("data"))
        ).filter(matches)
        return matching

    def from_run(self, records: RecordQuerySet, name: str, value: int) -> RecordQuerySet:
        """Records that a run brought in or changed last; its source bounds where to look."""
        source = Source.objects.filter(ingestion_runs=value).values_list("name", flat=True).first()
        if source is None:
            return records.none()
        return records.of_source(source).filter(run_id=value)
