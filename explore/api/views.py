"""The read side of the REST API: health, records and statistics."""

from typing import Any, ClassVar

from django.conf import settings
from django.utils import timezone
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiParameter, extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework import generics, permissions, renderers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.rights import MayRead
from explore.api.filters import valid_query
from explore.api.pagination import RecordPagination
from explore.api.record_tags import record_answer
from explore.api.serializers import (
    HealthSerializer,
    ListedRecordSerializer,
    RecordDetailSerializer,
    RecordSerializer,
    StatsSerializer,
    StatusCounts,
    TotalsSerializer,
)
from explore.explorer.table import made_of
from explore.export.cells import in_columns
from explore.filters.record_filter import RecordFilter
from explore.health import check_health
from explore.metrics import record_counts
from ingestion.api import items
from ingestion.api.fields import ItemsQuery
from records.models import DataRecord
from records.permissions import Action, to_post
from web.api.base import StrictQuery, api_url, or_not_found
from web.api.negotiation import AlwaysJSON
from web.api.serializers import ErrorSerializer, SourceQuery

RECORD_ID = OpenApiParameter(
    "record_id",
    str,
    OpenApiParameter.PATH,
    description="`<source>:<key>`, percent-encoded; the key may contain any character.",
)


class RootView(StrictQuery):
    """The REST API of DataFlow Analytics."""

    # The names of the URLs that are listed, by what they are called in the list.
    listed: ClassVar[dict[str, str]] = {
        "health": "api-health",
        "records": "api-records",
        "facets": "api-facets",
        "stats": "api-stats",
        "export": "api-export",
        "ingest": "api-ingest",
        "runs": "api-runs",
        "process": "api-process",
    }

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        links = {key: api_url(request, name) for key, name in self.listed.items()}
        return Response(
            links
            | {
                "documentation": api_url(request, "api-docs"),
                "schema": api_url(request, "api-schema"),
            }
        )

    def get_view_name(self) -> str:
        return "API"


class HealthView(APIView):
    """Health of the service. No authentication is needed.

    It uses neither sessions nor templates, so it also responds when the database does not.
    """

    authentication_classes = ()
    permission_classes = (permissions.AllowAny,)
    renderer_classes = (renderers.JSONRenderer,)
    content_negotiation_class = AlwaysJSON

    @extend_schema(
        operation_id="health",
        responses={200: HealthSerializer, 503: HealthSerializer},
        summary="Check the health of the service",
    )
    def get(self, request: Request) -> Response:
        health = check_health()
        details: dict[str, Any] = {"version": settings.VERSION, **health.parts}
        if health.failing:
            details["failing"] = health.failing
        if health.waits_for:
            details["runs_wait_for"] = health.waits_for
        return Response(
            {
                "service": "dataflow-api",
                "status": "unhealthy" if health.failing else "healthy",
                "timestamp": timezone.now(),
                "details": details,
            },
            status=status.HTTP_503_SERVICE_UNAVAILABLE if health.failing else status.HTTP_200_OK,
        )


class RecordListView(StrictQuery, generics.ListAPIView[DataRecord]):
    """Records: list those that match a filter, and create some."""

    queryset = DataRecord.objects.only("id", "timestamp", "source", "status", "data")
    serializer_class = RecordSerializer
    filter_backends = (DjangoFilterBackend,)
    filterset_class = RecordFilter
    pagination_class = RecordPagination
    query_parameters = frozenset({*RecordFilter.base_filters, "limit", "cursor"})
    repeatable = RecordFilter.repeatable()
    permission_classes = (MayRead, to_post(Action.IMPORT))
    parser_classes = items.PARSERS

    def known_parameters(self, method: str) -> frozenset[str]:
        return frozenset(ItemsQuery().fields) if method == "POST" else self.query_parameters

    @items.describe_create
    def post(self, request: Request) -> Response:
        return items.create_records(request)

    @extend_schema(
        operation_id="records_list",
        summary="List records",
        description="Records that match a filter, sorted by ID or timestamp. Follow `next` for "
        "more.",
        responses={
            200: ListedRecordSerializer(many=True),
            400: ErrorSerializer,
            401: ErrorSerializer,
            503: ErrorSerializer,
        },
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response = super().get(request, *args, **kwargs)
        if columns := self.query.columns:
            for record in response.data["records"]:
                record["data"] = in_columns(record["data"], columns)
        if self.query.closed != "0":
            found = [record["id"] for record in response.data["records"]]
            closers = dict(DataRecord.objects.with_ids(found).values_list("id", "closed_by_id"))
            for record in response.data["records"]:
                record["closed_by_run"] = closers.get(record["id"])
        if columns := self.query.result_columns:
            ids = [record["id"] for record in response.data["records"]]
            made = made_of(ids, closed=self.query.closed)
            for record in response.data["records"]:
                record["result"] = in_columns(made.get(record["id"], {}), columns)
        return response

    def filter_queryset(self, queryset: Any) -> Any:
        self.query = valid_query(self.request)
        return self.query.queryset(queryset)

    def get_view_name(self) -> str:
        return "Records"


class RecordDetailView(StrictQuery, generics.RetrieveAPIView[DataRecord]):
    """One record with its current result, and the run and line that it came from."""

    queryset = DataRecord.objects.all()
    serializer_class = RecordDetailSerializer

    @extend_schema(
        operation_id="records_retrieve",
        summary="Get a record",
        parameters=[RECORD_ID],
        responses={200: RecordDetailSerializer, 401: ErrorSerializer, 404: ErrorSerializer},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return record_answer(self.get_object())

    def get_object(self) -> DataRecord:
        found: DataRecord | None = DataRecord.objects.find(self.kwargs["record_id"])
        return or_not_found(found, "Record")

    def get_view_name(self) -> str:
        return "Record"


class StatsView(StrictQuery):
    """Number of records by status and by source, and the success rate."""

    query_parameters = frozenset({"source"})

    @extend_schema(
        operation_id="stats",
        summary="Get statistics",
        parameters=[SourceQuery],
        responses={200: StatsSerializer, 400: ErrorSerializer, 401: ErrorSerializer},
    )
    def get(self, request: Request) -> Response:
        query = SourceQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        source = query.validated_data.get("source")
        by_source = {source: record_counts.totals(source)} if source else record_counts.by_source()
        totals = record_counts.add_up(by_source.values())
        return Response(
            {
                **TotalsSerializer(totals).data,
                "by_status": StatusCounts(totals).data,
                "by_source": [
                    {"source": name, **TotalsSerializer(of_source).data}
                    for name, of_source in by_source.items()
                ],
            }
        )

    def get_view_name(self) -> str:
        return "Stats"


class SchemaView(StrictQuery, SpectacularAPIView):
    """The description of the API, in its newest version at any URL."""

    api_version = "v1"


class DocsView(StrictQuery, SpectacularSwaggerSplitView):
    """The description as a page; ``script`` asks for its JavaScript."""

    query_parameters = flags = frozenset({"script"})
