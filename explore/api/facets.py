"""The API's counts of the values by which records may be narrowed down."""

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
    """What is asked beside the filter."""

    facet = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=500,
        trim_whitespace=False,
        help_text="A column of the data whose values are counted as well.",
    )


class FacetValueSerializer(serializers.Serializer[FacetValue]):
    """A value that records have."""

    value = serializers.CharField(help_text="What to give as the parameter.")
    text = serializers.CharField(help_text="The value as people read it.")
    count = serializers.IntegerField(
        allow_null=True, help_text="Records that have it; null for a chosen one that none has."
    )
    is_chosen = serializers.BooleanField(help_text="Whether the filter asks for it.")


class FacetSerializer(serializers.Serializer[Facet]):
    """The most frequent values of one parameter, among what the other filters find."""

    name = serializers.CharField(help_text="The parameter that these are values of.")
    label = serializers.CharField()  # type: ignore[assignment]
    is_sampled = serializers.BooleanField(help_text="Whether counts are estimates.")
    remark = serializers.CharField(help_text="What is to be known of other values, or empty.")
    values = FacetValueSerializer(many=True)


class FacetsSerializer(serializers.Serializer[Any]):
    """All facets that have values."""

    facets = FacetSerializer(many=True)


class FacetsView(StrictQuery, GenericAPIView[DataRecord]):
    """How many of the records that a filter finds have which status, source, category and so on.

    Over few records counts are exact, over many those that nobody keeps are estimated, and say so.
    """

    queryset = DataRecord.objects.all()
    filter_backends = (DjangoFilterBackend,)
    filterset_class = RecordFilter
    pagination_class = None
    query_parameters = frozenset({*RecordFilter.base_filters, "facet"})
    repeatable = RecordFilter.repeatable()

    @extend_schema(
        operation_id="records_facets",
        summary="Count records by what they may be narrowed down by",
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
