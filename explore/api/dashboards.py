"""The REST API of dashboards that people have made of saved questions."""

from typing import Any, cast

from django.contrib.auth.models import User
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from explore.api.saved_questions import LONGEST, SHARED, refused
from explore.saved.dashboards import (
    LONGEST_TEXT,
    MOST_TILES,
    WIDTHS,
    change_dashboard,
    create_dashboard,
)
from explore.saved.sharing import CannotSave, audience_of
from records.lookups import by_id
from records.models import Audience, Dashboard
from web.api.base import StrictQuery, api_url, or_not_found
from web.api.pagination import KeyPagination
from web.api.requests import JSONParser
from web.api.serializers import ErrorSerializer, StrictBody
from web.converters import GREATEST_ID

NUMBER = OpenApiParameter("id", int, OpenApiParameter.PATH, description="Number of the dashboard.")
FILTER = "Filter of all its questions as the query of a URL, such as `time_from=2026-03-01`."


class TileSerializer(StrictBody):
    """A tile: either a question or a text."""

    question = serializers.IntegerField(
        required=False, min_value=1, max_value=GREATEST_ID, help_text="Number of a saved question."
    )
    text = serializers.CharField(
        required=False, max_length=LONGEST_TEXT, help_text="Plain text; a line is a paragraph."
    )
    width = serializers.IntegerField(
        required=False, min_value=min(WIDTHS), max_value=max(WIDTHS),
        help_text="Columns of the grid that it takes. Default: 1 for a question, 3 for a text.",
    )  # fmt: skip


class DashboardChange(StrictBody):
    """What is to be changed of a dashboard."""

    name = serializers.CharField(required=False, max_length=100, help_text="Name of the dashboard.")
    query = serializers.CharField(
        required=False, allow_blank=True, max_length=LONGEST, help_text=FILTER
    )
    audience = serializers.CharField(required=False, max_length=30, help_text=SHARED)
    tiles = TileSerializer(
        many=True, required=False, help_text=f"Its tiles, in their order; at most {MOST_TILES}."
    )


class DashboardRequest(DashboardChange):
    """A dashboard to make."""

    name = serializers.CharField(max_length=100, help_text="Name of the dashboard.")


class DashboardSerializer(serializers.ModelSerializer[Dashboard]):
    """A dashboard of saved questions."""

    owner = serializers.CharField(source="owner.username", help_text="Name of its owner.")
    audience = serializers.SerializerMethodField(help_text=SHARED)
    tiles = TileSerializer(many=True, help_text="Its tiles, in their order.")
    page = serializers.CharField(source="get_absolute_url", help_text="Page of the dashboard.")

    class Meta:
        model = Dashboard
        fields = (
            "id", "name", "query", "owner", "audience", "tiles", "created_at", "changed_at", "page",
        )  # fmt: skip
        read_only_fields = fields
        extra_kwargs = {
            "id": {"help_text": "Number of the dashboard."},
            "name": {"help_text": "Name of the dashboard."},
            "query": {"help_text": FILTER},
            "created_at": {"help_text": "When it was created."},
            "changed_at": {"help_text": "When it was changed last."},
        }

    def get_audience(self, dashboard: Dashboard) -> str:
        return audience_of(dashboard)


class DashboardPagination(KeyPagination):
    """Dashboards in the order in which they were made."""

    name = "dashboards"


class DashboardListView(StrictQuery, generics.ListAPIView[Dashboard]):
    """Your dashboards, and those that others share with you."""

    parser_classes = (JSONParser,)
    queryset = Dashboard.objects.none()
    serializer_class = DashboardSerializer
    pagination_class = DashboardPagination
    query_parameters = frozenset({"limit", "cursor"})

    @extend_schema(
        operation_id="dashboards_list",
        summary="List dashboards",
        responses={
            200: DashboardSerializer(many=True),
            400: ErrorSerializer,
            401: ErrorSerializer,
        },
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="dashboards_create",
        summary="Create a dashboard",
        request=DashboardRequest,
        responses={
            201: DashboardSerializer,
            400: ErrorSerializer,
            401: ErrorSerializer,
            409: ErrorSerializer,
        },
    )
    def post(self, request: Request) -> Response:
        """Make a dashboard of saved questions that you see, and of texts."""
        wanted = DashboardRequest(data=request.data)
        wanted.is_valid(raise_exception=True)
        said = wanted.validated_data
        try:
            made = create_dashboard(
                user=cast(User, request.user),
                name=said["name"],
                audience=said.get("audience", Audience.PRIVATE),
                tiles=said.get("tiles", ()),
                query=said.get("query", ""),
            )
        except CannotSave as error:
            raise refused(error) from error
        shown = DashboardSerializer(made, context={"request": request}).data
        headers = {"Location": api_url(request, "api-dashboard", made.pk)}
        return Response(shown, status=status.HTTP_201_CREATED, headers=headers)

    def get_queryset(self) -> Any:
        return Dashboard.objects.shared_with(self.request.user).with_people()

    def get_view_name(self) -> str:
        return "Dashboards"


class DashboardView(StrictQuery):
    """A dashboard of saved questions."""

    parser_classes = (JSONParser,)

    @extend_schema(
        operation_id="dashboards_retrieve",
        summary="Get a dashboard",
        parameters=[NUMBER],
        responses={200: DashboardSerializer, 401: ErrorSerializer, 404: ErrorSerializer},
    )
    def get(self, request: Request, pk: int) -> Response:
        rows = Dashboard.objects.shared_with(request.user).with_people()
        found = or_not_found(by_id(rows, pk), "Dashboard")
        return Response(DashboardSerializer(found, context={"request": request}).data)

    @extend_schema(
        operation_id="dashboards_update",
        summary="Change a dashboard",
        parameters=[NUMBER],
        request=DashboardChange,
        responses={
            200: DashboardSerializer,
            400: ErrorSerializer,
            401: ErrorSerializer,
            404: ErrorSerializer,
        },
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Rename a dashboard of yours, share it, or replace its filter or all of its tiles."""
        dashboard = _own(request, pk)
        wanted = DashboardChange(data=request.data)
        wanted.is_valid(raise_exception=True)
        try:
            change_dashboard(dashboard, **wanted.validated_data)
        except CannotSave as error:
            raise refused(error) from error
        return Response(DashboardSerializer(dashboard, context={"request": request}).data)

    @extend_schema(
        operation_id="dashboards_delete",
        summary="Delete a dashboard",
        parameters=[NUMBER],
        responses={204: None, 401: ErrorSerializer, 404: ErrorSerializer},
    )
    def delete(self, request: Request, pk: int) -> Response:
        """Delete a dashboard of yours; its questions stay."""
        _own(request, pk).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)

    def get_view_name(self) -> str:
        return "Dashboard"


def _own(request: Request, pk: int) -> Dashboard:
    rows = Dashboard.objects.owned_by(request.user).with_people()
    return cast(Dashboard, or_not_found(by_id(rows, pk), "Dashboard of yours"))
