"""The API's way to take records out as a file."""

from typing import Any

from django.http import HttpResponseBase
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request

from records.api.base import StrictQuery
from records.api.negotiation import AlwaysJSON
from records.api.serializers import ErrorSerializer
from records.export.answers import Refused, export_answer
from records.export.options import CHOICES, OptionsForm
from records.filters import RecordFilter
from records.models import DataRecord


class ExportView(StrictQuery, GenericAPIView[DataRecord]):
    """The records that a filter finds, all of them, as a file that streams."""

    queryset = DataRecord.objects.all()
    filter_backends = (DjangoFilterBackend,)
    filterset_class = RecordFilter
    pagination_class = None
    # `format` names the kind of file, and not how the API answers.
    content_negotiation_class = AlwaysJSON
    query_parameters = frozenset({*RecordFilter.base_filters, *OptionsForm.base_fields})
    repeatable = RecordFilter.repeatable()

    @extend_schema(
        operation_id="export",
        summary="Export records as a file",
        filters=True,
        parameters=[
            OpenApiParameter(
                name,
                str,
                description=str(field.help_text),
                enum=CHOICES[name],
            )
            for name, field in OptionsForm.base_fields.items()
        ],
        responses={
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "application/x-ndjson"): OpenApiTypes.STR,
            (
                200,
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            ): OpenApiTypes.BINARY,
            (200, "application/gzip"): OpenApiTypes.BINARY,
            400: ErrorSerializer,
            401: ErrorSerializer,
        },
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return export_answer(request.query_params)
        except Refused as error:
            raise ValidationError(error.errors) from error

    def get_view_name(self) -> str:
        return "Export"
