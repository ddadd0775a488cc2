"""The API that creates records: items in one body, and an outcome for each."""

import re
from typing import Any, cast

import orjson
from django.contrib.auth.models import User
from django.utils.http import parse_header_parameters
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import exceptions, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from ingestion.api.bodies import Body, BodyParser, chunks
from ingestion.api.fields import ItemsQuery, mapping_of
from ingestion.api.ingest import NoRoomHere
from ingestion.api.runs import started, url_of
from ingestion.errors import IngestionError, KeyReused, NoRoom, TooManyItems
from ingestion.loading.items import import_items, outcomes_of
from ingestion.parsing.items import Items, items_of_json, items_of_lines
from ingestion.parsing.limits import MAX_ITEMS, MAX_ITEMS_BYTES
from records.api.run_serializers import IngestionRunSerializer, LedgerSerializer
from records.models import IngestionRun
from web.api.base import TooLarge, Unprocessable
from web.api.serializers import ErrorSerializer
from web.numbers import size

JSON, LINES = "application/json", "application/x-ndjson"
PARSERS = tuple(type("ItemsParser", (BodyParser,), {"media_type": kind}) for kind in (JSON, LINES))
KEY = re.compile(r"[\x21-\x7e]{1,255}")
REPEATED = "Idempotent-Replayed"


class OutcomeSerializer(serializers.Serializer[Any]):
    """What has become of one item."""

    line = serializers.IntegerField(
        help_text="The place of the item in the body, from 1; in NDJSON, its line."
    )
    outcome = serializers.ChoiceField(
        choices=["created", "updated", "unchanged", "rejected"],
        help_text="Whether the item made a record, changed one, says what the record says already, "
        "or was rejected.",
    )
    id = serializers.CharField(
        allow_null=True, help_text="The ID of the record; null for a rejected item."
    )
    code = serializers.CharField(required=False, help_text="The reject code of a rejected item.")
    column = serializers.CharField(
        required=False, help_text="The column that the error of a rejected item is in, if any."
    )
    message = serializers.CharField(required=False, help_text="Why the item was rejected.")
    rejected_row = serializers.IntegerField(
        required=False, help_text="The number of the rejected row, by which it can be repaired."
    )


class OutcomesSerializer(serializers.Serializer[Any]):
    """The run that imported the items, and an outcome for each of them, in their order."""

    run = serializers.IntegerField(help_text="The number of the run. It can be undone like others.")
    source = serializers.CharField(help_text="The source.")  # type: ignore[assignment]
    ledger = LedgerSerializer(help_text="The counts of the items.")
    outcomes = OutcomeSerializer(many=True, help_text="What has become of each item.")


EXAMPLE = {
    "run": 7,
    "source": "sales",
    "ledger": {"read": 2, "created": 1, "updated": 0, "unchanged": 0, "rejected": 1},
    "outcomes": [
        {"line": 1, "outcome": "created", "id": "sales:A-1"},
        {
            "line": 2,
            "outcome": "rejected",
            "id": None,
            "code": "missing_key",
            "column": "order",
            "message": "The row has no key: 'order' is empty.",
            "rejected_row": 12,
        },
    ],
}
ITEM = {"type": "object", "additionalProperties": {}}
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Your own name for this request, such as a UUID: up to 255 visible ASCII "
    "characters. Repeating the request with the same key and body changes nothing and gives the "
    "same answer, with the header `Idempotent-Replayed`. Keys are kept for 48 hours.",
)

describe_create = extend_schema(
    operation_id="records_create",
    summary="Create or update records",
    description=f"Imports one object or up to {MAX_ITEMS:,}, and answers when that is done: an "
    "ingestion run with a ledger, and an outcome for each item. Good items become records, bad "
    "ones become rejected rows.\n\n"
    "The body is an array of objects, one object, or NDJSON. Without `source` in the URL it is "
    '`{"source": "sales", "records": [..]}`.\n\n'
    "201: every item is in. 207: at least one was rejected. 202: the items are stored, but can't "
    "be imported now; the run goes on in the background. 422: the items can't be imported as a "
    "whole (`detail` says why), or the `Idempotency-Key` came with another request before.",
    parameters=[ItemsQuery, IDEMPOTENCY_KEY],
    request={
        # What is no object becomes a rejected row.
        JSON: {"oneOf": [{"type": "array", "items": {}}, ITEM]},
        LINES: {"contentMediaType": LINES},
    },
    responses={
        201: OutcomesSerializer,
        207: OutcomesSerializer,
        202: IngestionRunSerializer,
        400: ErrorSerializer,
        401: ErrorSerializer,
        403: ErrorSerializer,
        413: ErrorSerializer,
        415: ErrorSerializer,
        422: ErrorSerializer,
        507: ErrorSerializer,
    },
    examples=[
        OpenApiExample(
            "Two items",
            value=[{"order": "A-1", "amount": 12.5}, {"order": "", "amount": 3}],
            request_only=True,
            media_type=JSON,
        ),
        OpenApiExample(
            "Lines",
            value='{"order": "A-1", "amount": 12.5}\n{"order": "A-2", "amount": 3}\n',
            request_only=True,
            media_type=LINES,
        ),
        OpenApiExample("Outcomes", value=EXAMPLE, response_only=True, status_codes=["201", "207"]),
    ],
)


def create_records(request: Request) -> Response:
    """Import the items in the body of a request; the answer has an outcome for each."""
    sent = request.data
    if not isinstance(sent, Body):
        raise exceptions.ParseError(
            "The request has no body. Send the items as JSON or NDJSON, with a Content-Length."
        )
    key = key_of(request)
    given = request.query_params.copy()
    given.pop("format", None)
    body = b"".join(chunks(sent, length_of(request)))
    media_type, _ = parse_header_parameters(request.content_type)
    try:
        items = _items(body, media_type, given)
        query = ItemsQuery(data=given)
        query.is_valid(raise_exception=True)
        run, is_repeated = import_items(
            items=items,
            source_name=query.validated_data["source"],
            user=cast(User, request.user),
            options=mapping_of(query.validated_data),
            key=key,
        )
    except TooManyItems as error:
        raise TooLarge(str(error)) from error
    except KeyReused as error:
        raise Unprocessable(str(error)) from error
    except NoRoom as error:
        raise NoRoomHere(str(error)) from error
    except IngestionError as error:
        raise exceptions.ParseError(str(error)) from error
    headers = {"Location": url_of(request, run)}
    if is_repeated:
        headers[REPEATED] = "true"
    if run.is_active:
        response = started(request, run)
        for name, value in headers.items():
            response[name] = value
        return response
    return _answer(run, headers)


def _answer(run: IngestionRun, headers: dict[str, str]) -> Response:
    if run.error:
        raise Unprocessable(f"Run {run.pk} failed. {run.error}")
    outcomes = outcomes_of(run)
    if len(outcomes) != run.read:
        raise Unprocessable(f"Run {run.pk} has ended, and its outcomes are no longer kept.")
    said = {
        "run": run.pk,
        "source": run.source.name,
        "ledger": LedgerSerializer(run).data,
        "outcomes": outcomes,
    }
    code = status.HTTP_207_MULTI_STATUS if run.rejected else status.HTTP_201_CREATED
    return Response(said, status=code, headers=headers)


def key_of(request: Request) -> str:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not KEY.fullmatch(key):
        raise serializers.ValidationError(
            {"Idempotency-Key": ["Must have 1 to 255 visible ASCII characters."]}
        )
    return key or ""


def length_of(request: Request) -> int:
    length = int(request.META["CONTENT_LENGTH"])
    if length > MAX_ITEMS_BYTES:
        raise TooLarge(
            f"The body has {size(length)}; the limit is {size(MAX_ITEMS_BYTES)}. Send it in parts, "
            "or as a file to the endpoint `ingest`."
        )
    return length


def _items(body: bytes, media_type: str, given: Any) -> Items:
    """The items in a body. Where the URL names no source, the body does, and that is added."""
    if media_type == LINES:
        return items_of_lines(body)
    if given.get("source"):
        return items_of_json(body)
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        items_of_json(body)  # It knows better what is wrong.
        said = None
    if not isinstance(said, dict) or said.keys() != {"source", "records"}:
        raise serializers.ValidationError(
            {"source": ['Name the source in the URL, or send {"source": .., "records": [..]}.']}
        )
    given["source"] = said["source"] if isinstance(said["source"], str) else ""
    return items_of_json(body, member="records")
