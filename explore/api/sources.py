"""The REST API of sources: their counts and their settings."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rights import MayRead
from explore.api.serializers import StatusCounts
from explore.metrics import record_counts
from explore.metrics.record_counts import Totals
from ingestion.loading.failing import Failing, failing
from ingestion.parsing.dialect import CHECKS, Format
from ingestion.source_settings import InvalidSettings, change_settings, settings_of
from records import store
from records.api.run_serializers import SentencesField
from records.errors import SourceHasRecords
from records.models import OnConflict, Source
from records.number_decision import FORMATS
from records.permissions import Action, needing
from web.api.base import Conflict, StrictQuery, api_url, or_not_found
from web.api.pagination import KeyPagination
from web.api.requests import JSONParser
from web.api.serializers import ErrorSerializer, StrictBody
from web.keyset import Page, merged_page

NAME = OpenApiParameter("name", str, OpenApiParameter.PATH, description="Name of the source.")
ERRORS = {401: ErrorSerializer, 403: ErrorSerializer, 404: ErrorSerializer}
READING = {
    "encoding": "Encoding, such as `utf-8`. Empty: detected.",
    "delimiter": "Delimiter: one character, or `tab`. Empty: detected.",
    "quote": "Quote character: one character, or `none`. Empty: detected.",
    "escape": "Escape character: one character, or `none`. Empty: detected.",
    "header": "Header line: a line number, a range such as `2-3`, or `none`. Empty: detected.",
    "skip": "Lines before the table. Empty: detected.",
    "sheet": "Sheet of a workbook, or `*` for all with the same columns. Empty: the first.",
    "rows_path": "Path to the rows of JSON, such as `data.items`. Empty: detected.",
}


class ColumnsField(serializers.ListField):
    """Names of columns."""

    def __init__(self, **options: Any) -> None:
        child = serializers.CharField(max_length=2_000, trim_whitespace=False)
        super().__init__(child=child, required=False, max_length=1_000, **options)


class SettingField(serializers.CharField):
    """A setting as text; empty if it is not set."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, allow_blank=True, max_length=1_000, **options)


class SettingsSerializer(StrictBody):
    """Settings of a source. They apply from the next import on."""

    id = ColumnsField(help_text="ID columns: together they identify a record.")
    timestamp = ColumnsField(help_text="Timestamp columns: a date, or a date and a time.")
    value = ColumnsField(help_text="Value column: at most one.")
    category = ColumnsField(help_text="Category column: at most one.")
    timestamp_format = SettingField(
        help_text="Date format: `iso`, `unix` or a pattern such as `%d.%m.%Y`. Empty: detected."
    )
    timestamp_zone = SettingField(
        help_text="Time zone of times without an offset. Empty: that of the installation."
    )
    timestamp_zone_column = SettingField(
        help_text="Column with the time zone of each row. Empty: none."
    )
    number_format = SettingField(
        help_text="Number format of the value column: one of "
        f"{', '.join(FORMATS)}. Empty: detected."
    )
    on_conflict = serializers.ChoiceField(
        choices=OnConflict.choices,
        required=False,
        help_text="What happens when an existing record changes.",
    )
    is_snapshot = serializers.BooleanField(
        required=False,
        help_text="Whether each input holds all records, so that missing ones are closed.",
    )
    format = SettingField(
        help_text=f"Format: one of {', '.join(map(str, Format))}. Empty: detected."
    )

    def get_fields(self) -> dict[str, Any]:
        reading = {name: SettingField(help_text=READING[name], trim_whitespace=False)
                   for name in CHECKS if name != "format"}  # fmt: skip
        return super().get_fields() | reading


@dataclass(frozen=True, slots=True)
class Shown:
    """A source with its figures."""

    source: Any
    totals: Totals
    failing: Failing | None


class FailingSerializer(serializers.Serializer[Failing]):
    """That the last imports of a source failed."""

    times = serializers.IntegerField(help_text="How many imports failed in a row.")
    since = serializers.DateTimeField(help_text="When the first of them failed.")
    run = serializers.IntegerField(help_text="The last ingestion run that failed.")
    error = serializers.CharField(help_text="Why it failed.")


class SourceSerializer(serializers.Serializer[Shown]):
    """A source: a named set of records."""

    name = serializers.CharField(source="source.name", help_text="Name of the source.")
    url = serializers.SerializerMethodField(help_text="URL of the source in the API.")
    total_records = serializers.IntegerField(source="totals.total", help_text="Number of records.")
    by_status = StatusCounts(source="totals", help_text="Number of records per status.")
    columns = SentencesField(source="source.columns", help_text="Columns of the last input.")
    rules_version = serializers.IntegerField(
        source="source.rule_version",
        allow_null=True,
        help_text="The version of its rules; null before records are processed for the first time.",
    )
    has_feed = serializers.BooleanField(
        source="source.has_feed", help_text="Whether it has an automatic import."
    )
    failing = FailingSerializer(
        allow_null=True, help_text="That its last imports failed; null if they did not."
    )
    settings = SettingsSerializer(
        source="source.settings", help_text="Column mapping, formats and parsing options."
    )
    created_at = serializers.DateTimeField(
        source="source.created_at", help_text="When the source was created."
    )
    page = serializers.CharField(source="source.get_absolute_url", help_text="Page of the source.")

    def get_url(self, shown: Shown) -> str:
        return api_url(self.context["request"], "api-source", shown.source.name)

    def to_representation(self, instance: Shown) -> Any:
        instance.source.settings = settings_of(instance.source)
        instance.source.has_feed = hasattr(instance.source, "feed")
        return super().to_representation(instance)


class SourcePagination(KeyPagination):
    """Sources by name."""

    name = "sources"

    def page_of(self, queryset: Any, view: Any, *, cursor: str | None, limit: int) -> Page[Any]:
        def fetch(after: str, is_greater: bool, most: int) -> Iterable[Any]:
            found = queryset.order_by("name" if is_greater else "-name")
            if after:
                found = found.filter(**{"name__gt" if is_greater else "name__lt": after})
            return list(found[:most])

        return merged_page(fetch, key=lambda source: source.name, cursor=cursor, limit=limit)


class SourceListView(StrictQuery, generics.ListAPIView[Source]):
    """All sources by name, with their number of records. Follow `next` for more."""

    queryset = Source.objects.none()
    serializer_class = SourceSerializer  # type: ignore[assignment]
    pagination_class = SourcePagination
    query_parameters = frozenset({"limit", "cursor"})

    @extend_schema(
        operation_id="sources_list",
        summary="List sources",
        responses={200: SourceSerializer(many=True), 400: ErrorSerializer, 401: ErrorSerializer},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> Any:
        return Source.objects.with_rule_version().select_related("feed")

    def paginate_queryset(self, queryset: Any) -> Any:
        return _shown(super().paginate_queryset(queryset) or [])

    def get_view_name(self) -> str:
        return "Sources"


class SourceView(StrictQuery):
    """A source."""

    parser_classes = (JSONParser,)
    permission_classes = (
        MayRead,
        needing(PATCH=Action.CHANGE_SOURCE, DELETE=Action.DELETE_SOURCE),
    )

    @extend_schema(
        operation_id="sources_retrieve",
        summary="Get a source",
        parameters=[NAME],
        responses={200: SourceSerializer, **ERRORS},
    )
    def get(self, request: Request, name: str) -> Response:
        """Its settings, its number of records, and whether its imports fail."""
        (shown,) = _shown([self._source(name)])
        return Response(SourceSerializer(shown, context={"request": request}).data)

    @extend_schema(
        operation_id="sources_change",
        summary="Change the settings of a source",
        parameters=[NAME],
        request=SettingsSerializer,
        responses={200: SourceSerializer, 400: ErrorSerializer, **ERRORS},
    )
    def patch(self, request: Request, name: str) -> Response:
        """Change those settings that are given, from the next import on; records stay."""
        source = self._source(name)
        wanted = SettingsSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        try:
            change_settings(source=source, chosen=wanted.validated_data)
        except InvalidSettings as error:
            raise ValidationError({name: [said] for name, said in error.errors.items()}) from error
        return self.get(request, name)

    @extend_schema(
        operation_id="sources_delete",
        summary="Delete a source",
        parameters=[NAME],
        responses={204: None, **ERRORS, 409: ErrorSerializer},
    )
    def delete(self, request: Request, name: str) -> Response:
        """Delete a source without records, with its runs, rejected rows and rules."""
        try:
            store.delete_source(source=self._source(name))
        except SourceHasRecords as error:
            raise Conflict(str(error)) from error
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _source(self, name: str) -> Source:
        found: Source | None = Source.objects.with_rule_version().select_related("feed").named(name)
        return or_not_found(found, "Source")

    def get_view_name(self) -> str:
        return "Source"


def _shown(sources: list[Source]) -> list[Any]:
    """Sources with their figures: few queries for all of them, or for the one."""
    only = sources[0].name if len(sources) == 1 else None
    totals = {only: record_counts.totals(only)} if only else record_counts.by_source()
    failed = failing(only)
    return [
        Shown(source, totals.get(source.name, Totals()), failed.get(source.name))
        for source in sources
    ]
