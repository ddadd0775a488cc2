"""The API endpoint that runs statements in SQL."""

from typing import Any, cast

from django.contrib.auth.models import User
from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.rights import MayRead
from explore.sql.answer import SECONDS, NoResult, Result, Stopped, TryLater, result
from explore.sql.files import as_csv, as_parquet
from explore.sql.running import MOST_BYTES, MOST_ROWS
from explore.sql.statement import MOST_CHARACTERS
from records.permissions import Action, needing
from web.api.base import StrictQuery, TooManyRequests
from web.api.negotiation import AlwaysJSON
from web.api.pagination import TooLong
from web.api.requests import JSONParser
from web.api.serializers import ErrorSerializer, StrictBody

FORMATS = ("json", "csv", "parquet")
RETRY_SECONDS = 5
STATEMENT = (
    "One SELECT statement in the SQL of DuckDB. Each source that you may see is a table. At most "
    f"{MOST_CHARACTERS:,} characters."
)
FORMAT = "Format of the result. Default: `json`."


class SqlRequest(StrictBody):
    """A statement to run."""

    statement = serializers.CharField(max_length=MOST_CHARACTERS, help_text=STATEMENT)
    format = serializers.ChoiceField(choices=FORMATS, required=False, help_text=FORMAT)


class SqlResultSerializer(serializers.Serializer[Any]):
    """The result of a statement."""

    columns = serializers.ListField(child=serializers.CharField(), help_text="Names of columns.")
    types = serializers.ListField(
        child=serializers.CharField(), help_text="Types of the columns in DuckDB."
    )
    rows = serializers.ListField(
        child=serializers.ListField(),
        help_text="Cells of each row. Numbers, booleans and null are those of JSON; values of "
        "other types, also decimals, are exact text.",
    )
    is_cut = serializers.BooleanField(
        help_text=f"Whether there are more than {MOST_ROWS:,} rows, of which the first are listed."
    )
    remarks = serializers.ListField(
        child=serializers.CharField(), help_text="What the result lacks, in words."
    )
    as_of = serializers.DateTimeField(help_text="When the records were as they are here.")


RESPONSES: dict[Any, Any] = {
    (200, "application/json"): SqlResultSerializer,
    (200, "text/csv"): OpenApiTypes.STR,
    (200, "application/vnd.apache.parquet"): OpenApiTypes.BINARY,
    400: ErrorSerializer,
    401: ErrorSerializer,
    403: ErrorSerializer,
    429: ErrorSerializer,
    503: ErrorSerializer,
}
DESCRIPTION = (
    "One SELECT statement about the records of this moment, in the SQL of DuckDB. The tables are "
    "the sources that you may see. The statement runs in a separate process without files, network "
    f"and extensions, for at most {SECONDS:g} seconds. A result has at most {MOST_ROWS:,} rows and "
    f"{MOST_BYTES >> 20} MiB; a longer one is cut in JSON and refused as a file. Each statement is "
    "entered in the audit log. You can run one statement at a time; beyond that the response is "
    "429 with `Retry-After`."
)


class SqlView(StrictQuery, APIView):
    """The result of a statement in SQL."""

    for_an_account = True
    permission_classes = (
        MayRead,
        needing(GET=Action.WRITE_SQL, HEAD=Action.WRITE_SQL, POST=Action.WRITE_SQL),
    )
    parser_classes = (JSONParser,)
    # `format` names the kind of file, and not how the API answers.
    content_negotiation_class = AlwaysJSON

    def known_parameters(self, method: str) -> frozenset[str]:
        return frozenset({"statement", "format"} if method in ("GET", "HEAD") else ())

    @extend_schema(
        operation_id="sql_get",
        summary="Run SQL",
        description=DESCRIPTION,
        parameters=[
            OpenApiParameter("statement", str, required=True, description=STATEMENT),
            OpenApiParameter("format", str, enum=FORMATS, description=FORMAT),
        ],
        responses=RESPONSES,
    )
    def get(self, request: Request) -> HttpResponseBase:
        asked = SqlRequest(data=request.query_params.dict())
        return self._answer(request, asked)

    @extend_schema(
        operation_id="sql_run",
        summary="Run SQL from a body",
        description=DESCRIPTION,
        request=SqlRequest,
        responses=RESPONSES,
    )
    def post(self, request: Request) -> HttpResponseBase:
        return self._answer(request, SqlRequest(data=request.data))

    def _answer(self, request: Request, asked: SqlRequest) -> HttpResponseBase:
        asked.is_valid(raise_exception=True)
        kind = asked.validated_data.get("format", FORMATS[0])
        person = cast(User, request.user).pk
        try:
            found = result(
                asked.validated_data["statement"],
                person=person,
                kind="parquet" if kind == "parquet" else "rows",
            )
            if kind == "csv":
                return _file(as_csv(found), "text/csv; charset=utf-8", "result.csv")
            if kind == "parquet":
                return _file(as_parquet(found), "application/vnd.apache.parquet", "result.parquet")
        except TryLater as error:
            raise TooManyRequests(str(error), seconds=RETRY_SECONDS) from error
        except Stopped as error:
            raise TooLong(str(error)) from error
        except NoResult as error:
            raise ValidationError({"statement": [str(error)]}) from error
        return Response(SqlResultSerializer(_object(found)).data)

    def get_view_name(self) -> str:
        return "SQL"


def _file(content: str | bytes, media_type: str, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=media_type)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _object(found: Result) -> dict[str, Any]:
    return {
        "columns": found.outcome.columns,
        "types": found.outcome.types,
        "rows": found.outcome.rows,
        "is_cut": found.outcome.is_cut,
        "remarks": found.remarks,
        "as_of": found.as_of,
    }
