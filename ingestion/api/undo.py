"""The REST API that undoes ingestion runs."""

from typing import Any, cast

from django.contrib.auth.models import User
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rights import MayRead
from ingestion.errors import CannotUndo
from ingestion.loading import undo
from records.api.run_serializers import UndoSerializer
from records.api.runs import run_answer
from records.jobs.runner import queue
from records.lookups import by_id
from records.models import IngestionRun
from records.permissions import Action, needing
from web.api.base import Conflict, StrictQuery, or_not_found
from web.api.serializers import ErrorSerializer

NUMBER = OpenApiParameter("id", int, OpenApiParameter.PATH, description="Number of the run.")


class UndoPreviewSerializer(serializers.Serializer[Any]):
    """What the undo of a run would do."""

    can_undo = serializers.BooleanField(help_text="Whether the run can be undone now.")
    obstacle = serializers.CharField(help_text="Why it can't; empty if it can.")
    created = serializers.IntegerField(
        help_text="Records that the run created: they are deleted, unless changed since."
    )
    updated = serializers.IntegerField(
        help_text="Updates that the run made: the earlier content comes back, unless changed since."
    )
    later_runs = serializers.ListField(
        child=serializers.IntegerField(),
        help_text="The first later runs that updated records of the source: what they changed is "
        "kept.",
    )
    feed = serializers.CharField(
        help_text="What the automatic import of the source does then, as a sentence; or empty."
    )


class UndoView(StrictQuery):
    """Undo an ingestion run."""

    permission_classes = (
        MayRead,
        needing(GET=Action.UNDO_IMPORT, HEAD=Action.UNDO_IMPORT, POST=Action.UNDO_IMPORT),
    )

    @extend_schema(
        operation_id="undo_preview",
        summary="Preview the undo of a run",
        parameters=[NUMBER],
        responses={
            200: UndoPreviewSerializer,
            401: ErrorSerializer,
            403: ErrorSerializer,
            404: ErrorSerializer,
        },
    )
    def get(self, request: Request, pk: int) -> Response:
        """What the undo would do, as far as the counts of the runs tell."""
        run = _run(pk)
        seen = undo.preview(run)
        return Response(
            {
                "can_undo": not seen.obstacle,
                "obstacle": seen.obstacle,
                "created": run.created,
                "updated": run.updated,
                "later_runs": [later.pk for later in seen.later],
                "feed": seen.feed,
            }
        )

    @extend_schema(
        operation_id="undo",
        summary="Undo a run",
        parameters=[NUMBER],
        request=None,
        responses={
            202: UndoSerializer,
            401: ErrorSerializer,
            403: ErrorSerializer,
            404: ErrorSerializer,
            409: ErrorSerializer,
        },
    )
    def post(self, request: Request, pk: int) -> Response:
        """Undo the run in the background: records get back what they held before it."""
        try:
            made = undo.create_undo(run=_run(pk), trigger="api", user=cast(User, request.user))
        except CannotUndo as error:
            raise Conflict(str(error)) from error
        queue(made)
        return run_answer(made, request)

    def get_view_name(self) -> str:
        return "Undo"


def _run(pk: int) -> IngestionRun:
    return or_not_found(by_id(IngestionRun.objects.with_source(), pk), "Run")
