"""The REST API's way to load rows: a file in a form, or a body that is the file."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, cast

from django.conf import settings
from django.contrib.auth.models import User
from django.http import QueryDict
from django.utils.http import parse_header_parameters
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, generics, parsers, permissions, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from ingestion import runs
from ingestion.dialect import CHECKS, check_reading
from ingestion.errors import IngestionError, InvalidReading, NoRoom
from ingestion.inputs import StoredInput, keep_chunks, keep_upload
from ingestion.limits import check_limit
from ingestion.mapping import FORMAT, column_names
from records.api.base import StrictQuery, unknown_name
from records.api.runs import RunSerializer
from records.api.serializers import ErrorSerializer
from records.models import IngestionRun
from records.models.sources import SOURCE_NAME
from records.numbers import size
from records.rows import ROLES

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Kind:
    """What a body is by its media type: the ending of its name, and what is said by that."""

    ending: str
    format: str = ""


KINDS = {
    "text/csv": Kind("csv", "delimited"),
    "text/tab-separated-values": Kind("tsv", "delimited"),
    "text/plain": Kind("txt"),
    "application/json": Kind("json", "json"),
    "application/x-ndjson": Kind("ndjson", "ndjson"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": Kind("xlsx", "xlsx"),
    "application/gzip": Kind("gz"),
    "application/zip": Kind("zip"),
}


@dataclass(frozen=True, slots=True)
class Body:
    """A body that is a file; nothing of it has been read."""

    stream: IO[bytes]


class BodyParser(parsers.BaseParser):
    """Leaves the body where it is: who sent it must be known before it fills the disk."""

    def parse(self, stream: IO[bytes], *args: Any, **kwargs: Any) -> Any:
        return Body(stream)


class TooLarge(exceptions.APIException):
    """More than an installation takes at once."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE

    def __init__(self, length: int) -> None:
        super().__init__(
            f"This has {size(length)}; the limit is {size(settings.MAX_UPLOAD_BYTES)}. Send it in "
            "parts, or load it with `manage.py ingest`."
        )


class NoRoomHere(exceptions.APIException):
    """The disk is full, or the like."""

    status_code = status.HTTP_507_INSUFFICIENT_STORAGE


class MayIngest(permissions.BasePermission):
    """Who may add ingestion runs may send rows."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return request.method != "POST" or request.user.has_perm("records.add_ingestionrun")


@contextmanager
def _refusals() -> Iterator[None]:
    """What this app refuses is wrong with the field that is looked at."""
    try:
        yield
    except IngestionError as error:
        raise serializers.ValidationError(str(error)) from error


class ColumnsField(serializers.CharField):
    """Names of columns, separated by commas."""

    def __init__(self, *, most: int | None = None, **options: Any) -> None:
        self.most = most
        super().__init__(required=False, allow_blank=True, max_length=2_000, **options)

    def to_internal_value(self, data: Any) -> Any:
        columns = column_names(super().to_internal_value(data))
        if self.most is not None and len(columns) > self.most:
            raise serializers.ValidationError(f"Name one column, not {len(columns)}.")
        return columns


class IngestQuery(serializers.Serializer[Any]):
    """Where rows go, who plays which role, and how they are read; the rest is found out."""

    source = serializers.CharField(  # type: ignore[assignment]
        required=False,
        allow_blank=True,
        max_length=100,
        validators=[SOURCE_NAME],
        help_text="The source that the rows belong to. Without it: named after the file.",
    )
    name = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=255,
        help_text="What the input is called, where the body is the input.",
    )
    id = ColumnsField(help_text="The columns of the key, separated by commas.")
    timestamp = ColumnsField(help_text="The columns of the timestamp.")
    value = ColumnsField(most=1, help_text="The column of the value.")
    category = ColumnsField(most=1, help_text="The column of the category.")
    timestamp_format = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=100,
        help_text='How the dates are meant: "iso", "unix", or one such as "%d/%m/%Y". Without it: '
        "as the source remembers it, else found out. Where dates can be read in two ways, the run "
        "fails and says so.",
    )
    max_rejects = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=20,
        help_text='The run stops at more rejected rows than so many, "500", or such a share of '
        'those read, "2%". What has landed stays.',
    )
    encoding = serializers.CharField(required=False, allow_blank=True)
    delimiter = serializers.CharField(
        required=False, allow_blank=True, trim_whitespace=False, help_text='One character, or "tab"'
    )
    quote = serializers.CharField(
        required=False, allow_blank=True, help_text='One character, or "none"'
    )
    escape = serializers.CharField(
        required=False, allow_blank=True, help_text='One character, or "none"'
    )
    header = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text='The line of the header, "FIRST-LAST", or "none"',
    )
    skip = serializers.CharField(
        required=False, allow_blank=True, help_text="How many lines come before the table."
    )
    sheet = serializers.CharField(
        required=False, allow_blank=True, help_text="The sheet of a workbook."
    )
    rows_path = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text="Of JSON: the names that lead to the rows, joined by dots.",
    )

    def to_internal_value(self, data: Any) -> Any:
        errors = {}
        known = frozenset(self.fields)
        for field in data:
            if field not in known | {"csrfmiddlewaretoken"}:
                errors[field] = [unknown_name("field", known)]
            elif len(data.getlist(field)) > 1:
                errors[field] = ["This is given more than once."]
        if errors:
            raise serializers.ValidationError(errors)
        return super().to_internal_value(data)

    def validate_timestamp_format(self, text: str) -> str:
        with _refusals():
            return runs.check_date_format(text)

    def validate_max_rejects(self, text: str) -> str:
        with _refusals():
            return check_limit(text)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        try:
            check_reading(reading_of(attrs))
        except InvalidReading as error:
            raise serializers.ValidationError({error.what: [str(error)]}) from error
        return attrs


class IngestForm(IngestQuery):
    """A file, and the same fields beside it."""

    name = None  # type: ignore[assignment]
    file = serializers.FileField(max_length=255)
    format = serializers.CharField(
        required=False, allow_blank=True, help_text="delimited, json, ndjson or xlsx"
    )


def reading_of(given: Mapping[str, Any]) -> dict[str, str]:
    """What the sender says about how the input is read."""
    return {name: given[name] for name in CHECKS if given.get(name)}


class IngestView(StrictQuery, generics.GenericAPIView[IngestionRun]):
    """Load rows in the background: a form with a `file`, or a body that is the input.

    JSON is an array of objects, or an object that has one.
    """

    queryset = IngestionRun.objects.none()
    serializer_class = IngestForm
    permission_classes = (permissions.IsAuthenticated, MayIngest)
    parser_classes = (
        parsers.MultiPartParser,
        *(type("BodyParser", (BodyParser,), {"media_type": kind}) for kind in KINDS),
    )
    query_parameters = frozenset(IngestQuery().fields)

    @extend_schema(
        operation_id="ingest",
        summary="Load rows",
        parameters=[IngestQuery],
        request={
            "multipart/form-data": IngestForm,
            "application/json": {
                "oneOf": [{"type": "array", "items": {"type": "object"}}, {"type": "object"}]
            },
            "text/csv": {"type": "string"},
            "application/x-ndjson": {"type": "string"},
        },
        responses={
            202: RunSerializer,
            400: ErrorSerializer,
            401: ErrorSerializer,
            403: ErrorSerializer,
            413: ErrorSerializer,
        },
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
                    "There is no file in this request. Send a form with a `file`, or the rows "
                    "themselves as a body with a Content-Type and a Content-Length."
                )
        except NoRoom as error:
            raise NoRoomHere(str(error)) from error
        except IngestionError as error:
            raise exceptions.ParseError(str(error)) from error
        runs.queue(run)
        url = reverse("api-run", args=[run.pk], request=request)
        return Response(
            dict(RunSerializer(run).data),
            status=status.HTTP_202_ACCEPTED,
            headers={"Location": url},
        )

    def _of_form(self, request: Request, sent: QueryDict) -> IngestionRun:
        if beside := sorted(set(request.query_params) & set(IngestQuery().fields)):
            raise serializers.ValidationError(
                {name: ["With a form, this is one of its fields."] for name in beside}
            )
        form = IngestForm(data=sent)
        form.is_valid(raise_exception=True)
        file = form.validated_data["file"]
        if file.size > settings.MAX_UPLOAD_BYTES:
            raise TooLarge(file.size)
        return _create_run(request, keep_upload(file), form.validated_data)

    def _of_body(self, request: Request, body: Body) -> IngestionRun:
        media_type, options = parse_header_parameters(request.content_type)
        kind = KINDS[media_type]
        given = request.query_params.copy()
        # That is how the answer is to be written, not how the body is.
        given.pop(self.settings.URL_FORMAT_OVERRIDE, None)
        query = IngestQuery(data=given)
        query.is_valid(raise_exception=True)
        wanted = {"format": kind.format, "encoding": options.get("charset", "")}
        wanted |= {name: value for name, value in query.validated_data.items() if value}
        check_reading(reading_of(wanted))
        if not (wanted.get("source") or wanted.get("name")):
            raise serializers.ValidationError({"source": ["Say which source the rows belong to."]})
        length = int(request.META["CONTENT_LENGTH"])
        if length > settings.MAX_UPLOAD_BYTES:
            raise TooLarge(length)
        name = wanted.get("name") or f"{wanted['source']}.{kind.ending}"
        return _create_run(request, keep_chunks(name, _chunks(body.stream, length)), wanted)

    def get_view_name(self) -> str:
        return "Ingest"


def _chunks(stream: IO[bytes], length: int) -> Iterator[bytes]:
    """The body, in pieces. Raises ParseError where it ends before its end."""
    left = length
    while left and (chunk := stream.read(min(left, CHUNK_BYTES))):
        left -= len(chunk)
        yield chunk
    if left:
        raise exceptions.ParseError(
            f"The body ended after {length - left:,} of {length:,} bytes. Nothing of it has landed."
        )


def _create_run(request: Request, stored: StoredInput, wanted: Mapping[str, Any]) -> IngestionRun:
    return runs.create_run(
        path=stored.path,
        file_name=stored.name,
        how="api",
        source_name=wanted.get("source") or None,
        roles={role: wanted[role] for role in ROLES if wanted.get(role)},
        timestamp_format=wanted.get(FORMAT, ""),
        max_rejects=wanted.get("max_rejects", ""),
        user=cast(User, request.user),
        reading=reading_of(wanted),
    )
