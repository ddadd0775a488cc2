"""The REST API of runs of all kinds: list, follow, cancel and retry them."""

import re
from collections.abc import Iterable
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode

from django.contrib.auth.models import User
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework import generics, serializers, status
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from records.api.run_serializers import (
    DryRunSerializer,
    ExportRunSerializer,
    IngestionRunSerializer,
    ProcessingRunSerializer,
    RuleDryRunSerializer,
    RunSerializer,
    UndoSerializer,
    described,
    run_url,
)
from records.jobs import leases, waiting
from records.lookups import by_id
from records.models import IngestionRun, RunState, Source
from records.permissions import Action, may
from records.run_kinds import KINDS, latest_runs
from web.api.base import Conflict, StrictQuery, or_not_found
from web.api.pagination import KeyPagination
from web.api.serializers import ErrorSerializer, SourceQuery
from web.converters import GREATEST_ID
from web.keyset import FORWARD, Cursor, InvalidCursor, Page

# Seconds after which it is worth while to ask about an active run again.
RETRY_SECONDS = 2
NUMBER_TEXT = re.compile("[0-9]{1,18}|" + str(GREATEST_ID))
# What may be cancelled and retried, as on the pages. Everyone may cancel their own exports.
CANCEL = {
    "ingestion": Action.CANCEL_IMPORT,
    "replay": Action.CANCEL_IMPORT,
    "rekey": Action.CANCEL_IMPORT,
    "processing": Action.CANCEL_PROCESSING,
    "rule_dry_run": Action.CHANGE_RULES,
    "export": None,
}
RETRY = {
    "ingestion": Action.RETRY_IMPORT,
    "replay": Action.RETRY_IMPORT,
    "rekey": Action.RETRY_IMPORT,
    "processing": Action.RETRY_PROCESSING,
}
ANY_RUN = PolymorphicProxySerializer(
    component_name="AnyRun",
    serializers={
        "ingestion": IngestionRunSerializer,
        "replay": IngestionRunSerializer,
        "rekey": IngestionRunSerializer,
        "processing": ProcessingRunSerializer,
        "dry_run": DryRunSerializer,
        "rule_dry_run": RuleDryRunSerializer,
        "undo": UndoSerializer,
        "export": ExportRunSerializer,
    },
    resource_type_field_name="kind",
)
NUMBER = OpenApiParameter("id", int, OpenApiParameter.PATH, description="Number of the run.")


class RunQuery(SourceQuery):
    """Filters for a list of runs."""

    kind = serializers.ChoiceField(
        choices=list(KINDS), required=False, help_text="Only runs of this kind. Default: all."
    )
    state = serializers.ChoiceField(
        choices=RunState.choices,
        required=False,
        help_text="Only runs in this state. Default: all.",
    )


class RunPagination(KeyPagination):
    """Runs of all kinds, the newest first. A cursor has a position in each table."""

    name = "runs"

    def page_of(self, queryset: Any, view: Any, *, cursor: str | None, limit: int) -> Page[Any]:
        before = _position(Cursor.parse(cursor).key) if cursor else None
        page = latest_runs(limit, before=before, **view.wanted)
        older = str(Cursor(FORWARD, urlencode(page.older))) if page.older else None
        return Page(page.runs, older, None)


def _position(text: str) -> dict[str, int]:
    tables = {kind.table for kind in KINDS.values()}
    try:
        found = dict(parse_qsl(text, strict_parsing=True))
    except ValueError:
        raise InvalidCursor from None
    if not all(name in tables and NUMBER_TEXT.fullmatch(each) for name, each in found.items()):
        raise InvalidCursor
    return {table: int(digits) for table, digits in found.items()}


class RunListView(StrictQuery, generics.ListAPIView[Any]):
    """Runs of every kind, newest first. Follow `next` for more.

    Of exports, only your own are listed.
    """

    queryset = IngestionRun.objects.none()
    serializer_class = RunSerializer
    pagination_class = RunPagination
    query_parameters = frozenset({*RunQuery().fields, "limit", "cursor"})

    @extend_schema(
        operation_id="runs_list",
        summary="List runs",
        parameters=[RunQuery],
        responses={200: RunSerializer(many=True), 400: ErrorSerializer, 401: ErrorSerializer},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        query = RunQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        given = query.validated_data
        self.wanted: dict[str, Any] = {
            "kinds": [given["kind"]] if "kind" in given else list(KINDS),
            "state": given.get("state", ""),
            "user": request.user,
        }
        if name := given.get("source"):
            self.wanted["source"] = Source.objects.named(name)
            if self.wanted["source"] is None:
                self.wanted["kinds"] = []
        return super().get(request, *args, **kwargs)

    def get_view_name(self) -> str:
        return "Runs"


CHANGED_RUN = {
    200: ANY_RUN,
    401: ErrorSerializer,
    403: ErrorSerializer,
    404: ErrorSerializer,
    409: ErrorSerializer,
}


def of_kind(kinds: Iterable[str]) -> list[OpenApiParameter]:
    """The parameters of the URL of a run of one of these kinds."""
    kind = OpenApiParameter(
        "kind", str, OpenApiParameter.PATH, enum=list(kinds), description="Kind of run."
    )
    return [kind, NUMBER]


class OneRunView(StrictQuery):
    """What the endpoints of a run share."""

    def run_of(self, request: Request, kind: str, pk: int) -> Any:
        """The run that a URL names. Raises NotFound."""
        known = or_not_found(KINDS.get(kind), "Kind of run")
        return or_not_found(by_id(known.runs(cast(User, request.user)), pk), "Run")

    def answer(self, request: Request, run: Any, *, code: int = status.HTTP_200_OK) -> Response:
        """The run as it is now; 202 with its URL once it has been started."""
        return run_answer(run, request, code=code)


class RunView(OneRunView):
    """One run: its state, its counts, and the error if it failed.

    While it is active, `Retry-After` says after how many seconds to ask again.
    """

    @extend_schema(
        operation_id="runs_retrieve",
        summary="Get a run",
        parameters=of_kind(KINDS),
        responses={200: ANY_RUN, 401: ErrorSerializer, 404: ErrorSerializer},
    )
    def get(self, request: Request, kind: str, pk: int) -> Response:
        return self.answer(request, self.run_of(request, kind, pk))

    def get_view_name(self) -> str:
        return "Run"


class CancelView(OneRunView):
    """Cancel a run. What it has done so far is kept."""

    @extend_schema(
        operation_id="runs_cancel",
        summary="Cancel a run",
        parameters=of_kind(CANCEL),
        request=None,
        responses=CHANGED_RUN,
    )
    def post(self, request: Request, kind: str, pk: int) -> Response:
        _check(request, CANCEL, kind)
        run = self.run_of(request, kind, pk)
        if not leases.stop(run):
            raise Conflict("The run is not active.")
        run.refresh_from_db()
        return self.answer(request, run)

    def get_view_name(self) -> str:
        return "Cancel"


class RetryView(OneRunView):
    """Try a run that waits, such as for disk space, again at once: it goes on where it was."""

    @extend_schema(
        operation_id="runs_retry",
        summary="Retry a waiting run",
        parameters=of_kind(RETRY),
        request=None,
        responses=CHANGED_RUN,
    )
    def post(self, request: Request, kind: str, pk: int) -> Response:
        _check(request, RETRY, kind)
        run = self.run_of(request, kind, pk)
        if not waiting.retry(run):
            raise Conflict("The run is not waiting.")
        run.refresh_from_db()
        return self.answer(request, run)

    def get_view_name(self) -> str:
        return "Retry"


def _check(request: Request, actions: dict[str, Any], kind: str) -> None:
    """Raise NotFound for kinds with which this can't be done, PermissionDenied for users who may
    not."""
    if kind not in actions:
        or_not_found(None, "Kind of run")
    action = actions[kind]
    if action is not None and not may(cast(User, request.user), action):
        raise PermissionDenied(action.refusal)


def run_answer(run: Any, request: Request, *, code: int = status.HTTP_202_ACCEPTED) -> Response:
    """A run as a response: its URL if it was started, and when to ask again if it is active."""
    headers = {"Location": run_url(request, run)} if code == status.HTTP_202_ACCEPTED else {}
    if run.is_active:
        headers["Retry-After"] = str(RETRY_SECONDS)
    return Response(described(run, request), status=code, headers=headers)
