"""The API endpoint for facets with counts."""

from typing import Any

from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from explore.api.filters import valid_query
from explore.explorer.facets import Facet, FacetValue, all_facets
from explore.filters.record_filter import RecordFilter
from records.models import DataRecord
from web.api.base import StrictQuery
from web.api.pagination import TooLong
from web.api.serializers import ErrorSerializer
from web.statement_timeout import ASIDE_SECONDS, TookTooLong, at_most


class FacetQuery(serializers.Serializer[Any]):
    """Parameters besides the filter."""

    facet = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=500,
        trim_whitespace=False,
        help_text="Also count the values of this data column.",
    )


class FacetValueSerializer(serializers.Serializer[FacetValue]):
    """A value and the number of records that have it."""

    value = serializers.CharField(help_text="Value to pass as the parameter.")
    text = serializers.CharField(help_text="Display text of the value.")
    count = serializers.IntegerField(
        allow_null=True,
        help_text="Number of records; null for a selected value that no record has.",
    )
    is_chosen = serializers.BooleanField(help_text="Whether the filter includes this value.")


class FacetSerializer(serializers.Serializer[Facet]):
    """The most frequent values of one parameter among the records that match the other filters."""

    name = serializers.CharField(help_text="Parameter that the values belong to.")
    label = serializers.CharField(help_text="Name of the facet, for people.")  # type: ignore[assignment]
    is_sampled = serializers.BooleanField(help_text="Whether counts are estimates.")
    remark = serializers.CharField(help_text="Note about values that are not listed, or empty.")
    values = FacetValueSerializer(many=True, help_text="The values, the most frequent first.")


class FacetsSerializer(serializers.Serializer[Any]):
    """All facets that have values."""

    facets = FacetSerializer(many=True, help_text="The facets.")


class FacetsView(StrictQuery, GenericAPIView[DataRecord]):
    """The number of matching records per status, source, category and so on.

    Counts are exact among few records; among many, counts that are not stored are estimated and
    marked as such.
    """

    queryset = DataRecord.objects.all()
    filter_backends = (DjangoFilterBackend,)
    filterset_class = RecordFilter
    pagination_class = None
    query_parameters = frozenset({*RecordFilter.base_filters, "facet"})
    repeatable = RecordFilter.repeatable()

    @extend_schema(
        operation_id="records_facets",
        summary="Count records by facet",
        filters=True,
        parameters=[FacetQuery],
        responses={
            200: FacetsSerializer,
            400: ErrorSerializer,
            401: ErrorSerializer,
            503: ErrorSerializer,
        },
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        asked = FacetQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        query = valid_query(request)
        column = asked.validated_data.get("facet", "")
        try:
            with at_most(ASIDE_SECONDS):
                facets = all_facets(query, column=column)
        except TookTooLong as error:
            raise TooLong(str(error)) from error
        return Response(FacetsSerializer({"facets": facets}).data)

    def get_view_name(self) -> str:
        return "Facets"
