"""The API of ingestion runs: state, ledger and progress."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from records.lookups import by_id
from records.models import IngestionRun, RunState
from web.api.base import StrictQuery, or_not_found
from web.api.pagination import KeyPagination
from web.api.serializers import ErrorSerializer, SourceQuery
from web.keyset import Page, page_of


class LedgerSerializer(serializers.Serializer[IngestionRun]):
    """The five counts of a run. Always read = created + updated + unchanged + rejected."""

    read = serializers.IntegerField()
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    rejected = serializers.IntegerField()


class ProgressSerializer(serializers.Serializer[IngestionRun]):
    """Progress of a run."""

    bytes_read = serializers.IntegerField()
    activity = serializers.CharField(
        source="doing",
        help_text="Current activity as text, such as the page of an API that is being fetched, "
        "or why it failed and when it is retried. Empty once the run has ended.",
    )
    bytes_total = serializers.IntegerField(
        source="known_size", allow_null=True, help_text="Null while unknown."
    )
    share = serializers.FloatField(source="share_read", help_text="0 to 1")
    rows_per_second = serializers.FloatField(source="rate", allow_null=True)
    seconds_left = serializers.FloatField(
        allow_null=True, help_text="Null if the run is not running or the time is not known yet."
    )


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class SentencesField(serializers.JSONField):
    """Names or notes."""


class RunSerializer(serializers.ModelSerializer[IngestionRun]):
    """An ingestion run: one load of one input into one source."""

    source = serializers.CharField(source="source.name")  # type: ignore[assignment]
    user = serializers.CharField(source="user.username", default=None, allow_null=True)
    ledger = LedgerSerializer(source="*")
    closed = serializers.IntegerField(
        help_text="Records closed, as they are missing from a snapshot. Not part of the ledger."
    )
    reopened = serializers.IntegerField(
        help_text="Closed records that the input has again. Not part of the ledger."
    )
    progress = ProgressSerializer(source="*")
    columns = SentencesField()
    notes = SentencesField()
    how = serializers.CharField(source="trigger", help_text="What started the run.")
    page = serializers.CharField(source="get_absolute_url", help_text="Page of the run.")

    class Meta:
        model = IngestionRun
        fields = (
            "id",
            "source",
            "state",
            "ledger",
            "closed",
            "reopened",
            "progress",
            "error",
            "waits_for",
            "retry_at",
            "notes",
            "file_name",
            "sha256",
            "encoding",
            "columns",
            "mapping",
            "how",
            "user",
            "parent",
            "created_at",
            "started_at",
            "finished_at",
            "page",
        )
        read_only_fields = fields


class RunPagination(KeyPagination):
    """Runs, the newest first."""

    name = "runs"

    def page_of(self, queryset: Any, view: Any, *, cursor: str | None, limit: int) -> Page[Any]:
        return page_of(queryset, cursor=cursor, limit=limit, descending=True)


class RunQuery(SourceQuery):
    """Filters for a list of runs."""

    state = serializers.ChoiceField(choices=RunState.choices, required=False, allow_blank=True)


class RunListView(StrictQuery, generics.ListAPIView[IngestionRun]):
    """Ingestion runs, newest first. Follow `next` for more."""

    queryset = IngestionRun.objects.with_source()
    serializer_class = RunSerializer
    pagination_class = RunPagination
    query_parameters = frozenset({"source", "state", "limit", "cursor"})

    @extend_schema(
        operation_id="runs_list",
        summary="List ingestion runs",
        parameters=[RunQuery],
        responses={200: RunSerializer(many=True), 400: ErrorSerializer, 401: ErrorSerializer},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def filter_queryset(self, queryset: Any) -> Any:
        query = RunQuery(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        if source := query.validated_data.get("source"):
            queryset = queryset.filter(source__name=source)
        if state := query.validated_data.get("state"):
            queryset = queryset.filter(state=state)
        return queryset

    def get_view_name(self) -> str:
        return "Runs"


class RunDetailView(StrictQuery, generics.RetrieveAPIView[IngestionRun]):
    """One ingestion run: state, ledger, progress, and the error if it failed."""

    queryset = IngestionRun.objects.with_source()
    serializer_class = RunSerializer

    @extend_schema(
        operation_id="runs_retrieve",
        summary="Get an ingestion run",
        parameters=[
            OpenApiParameter("id", int, OpenApiParameter.PATH, description="Number of the run.")
        ],
        responses={200: RunSerializer, 401: ErrorSerializer, 404: ErrorSerializer},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def get_object(self) -> IngestionRun:
        return or_not_found(by_id(self.get_queryset(), self.kwargs["pk"]), "Run")

    def get_view_name(self) -> str:
        return "Run"
