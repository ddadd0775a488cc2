"""The REST API of saved views: states of the explorer, each only for its user."""

from typing import Any, cast

from django.contrib.auth.models import User
from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from explore.saved_views import CannotSaveView, save_view
from records.lookups import by_id
from records.models import SavedView
from web.api.base import Conflict, StrictQuery, api_url, or_not_found
from web.api.pagination import KeyPagination
from web.api.requests import JSONParser
from web.api.serializers import ErrorSerializer, StrictBody

NUMBER = OpenApiParameter("id", int, OpenApiParameter.PATH, description="Number of the view.")
LONGEST = 100_000


class ViewRequest(StrictBody):
    """A view to save."""

    name = serializers.CharField(max_length=100, help_text="Name of the view.")
    query = serializers.CharField(
        allow_blank=True,
        max_length=LONGEST,
        help_text="Parameters of the explorer as the query of a URL, such as "
        "`source=sales&status=failed`.",
    )


class ViewSerializer(serializers.ModelSerializer[SavedView]):
    """A saved view."""

    records = serializers.SerializerMethodField(help_text="URL of its records in the API.")
    page = serializers.CharField(source="get_absolute_url", help_text="Page of the view.")

    class Meta:
        model = SavedView
        fields = ("id", "name", "query", "created_at", "records", "page")
        read_only_fields = fields
        extra_kwargs = {
            "id": {"help_text": "Number of the view."},
            "name": {"help_text": "Name of the view."},
            "query": {"help_text": "Parameters of the explorer as the query of a URL."},
            "created_at": {"help_text": "When it was saved first."},
        }

    def get_records(self, view: SavedView) -> str:
        return f"{api_url(self.context['request'], 'api-records')}?{view.query}"


class ViewPagination(KeyPagination):
    """Views in the order in which they were made."""

    name = "views"


class ViewListView(StrictQuery, generics.ListAPIView[SavedView]):
    """Your saved views."""

    parser_classes = (JSONParser,)
    queryset = SavedView.objects.none()
    serializer_class = ViewSerializer
    pagination_class = ViewPagination
    query_parameters = frozenset({"limit", "cursor"})

    @extend_schema(
        operation_id="views_list",
        summary="List saved views",
        responses={200: ViewSerializer(many=True), 400: ErrorSerializer, 401: ErrorSerializer},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="views_save",
        summary="Save a view",
        request=ViewRequest,
        responses={
            201: ViewSerializer,
            400: ErrorSerializer,
            401: ErrorSerializer,
            409: ErrorSerializer,
        },
    )
    def post(self, request: Request) -> Response:
        """Save a filter by a name; your earlier view of the same name is replaced."""
        wanted = ViewRequest(data=request.data)
        wanted.is_valid(raise_exception=True)
        said = wanted.validated_data
        try:
            saved = save_view(
                user=cast(User, request.user),
                name=said["name"],
                parameters=QueryDict(said["query"]),
            )
        except CannotSaveView as error:
            if error.field:
                raise ValidationError({error.field: [str(error)]}) from error
            raise Conflict(str(error)) from error
        made = ViewSerializer(saved, context={"request": request}).data
        headers = {"Location": api_url(request, "api-view", saved.pk)}
        return Response(made, status=status.HTTP_201_CREATED, headers=headers)

    def get_queryset(self) -> Any:
        return SavedView.objects.of(self.request.user)

    def get_view_name(self) -> str:
        return "Views"


class ViewView(StrictQuery):
    """A saved view."""

    @extend_schema(
        operation_id="views_retrieve",
        summary="Get a saved view",
        parameters=[NUMBER],
        responses={200: ViewSerializer, 401: ErrorSerializer, 404: ErrorSerializer},
    )
    def get(self, request: Request, pk: int) -> Response:
        return Response(ViewSerializer(_own(request, pk), context={"request": request}).data)

    @extend_schema(
        operation_id="views_remove",
        summary="Remove a saved view",
        parameters=[NUMBER],
        responses={204: None, 401: ErrorSerializer, 404: ErrorSerializer},
    )
    def delete(self, request: Request, pk: int) -> Response:
        _own(request, pk).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)

    def get_view_name(self) -> str:
        return "View"


def _own(request: Request, pk: int) -> SavedView:
    own = SavedView.objects.of(request.user)
    return or_not_found(by_id(own, pk), "View")
