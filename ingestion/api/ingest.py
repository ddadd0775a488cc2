"""The import endpoint of the REST API: a form with a file, or a body that is the file."""

from collections.abc import Mapping
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.models import User
from django.http import QueryDict
from django.utils.http import parse_header_parameters
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, generics, parsers, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rights import MayRead
from ingestion.api.bodies import KINDS, Body, BodyParser, chunks
from ingestion.api.fields import IngestForm, IngestQuery, mapping_of, reading_of
from ingestion.api.runs import started
from ingestion.errors import IngestionError, NoRoom
from ingestion.loading import drafts, dry_runs, runs
from ingestion.loading.inputs import StoredInput, keep_chunks, keep_upload, taken
from ingestion.parsing.dialect import check_reading
from records.api.run_serializers import DryRunSerializer, IngestionRunSerializer
from records.api.runs import run_answer
from records.jobs.runner import queue
from records.models import IngestionRun
from records.permissions import Action, to_post
from web.api.base import StrictQuery, TooLarge
from web.api.serializers import ErrorSerializer
from web.numbers import size


class UploadTooLarge(TooLarge):
    """A request that exceeds the upload limit."""

    def __init__(self, length: int) -> None:
        super().__init__(
            f"The request has {size(length)}; the limit is {size(settings.MAX_UPLOAD_BYTES)}. Send "
            "it in parts, or import it with `manage.py ingest`."
        )


class NoRoomHere(exceptions.APIException):
    """The disk is full, or the like."""

    status_code = status.HTTP_507_INSUFFICIENT_STORAGE
    default_code = "no_room"


REQUEST = {
    "multipart/form-data": IngestForm,
    # Any document is an input; values that are not rows become rejected rows of its run.
    "application/json": {"description": "The input."},
    # Not JSON, so it has none of the types of JSON.
    "text/csv": {"contentMediaType": "text/csv"},
    "application/x-ndjson": {"contentMediaType": "application/x-ndjson"},
}
ERRORS = {
    400: ErrorSerializer,
    401: ErrorSerializer,
    403: ErrorSerializer,
    413: ErrorSerializer,
    507: ErrorSerializer,
}


class IngestView(StrictQuery, generics.GenericAPIView[IngestionRun]):
    """Import rows in the background: send a form with a `file`, or a body that is the input.

    JSON is an array of objects, or an object that contains one.
    """

    queryset = IngestionRun.objects.none()
    serializer_class = IngestForm
    permission_classes = (MayRead, to_post(Action.IMPORT))
    parser_classes = (
        parsers.MultiPartParser,
        *(type("BodyParser", (BodyParser,), {"media_type": kind}) for kind in KINDS),
    )
    query_parameters = frozenset(IngestQuery().fields)

    @extend_schema(
        operation_id="ingest",
        summary="Import rows",
        parameters=[IngestQuery],
        request=REQUEST,
        responses={202: IngestionRunSerializer, **ERRORS},
    )
    def post(self, request: Request) -> Response:
        sent = request.data
        try:
            if isinstance(sent, Body):
                run = self._of_body(request, sent)
            elif isinstance(sent, QueryDict) and request.FILES:
                run = self._of_form(request, sent)
            else:
                raise exceptions.ParseError(
                    "The request contains no file. Send a form with a `file`, or the rows as a "
                    "body with a Content-Type and a Content-Length."
                )
        except NoRoom as error:
            raise NoRoomHere(str(error)) from error
        except IngestionError as error:
            raise exceptions.ParseError(str(error)) from error
        return self.answer(request, run)

    def answer(self, request: Request, run: IngestionRun) -> Response:
        """Queue what was created, and tell where to follow it."""
        queue(run)
        return started(request, run)

    def create(
        self, request: Request, stored: StoredInput, wanted: Mapping[str, Any]
    ) -> IngestionRun:
        """Create the run of a stored input."""
        return runs.create_run(
            path=stored.path,
            file_name=stored.name,
            trigger="api",
            source_name=wanted.get("source") or None,
            user=cast(User, request.user),
            **_options(wanted),
        )

    def _of_form(self, request: Request, sent: QueryDict) -> IngestionRun:
        if beside := sorted(set(request.query_params) & set(IngestQuery().fields)):
            raise serializers.ValidationError(
                {name: ["Send this as a form field, not in the URL."] for name in beside}
            )
        form = IngestForm(data=sent)
        form.is_valid(raise_exception=True)
        file = form.validated_data["file"]
        if file.size > settings.MAX_UPLOAD_BYTES:
            raise UploadTooLarge(file.size)
        with taken(keep_upload(file)) as stored:
            return self.create(request, stored, form.validated_data)

    def _of_body(self, request: Request, body: Body) -> IngestionRun:
        media_type, options = parse_header_parameters(request.content_type)
        kind = KINDS[media_type]
        given = request.query_params.copy()
        # In DRF this parameter is the format of the response, not of the body.
        given.pop(self.settings.URL_FORMAT_OVERRIDE, None)
        query = IngestQuery(data=given)
        query.is_valid(raise_exception=True)
        wanted = {"format": kind.format, "encoding": options.get("charset", "")}
        wanted |= {name: value for name, value in query.validated_data.items() if value}
        check_reading(reading_of(wanted))
        if not (wanted.get("source") or wanted.get("name")):
            raise serializers.ValidationError({"source": ["Name the source to import into."]})
        length = int(request.META["CONTENT_LENGTH"])
        if length > settings.MAX_UPLOAD_BYTES:
            raise UploadTooLarge(length)
        name = wanted.get("name") or f"{wanted['source']}.{kind.ending}"
        with taken(keep_chunks(name, chunks(body, length))) as stored:
            return self.create(request, stored, wanted)

    def get_view_name(self) -> str:
        return "Ingest"


class DryRunView(IngestView):
    """Read a file without importing it, in the background: send what `ingest` takes.

    The response is a dry run; its `run` is the draft that can be imported or discarded later.
    """

    @extend_schema(
        operation_id="dry_runs_create",
        summary="Start a dry run of a file",
        parameters=[IngestQuery],
        request=REQUEST,
        responses={202: DryRunSerializer, **ERRORS},
    )
    def post(self, request: Request) -> Response:
        return super().post(request)

    def create(
        self, request: Request, stored: StoredInput, wanted: Mapping[str, Any]
    ) -> IngestionRun:
        return drafts.create_draft(
            path=stored.path,
            file_name=stored.name,
            source_name=wanted.get("source") or None,
            user=cast(User, request.user),
            trigger="api",
            **_options(wanted),
        )

    def answer(self, request: Request, run: IngestionRun) -> Response:
        return run_answer(dry_runs.latest(run), request)

    def get_view_name(self) -> str:
        return "Dry run"


def _options(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a request, as ``create_run`` takes them."""
    return {
        "max_rejects": wanted.get("max_rejects", ""),
        "reading": reading_of(wanted),
        "is_snapshot": {"0": False, "1": True}.get(wanted.get("snapshot", "")),
        "closes_many": wanted.get("close_many") == "1",
        **mapping_of(wanted),
    }
