"""The REST API endpoint that starts processing."""

from typing import Any, cast

from django.contrib.auth.models import User
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rights import MayRead
from processing.errors import UnknownSource
from processing.jobs import process
from records.jobs.runner import queue
from records.models import ProcessingRun, Selection
from records.permissions import Action, to_post
from web.api.base import StrictQuery
from web.api.serializers import ErrorSerializer, StrictBody

GREATEST_LIMIT = 2**63 - 1


class ProcessRequest(StrictBody):
    """What to process; by default all raw records."""

    source = serializers.CharField(  # type: ignore[assignment]
        required=False,
        allow_null=True,
        max_length=100,
        help_text="Only records of this source.",
    )
    reprocess = serializers.ChoiceField(
        choices=[each for each in Selection.choices if each[0] != Selection.RAW],
        required=False,
        allow_null=True,
        help_text="Reprocess records: `all`, those that `failed`, or those whose result is "
        "`changed` by the current rules; the other records keep their results.",
    )
    limit = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=GREATEST_LIMIT,
        help_text="Maximum number of records to process.",
    )


class ProcessAnswer(serializers.Serializer[Any]):
    """The queued processing run."""

    message = serializers.CharField(help_text="What was done, as text.")
    status = serializers.CharField(help_text="Always `started`.")
    run = serializers.IntegerField(help_text="Number of the processing run.")


class ProcessView(StrictQuery, generics.GenericAPIView[ProcessingRun]):
    """Start processing in the background."""

    queryset = ProcessingRun.objects.none()
    serializer_class = ProcessRequest
    permission_classes = (MayRead, to_post(Action.PROCESS))

    @extend_schema(
        operation_id="process",
        summary="Start processing",
        request={"application/json": ProcessRequest},
        responses={
            202: ProcessAnswer,
            400: ErrorSerializer,
            401: ErrorSerializer,
            403: ErrorSerializer,
        },
    )
    def post(self, request: Request) -> Response:
        wanted = self.get_serializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        try:
            run = process.create_run(
                trigger="api",
                source_name=wanted.validated_data.get("source"),
                selection=Selection(wanted.validated_data.get("reprocess") or Selection.RAW),
                limit=wanted.validated_data.get("limit"),
                user=cast(User, request.user),
            )
        except UnknownSource as error:
            raise serializers.ValidationError({"source": [str(error)]}) from error
        queue(run)
        return Response(
            {"message": "Processing triggered", "status": "started", "run": run.pk},
            status=status.HTTP_202_ACCEPTED,
        )

    def get_view_name(self) -> str:
        return "Process"
