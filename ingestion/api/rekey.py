"""The REST API that gives the stored records of a source another key."""

from typing import cast

from django.contrib.auth.models import User
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rights import MayRead
from ingestion.errors import CannotRekey
from ingestion.loading import rekey
from records.api.run_serializers import IngestionRunSerializer
from records.api.runs import run_answer
from records.jobs.runner import queue
from records.models import Source
from records.permissions import Action, needing
from web.api.base import Conflict, StrictQuery, or_not_found
from web.api.requests import JSONParser
from web.api.serializers import ErrorSerializer, StrictBody


class RekeyRequest(StrictBody):
    """The key that the records are to get."""

    id = serializers.ListField(
        child=serializers.CharField(max_length=1_000, trim_whitespace=False),
        allow_empty=False,
        max_length=100,
        help_text="Columns that make the key together, in this order.",
    )


class RekeyView(StrictQuery):
    """Give the stored records of a source another key."""

    parser_classes = (JSONParser,)
    permission_classes = (MayRead, needing(POST=Action.CHANGE_SOURCE))

    @extend_schema(
        operation_id="sources_rekey",
        summary="Give the stored records of a source another key",
        parameters=[
            OpenApiParameter("name", str, OpenApiParameter.PATH, description="Name of the source.")
        ],
        request=RekeyRequest,
        responses={
            202: IngestionRunSerializer,
            400: ErrorSerializer,
            401: ErrorSerializer,
            403: ErrorSerializer,
            404: ErrorSerializer,
            409: ErrorSerializer,
        },
    )
    def post(self, request: Request, name: str) -> Response:
        """Start a run that checks the key on all records, and then renames them.

        The run fails, and changes nothing, if the key is empty in a record or repeats. It can be
        undone.
        """
        source = or_not_found(Source.objects.named(name), "Source")
        body = RekeyRequest(data=request.data)
        body.is_valid(raise_exception=True)
        columns: list[str] = body.validated_data["id"]
        try:
            rekey.key_of(source, columns)
        except CannotRekey as error:
            raise ValidationError({"id": [str(error)]}) from error
        try:
            run = rekey.create_rekey(
                source=source, columns=columns, trigger="api", user=cast(User, request.user)
            )
        except CannotRekey as error:
            raise Conflict(str(error)) from error
        queue(run)
        return run_answer(run, request)

    def get_view_name(self) -> str:
        return "Rekey"
