"""The API of what an ingestion run has created and updated."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from explore.api.serializers import CellsField
from explore.run_changes import Kind, RecordChange, page_of_changes
from records.lookups import by_id
from records.models import DataRecord, IngestionRun
from web.api.base import StrictQuery, or_not_found
from web.api.pagination import KeyPagination
from web.api.serializers import ErrorSerializer
from web.keyset import Page


class ContentSerializer(serializers.Serializer[Any]):
    """What a record held: its cells, its timestamp, and the line of the input they are from."""

    line = serializers.IntegerField(
        allow_null=True, help_text="Line of the input; null if it is not known."
    )
    timestamp = serializers.DateTimeField(
        allow_null=True, help_text="Timestamp of the record; null if it has none."
    )
    data = CellsField(help_text="The cells by column.")  # type: ignore[assignment]


class ChangeSerializer(serializers.Serializer[RecordChange]):
    """What a row of a run has made of a record."""

    id = serializers.CharField(source="record_id", help_text="ID of the record.")
    columns = serializers.SerializerMethodField(
        help_text="The columns whose cells differ; empty for a created record, and if only the "
        "timestamp has changed."
    )
    before = ContentSerializer(
        allow_null=True,
        help_text="Null for a created record. The same as `after` for a closed or reopened one.",
    )
    after = ContentSerializer(help_text="What the record held then.")

    def get_columns(self, change: RecordChange) -> list[str]:
        return [cell.column for cell in change.cells]


class ChangePagination(KeyPagination):
    """Changes of a run by ID of the record, but updates in the order in which they were made."""

    name = "changes"

    def page_of(self, queryset: Any, view: Any, *, cursor: str | None, limit: int) -> Page[Any]:
        return page_of_changes(view.run, view.kind, cursor=cursor, limit=limit)


class ChangesQuery(serializers.Serializer[Any]):
    """Which changes are listed."""

    kind = serializers.ChoiceField(
        choices=[str(kind) for kind in Kind],
        default=str(Kind.UPDATED),
        help_text="List the records that the run created, updated, closed or reopened.",
    )


class RunChangesView(StrictQuery, generics.ListAPIView[Any]):
    """Records that an ingestion run changed, before and after. Follow `next` for more.

    A record that a run updated several times is listed several times. Records that have been
    deleted since are not listed.
    """

    queryset = DataRecord.objects.none()
    serializer_class = ChangeSerializer
    pagination_class = ChangePagination
    query_parameters = frozenset({"kind", "limit", "cursor"})

    @extend_schema(
        operation_id="runs_changes_list",
        summary="List the changes of an ingestion run",
        parameters=[
            OpenApiParameter("id", int, OpenApiParameter.PATH, description="Number of the run."),
            ChangesQuery,
        ],
        responses={
            200: ChangeSerializer(many=True),
            400: ErrorSerializer,
            401: ErrorSerializer,
            404: ErrorSerializer,
            503: ErrorSerializer,
        },
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        query = ChangesQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        self.kind = Kind(query.validated_data["kind"])
        runs = IngestionRun.objects.with_source()
        self.run = or_not_found(by_id(runs, self.kwargs["pk"]), "Run")
        return super().get(request, *args, **kwargs)

    def get_view_name(self) -> str:
        return "Changes"
