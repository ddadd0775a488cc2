"""The REST API of drafts: import or discard a file after its dry run."""

from typing import cast

from django.contrib.auth.models import User
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rights import MayRead
from ingestion.errors import NotReady
from ingestion.loading import drafts, previews
from records.api.run_serializers import IngestionRunSerializer
from records.api.runs import run_answer
from records.lookups import by_id
from records.models import IngestionRun, RunState
from records.permissions import Action, needing
from web.api.base import Conflict, StrictQuery, TooManyRequests, or_not_found
from web.api.requests import JSONParser
from web.api.serializers import ErrorSerializer, StrictBody

BUSY_SECONDS = 5
NUMBER = OpenApiParameter("id", int, OpenApiParameter.PATH, description="Number of the draft.")
ERRORS = {401: ErrorSerializer, 403: ErrorSerializer, 404: ErrorSerializer, 409: ErrorSerializer}


class ImportRequest(StrictBody):
    """How a draft is imported."""

    keep_shared_ids = serializers.BooleanField(
        default=False,
        help_text="Import although rows share an ID: what they become is said by `on_conflict`.",
    )


class DraftView(StrictQuery):
    """A draft: a file that waits to be imported or discarded. Drafts are only for their user."""

    parser_classes = (JSONParser,)
    permission_classes = (
        MayRead,
        needing(POST=Action.IMPORT, DELETE=Action.IMPORT),
    )

    @extend_schema(
        operation_id="drafts_import",
        summary="Import a draft",
        parameters=[NUMBER],
        request=ImportRequest,
        responses={
            202: IngestionRunSerializer,
            400: ErrorSerializer,
            **ERRORS,
            429: ErrorSerializer,
        },
    )
    def post(self, request: Request, pk: int) -> Response:
        """Import the file as its dry run was made; its settings are saved with the source."""
        wanted = ImportRequest(data=request.data)
        wanted.is_valid(raise_exception=True)
        run = _draft(request, pk)
        seen = previews.look(run)
        if seen.is_busy:
            raise TooManyRequests(seen.error, seconds=BUSY_SECONDS)
        try:
            drafts.load(run, seen, keeps_ids=wanted.validated_data["keep_shared_ids"])
        except NotReady as error:
            raise Conflict(str(error) or seen.error) from error
        run.refresh_from_db()
        return run_answer(run, request)

    @extend_schema(
        operation_id="drafts_discard",
        summary="Discard a draft",
        parameters=[NUMBER],
        responses={204: None, **ERRORS},
    )
    def delete(self, request: Request, pk: int) -> Response:
        """Delete the draft with its file. Nothing was imported."""
        drafts.discard(_draft(request, pk))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def get_view_name(self) -> str:
        return "Draft"


def _draft(request: Request, pk: int) -> IngestionRun:
    own = IngestionRun.objects.with_source().filter(user=cast(User, request.user))
    run: IngestionRun = or_not_found(by_id(own, pk), "Draft")
    if run.state != RunState.DRAFT:
        raise Conflict("The file is no draft any more: it was imported.")
    return run
