"""The API endpoint that exports records as a file."""

from typing import Any, cast

from django.contrib.auth.models import User
from django.http import HttpResponseBase
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request

from explore.api.exports import ExportSerializer, accepted
from explore.export import jobs
from explore.export.errors import Refused
from explore.export.options import CHOICES, OptionsForm
from explore.export.request import MOST_AT_ONCE, asked_for
from explore.export.responses import export_answer
from explore.filters.record_filter import RecordFilter
from records.errors import TooManyExports
from records.models import DataRecord
from web.api.base import StrictQuery, TooManyRequests
from web.api.negotiation import AlwaysJSON
from web.api.serializers import ErrorSerializer


class ExportView(StrictQuery, GenericAPIView[DataRecord]):
    """All records that match a filter, streamed as a file.

    XLSX and Parquet of more than 5,000 records are created by a worker: the response is 202 with
    the URL that reports the progress.
    """

    for_an_account = True
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
        description="All records that match the filter, in its order. CSV and NDJSON are streamed, "
        f"and so are XLSX and Parquet of up to {MOST_AT_ONCE:,} records. Larger ones are created "
        "by a worker: the response is 202 with a URL in `Location`; poll it until `download` "
        "contains the URL of the file. Repeating the request in the meantime returns the same "
        "export. The number of concurrent exports is limited per user and in total; beyond that "
        "the response is 429 with `Retry-After`.",
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
            (200, "application/vnd.apache.parquet"): OpenApiTypes.BINARY,
            (200, "application/gzip"): OpenApiTypes.BINARY,
            202: ExportSerializer,
            400: ErrorSerializer,
            401: ErrorSerializer,
            429: ErrorSerializer,
        },
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = cast(User, request.user)
        try:
            asked = asked_for(request.query_params)
            if asked.is_for_a_worker:
                return accepted(jobs.start(asked, user=user, trigger="api"), request)
            return export_answer(asked, user=user, has_body=request.method != "HEAD")
        except TooManyExports as error:
            raise TooManyRequests(str(error), seconds=error.seconds) from error
        except Refused as error:
            raise ValidationError(error.errors) from error

    def get_view_name(self) -> str:
        return "Export"
