"""The API of rejected rows: list, read, repair and replay."""

from base64 import b64encode
from typing import Any, ClassVar, cast

from django.contrib.auth.models import User
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import exceptions, generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from accounts.rights import MayRead
from ingestion.api.runs import started
from ingestion.errors import CannotReplay, InvalidReading
from ingestion.loading import repair, replay
from ingestion.loading.repair import NotRepaired
from ingestion.parsing.dialect import check_reading
from records.api.run_serializers import IngestionRunSerializer
from records.jobs.runner import queue
from records.lookups import by_id
from records.models import IngestionRun, RejectedRow
from records.permissions import Action, to_post
from records.reject_codes import CATALOGUE
from web.api.base import Conflict, StrictQuery, or_not_found
from web.api.pagination import KeyPagination
from web.api.requests import JSONParser
from web.api.serializers import ErrorSerializer, SourceQuery, StrictBody
from web.converters import GREATEST_ID

STATES = ("open", "resolved", "all")
# How much text of each row a list has; one row alone has all of it.
LISTED_CHARACTERS = 10_000
# How many rows a replay may name; by code or as a whole it takes any number.
MOST_IDS = 10_000

ROW = {
    "id": 12,
    "run": 7,
    "source": "sales",
    "line": 4,
    "text": "3;2026-03-01",
    "encoding": "utf-8",
    "size": 12,
    "code": "too_few_cells",
    "column": "",
    "message": "The row has 2 cells, but the header has 3 columns.",
    "remedy": "Add the missing cells, or check whether a line break or a delimiter was lost.",
    "fixed": "",
    "state": "open",
    "replay": None,
    "record": None,
    "former": None,
    "created_at": "2026-03-02T08:00:00Z",
    "page": "/rejected/12/",
}
ROW_ID = OpenApiParameter(
    "id", int, OpenApiParameter.PATH, description="Number of the rejected row."
)
RUN_ID = OpenApiParameter("id", int, OpenApiParameter.PATH, description="Number of the run.")


class RejectedRowSerializer(serializers.ModelSerializer[RejectedRow]):
    """A rejected row: where it stood, its text, why it was rejected and what to do about it."""

    source = serializers.CharField(  # type: ignore[assignment]
        source="run.source.name", help_text="The source that the row was sent to."
    )
    text = serializers.SerializerMethodField(
        help_text="The bytes of the row as text; what is not valid in the encoding shows as U+FFFD."
        f" In a list, only the first {LISTED_CHARACTERS:,} characters."
    )
    encoding = serializers.SerializerMethodField(help_text="The encoding of the input.")
    size = serializers.SerializerMethodField(help_text="The length of the row in bytes.")
    remedy = serializers.SerializerMethodField(help_text="What to do about a row of this code.")
    state = serializers.SerializerMethodField(
        help_text="`open`, or `resolved` once a replay has taken it up."
    )
    replay = serializers.IntegerField(
        source="resolved_by_id", allow_null=True, help_text="The run that has replayed the row."
    )
    record = serializers.SerializerMethodField(
        help_text="The ID of the record that the row has become; null if there is none."
    )
    former = serializers.IntegerField(
        source="former_id",
        allow_null=True,
        help_text="The rejected row that a replay took up when it made this one.",
    )
    page = serializers.SerializerMethodField(help_text="The page of the row.")

    class Meta:
        model = RejectedRow
        fields = tuple(ROW)
        read_only_fields = fields
        extra_kwargs = {
            "id": {"help_text": "Number of the rejected row."},
            "run": {"help_text": "The run that rejected the row."},
            "line": {
                "help_text": "Line of the input in which the row begins, or the number of the "
                "value in a JSON document."
            },
            "code": {"help_text": "The reject code. The reference lists all of them."},
            "column": {"help_text": "The column with the error; empty if it is not in one."},
            "message": {"help_text": "What is wrong with the row, as a sentence."},
            "fixed": {"help_text": "The text that was saved as its repair; empty without one."},
            "created_at": {"help_text": "When the row was rejected."},
        }

    def get_text(self, row: RejectedRow) -> str:
        return row.text[:LISTED_CHARACTERS]

    def get_encoding(self, row: RejectedRow) -> str:
        return row.run.encoding or "utf-8"

    def get_size(self, row: RejectedRow) -> int:
        return len(row.raw)

    def get_remedy(self, row: RejectedRow) -> str:
        found = CATALOGUE.get(row.code)
        return found.remedy if found else ""

    def get_state(self, row: RejectedRow) -> str:
        return "open" if row.resolved_by_id is None else "resolved"

    def get_record(self, row: RejectedRow) -> str | None:
        return row.record_id or None

    def get_page(self, row: RejectedRow) -> str:
        return reverse("rejected-row", args=[row.pk])


class RejectedRowDetailSerializer(RejectedRowSerializer):
    """A rejected row with all of its text, its exact bytes and its cells."""

    raw = serializers.SerializerMethodField(help_text="The exact bytes of the row, in Base64.")
    cells = serializers.SerializerMethodField(
        help_text="The cells by column, if they can be told apart; null for rows of JSON, which "
        "are repaired as text."
    )

    class Meta(RejectedRowSerializer.Meta):
        fields = (*RejectedRowSerializer.Meta.fields, "raw", "cells")

    def get_text(self, row: RejectedRow) -> str:
        return row.text

    def get_raw(self, row: RejectedRow) -> str:
        return b64encode(bytes(row.raw)).decode()

    def get_cells(self, row: RejectedRow) -> dict[str, str] | None:
        return repair.cells_of(row, replay.text_of(row))


class RejectedQuery(SourceQuery):
    """Filters for a list of rejected rows."""

    run = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=GREATEST_ID,
        help_text="The number of an ingestion run; the rows of its replays are listed, too.",
    )
    code = serializers.CharField(
        required=False, allow_blank=True, max_length=40, help_text="A reject code."
    )
    column = serializers.CharField(
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        max_length=255,
        help_text="The column that the error is in.",
    )
    state = serializers.ChoiceField(
        choices=STATES,
        required=False,
        default="open",
        help_text="Rows that no replay has taken up yet, those that one has, or all.",
    )


class OfRunQuery(RejectedQuery):
    """Filters for the rejected rows of one run."""

    run = None  # type: ignore[assignment]
    source = None  # type: ignore[assignment]


class RejectedPagination(KeyPagination):
    """Rejected rows in the order in which they were rejected."""

    name = "rejected_rows"


class RejectedListView(StrictQuery, generics.ListAPIView[RejectedRow]):
    """Rejected rows in the order in which they were rejected. Follow `next` for more."""

    queryset = RejectedRow.objects.select_related("run__source")
    serializer_class = RejectedRowSerializer
    pagination_class = RejectedPagination
    query_serializer: type[serializers.Serializer[Any]] = RejectedQuery
    query_parameters = frozenset({"run", "source", "code", "column", "state", "limit", "cursor"})

    @extend_schema(
        operation_id="rejected_rows_list",
        summary="List rejected rows",
        parameters=[RejectedQuery],
        responses={
            200: RejectedRowSerializer(many=True),
            400: ErrorSerializer,
            401: ErrorSerializer,
            404: ErrorSerializer,
        },
        examples=[OpenApiExample("Rejected row", value=ROW, response_only=True)],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def filter_queryset(self, queryset: Any) -> Any:
        query = self.query_serializer(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        said = query.validated_data
        run = self.kwargs.get("pk") or said.get("run")
        if run:
            queryset = queryset.of_run(run_or_not_found(run))
        if source := said.get("source"):
            queryset = queryset.of_source(source)
        for name in ("code", "column"):
            if said.get(name):
                queryset = queryset.filter(**{name: said[name]})
        return queryset.in_state(said["state"])

    def get_view_name(self) -> str:
        return "Rejected rows"


class RunRejectedListView(RejectedListView):
    """Rejected rows of one run and its replays. Follow `next` for more."""

    query_serializer = OfRunQuery
    query_parameters = RejectedListView.query_parameters - {"run", "source"}

    @extend_schema(
        operation_id="runs_rejected_rows_list",
        summary="List the rejected rows of a run",
        parameters=[RUN_ID, OfRunQuery],
        responses={
            200: RejectedRowSerializer(many=True),
            400: ErrorSerializer,
            401: ErrorSerializer,
            404: ErrorSerializer,
        },
        examples=[OpenApiExample("Rejected row", value=ROW, response_only=True)],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


class RejectedDetailView(StrictQuery, generics.RetrieveAPIView[RejectedRow]):
    """One rejected row: its bytes, reason and remedy, and what has become of it."""

    queryset = RejectedRow.objects.select_related("run__source", "run__parent")
    serializer_class = RejectedRowDetailSerializer

    @extend_schema(
        operation_id="rejected_rows_retrieve",
        summary="Get a rejected row",
        parameters=[ROW_ID],
        responses={
            200: RejectedRowDetailSerializer,
            401: ErrorSerializer,
            404: ErrorSerializer,
        },
        examples=[
            OpenApiExample(
                "Rejected row",
                value={**ROW, "raw": "MzsyMDI2LTAzLTAx", "cells": None},
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def get_object(self) -> RejectedRow:
        return or_not_found(by_id(self.get_queryset(), self.kwargs["pk"]), "Rejected row")

    def get_view_name(self) -> str:
        return "Rejected row"


class RepairBody(StrictBody):
    """The repaired row: all of its text, or some of its cells."""

    constraints: ClassVar[dict[str, Any]] = {
        "oneOf": [{"required": ["text"]}, {"required": ["cells"]}]
    }

    text = serializers.CharField(
        required=False,
        trim_whitespace=False,
        help_text="The whole row as it should be, written as in the input.",
    )
    cells = serializers.DictField(
        required=False,
        allow_empty=False,
        child=serializers.CharField(allow_blank=True, trim_whitespace=False),
        help_text="The cells to change, by column; the others stay. For delimited text.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError({"text": ["Give either `text` or `cells`."]})
        return attrs


class RepairView(StrictQuery, generics.GenericAPIView[RejectedRow]):
    """Repair a rejected row and replay it at once; the row becomes a record."""

    queryset = RejectedDetailView.queryset
    serializer_class = RepairBody
    parser_classes = (JSONParser,)
    permission_classes = (MayRead, to_post(Action.REPLAY))

    @extend_schema(
        operation_id="rejected_rows_repair",
        summary="Repair and replay a rejected row",
        parameters=[ROW_ID],
        request=RepairBody,
        responses={
            200: RejectedRowDetailSerializer,
            202: IngestionRunSerializer,
            400: ErrorSerializer,
            401: ErrorSerializer,
            403: ErrorSerializer,
            404: ErrorSerializer,
            409: ErrorSerializer,
        },
        description="Answers 200 with the row if it has become a record, 400 with the reason if "
        "the new content can't be imported either (nothing is changed), 409 if it was replayed "
        "before, and 202 with the run if the replay waits for a worker.",
        examples=[
            OpenApiExample("Text", value={"text": "3;2026-03-01;12.50"}, request_only=True),
            OpenApiExample("Cells", value={"cells": {"amount": "12.50"}}, request_only=True),
        ],
    )
    def post(self, request: Request, pk: int) -> Response:
        row = or_not_found(by_id(self.get_queryset(), pk), "Rejected row")
        body = RepairBody(data=request.data)
        body.is_valid(raise_exception=True)
        if row.resolved_by_id is not None:
            raise Conflict("This row has already been replayed.")
        try:
            done, is_elsewhere = repair.repair(
                row=row,
                text=_text(row, body.validated_data),
                trigger="api",
                user=cast(User, request.user),
            )
        except NotRepaired as error:
            raise serializers.ValidationError(
                {error.fault.column or "row": [error.fault.message]}, code=error.fault.code
            ) from error
        except CannotReplay as error:
            raise Conflict(str(error)) from error
        if is_elsewhere or done.is_active:
            return started(request, done)
        if not row.record_id:
            raise Conflict(done.error or "The row was rejected again.")
        return Response(dict(RejectedRowDetailSerializer(row).data))

    def get_view_name(self) -> str:
        return "Repair"


def _text(row: RejectedRow, said: dict[str, Any]) -> str:
    if "text" in said:
        return str(said["text"]).replace("\r\n", "\n")
    if repair.cells_of(row, "") is None and row.run.dialect.get("format") in repair.AS_TEXT:
        raise serializers.ValidationError({"cells": ["Rows of JSON are repaired as `text`."]})
    known = frozenset(row.run.columns)
    if unknown := sorted(set(said["cells"]) - known):
        raise serializers.ValidationError(
            {"cells": [f"The row has no column {unknown[0]!r}. Its columns are those of its run."]}
        )
    return repair.text_with(row, said["cells"])


class ReplayBody(StrictBody):
    """Which open rows to replay: all but those that are no data, if neither field is given."""

    constraints: ClassVar[dict[str, Any]] = {"not": {"required": ["ids", "code"]}}

    ids = serializers.ListField(
        required=False,
        allow_empty=False,
        max_length=MOST_IDS,
        child=serializers.IntegerField(min_value=1, max_value=GREATEST_ID),
        help_text="Numbers of open rejected rows of the run.",
    )
    code = serializers.ChoiceField(
        required=False,
        choices=[(code, found.title) for code, found in CATALOGUE.items()],
        help_text="A reject code: replay the rows with this one. Rows that are no data, such as "
        "totals, are imported as data so.",
    )
    encoding = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=40,
        help_text="Read the rows in this encoding instead of that of the input.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "ids" in attrs and "code" in attrs:
            raise serializers.ValidationError({"code": ["Give either `ids` or `code`."]})
        try:
            attrs |= check_reading({"encoding": attrs.get("encoding", "").strip()})
        except InvalidReading as error:
            raise serializers.ValidationError({"encoding": [str(error)]}) from error
        return attrs


class ReplayView(StrictQuery, generics.GenericAPIView[IngestionRun]):
    """Replay open rejected rows of a run, in the background: by number, by code, or all."""

    queryset = IngestionRun.objects.with_source()
    serializer_class = ReplayBody
    parser_classes = (JSONParser,)
    permission_classes = (MayRead, to_post(Action.REPLAY))

    @extend_schema(
        operation_id="runs_replay",
        summary="Replay the rejected rows of a run",
        parameters=[RUN_ID],
        request=ReplayBody,
        responses={
            202: IngestionRunSerializer,
            400: ErrorSerializer,
            401: ErrorSerializer,
            403: ErrorSerializer,
            404: ErrorSerializer,
            409: ErrorSerializer,
        },
        examples=[
            OpenApiExample("All", value={}, request_only=True),
            OpenApiExample("By number", value={"ids": [12, 13]}, request_only=True),
            OpenApiExample("By code", value={"code": "missing_key"}, request_only=True),
        ],
    )
    def post(self, request: Request, pk: int) -> Response:
        run = run_or_not_found(pk)
        body = ReplayBody(data=request.data)
        body.is_valid(raise_exception=True)
        said = body.validated_data
        if ids := said.get("ids"):
            _check_ids(run, ids)
        try:
            made = replay.create_replay(
                run=run,
                trigger="api",
                user=cast(User, request.user),
                selection=ids,
                code=said.get("code", ""),
                encoding=said.get("encoding", ""),
            )
        except CannotReplay as error:
            raise Conflict(str(error)) from error
        queue(made)
        return started(request, made)

    def get_view_name(self) -> str:
        return "Replay"


def _check_ids(run: IngestionRun, ids: list[int]) -> None:
    """Raise ValidationError unless all of these are open rejected rows of the run."""
    open_rows = RejectedRow.objects.of_run(run.parent or run).open()
    found: set[int] = set()
    for start in range(0, len(ids), 500):
        chosen = open_rows.chosen(ids[start : start + 500])
        found.update(chosen.values_list("pk", flat=True))
    if missing := sorted(set(ids) - found):
        raise exceptions.ValidationError(
            {"ids": [f"The run has no open rejected row {missing[0]}."]}
        )


def run_or_not_found(pk: int) -> IngestionRun:
    return or_not_found(by_id(IngestionRun.objects.with_source(), pk), "Run")
