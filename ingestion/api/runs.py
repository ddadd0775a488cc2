"""The API of ingestion runs: state, ledger and progress."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from records.api.run_serializers import (
    LedgerSerializer,
    ProgressSerializer,
    SentencesField,
    run_url,
)
from records.api.runs import run_answer
from records.lookups import by_id
from records.models import IngestionRun, RunState
from web.api.base import StrictQuery, api_url, or_not_found
from web.api.pagination import KeyPagination
from web.api.serializers import ErrorSerializer, SourceQuery
from web.keyset import Page, page_of


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


def url_of(request: Request, run: IngestionRun) -> str:
    """The URL of a run, in the version that was asked."""
    return run_url(request, run) if request.version else api_url(request, "api-run", run.pk)


def started(request: Request, run: IngestionRun) -> Response:
    """The answer for a run that was started: where to follow it, in the version that was asked."""
    if request.version:
        return run_answer(run, request)
    return Response(
        dict(RunSerializer(run).data),
        status=status.HTTP_202_ACCEPTED,
        headers={"Location": url_of(request, run)},
    )
