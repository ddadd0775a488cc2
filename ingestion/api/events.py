"""The API that takes events: JSON, NDJSON or CloudEvents, and an outcome for each."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, cast

from django.contrib.auth.models import User
from django.utils.http import parse_header_parameters
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import exceptions, generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rights import MayRead
from ingestion.api.bodies import Body, BodyParser, chunks
from ingestion.api.items import (
    IDEMPOTENCY_KEY,
    ITEM,
    JSON,
    LINES,
    REPEATED,
    OutcomeSerializer,
    key_of,
    length_of,
)
from ingestion.errors import (
    IngestionError,
    InvalidItems,
    InvalidSourceName,
    TooManyItems,
    TooManyWaiting,
)
from ingestion.events.landing import Answer
from ingestion.events.queue import queue
from ingestion.events.rows import Sent
from ingestion.parsing import cloud_events
from ingestion.parsing.cloud_events import EventRow
from ingestion.parsing.items import texts_of_json, texts_of_lines
from ingestion.parsing.limits import MAX_ITEMS
from ingestion.parsing.readers.base import KEEP_BYTES
from records.api.run_serializers import LedgerSerializer
from records.errors import EnvironmentFault
from records.models import IngestionRun
from records.permissions import Action, to_post
from web.api.base import StrictQuery, TooLarge, TooManyRequests, Unavailable, Unprocessable
from web.api.serializers import ErrorSerializer

NAME = OpenApiParameter("name", str, OpenApiParameter.PATH, description="Name of the source.")
CLOUD_EVENT = "application/cloudevents+json"
CLOUD_EVENTS = "application/cloudevents-batch+json"
PARSERS = tuple(
    type("EventsParser", (BodyParser,), {"media_type": kind})
    for kind in (JSON, LINES, CLOUD_EVENT, CLOUD_EVENTS)
)
# After how many seconds to repeat a request that could not be saved, or that found the queue full.
RETRY_SECONDS = 5
BUSY_SECONDS = 1
# What a duplicate is in the ledger.
COUNTED_AS = {"duplicate": "unchanged"}


class EventOutcomeSerializer(OutcomeSerializer):
    """What has become of one event."""

    line = serializers.IntegerField(help_text="The number of the event in its run.")
    outcome = serializers.ChoiceField(
        choices=["created", "updated", "unchanged", "rejected", "duplicate"],
        help_text="Whether the event made a record, changed one, says what the record says "
        "already, was rejected, or is a CloudEvent that came before (which the ledger counts as "
        "unchanged).",
    )


class EventsAnswerSerializer(serializers.Serializer[Any]):
    """The run that the events are in, and an outcome for each of them, in their order."""

    run = serializers.IntegerField(help_text="The number of the run. It can be undone like others.")
    source = serializers.CharField(help_text="The source.")  # type: ignore[assignment]
    ledger = LedgerSerializer(help_text="The counts of these events.")
    outcomes = EventOutcomeSerializer(many=True, help_text="What has become of each event.")


EXAMPLE = {
    "run": 12,
    "source": "sales",
    "ledger": {"read": 2, "created": 1, "updated": 0, "unchanged": 0, "rejected": 1},
    "outcomes": [
        {"line": 41, "outcome": "created", "id": "sales:A-1"},
        {
            "line": 42,
            "outcome": "rejected",
            "id": None,
            "code": "missing_key",
            "column": "order",
            "message": "The row has no key: 'order' is empty.",
            "rejected_row": 12,
        },
    ],
}
CLOUD_EXAMPLE = {
    "specversion": "1.0",
    "id": "7f3c",
    "source": "/shops/3",
    "type": "order.placed",
    "time": "2026-03-04T05:06:07Z",
    "data": {"order": "A-1", "amount": 12.5},
}


class EventsView(StrictQuery, generics.GenericAPIView[IngestionRun]):
    """Take events, one by one or in bulk."""

    queryset = IngestionRun.objects.none()
    serializer_class = EventsAnswerSerializer
    permission_classes = (MayRead, to_post(Action.IMPORT))
    parser_classes = PARSERS

    @extend_schema(
        operation_id="events_create",
        summary="Send events",
        description=f"Saves one event or up to {MAX_ITEMS:,}, and answers when they are committed, "
        "with an outcome for each. Events are rows of a run that stays open: it ends some minutes "
        "after the last event, at the end of the day, or when it is undone or its rejected rows "
        "are replayed.\n\n"
        "The body is an array of objects, one object, or NDJSON; or CloudEvents 1.0: one "
        f"(`{CLOUD_EVENT}`), several (`{CLOUD_EVENTS}`), or the data of one with its attributes in "
        "`ce-` headers. The members of `data` are cells, and so are the attributes, as `ce_id`, "
        "`ce_type` and so on.\n\n"
        "The key of an event is in the ID columns of the source; else it is the source and ID of "
        "the CloudEvent; else, in a source without ID columns, it is made: from the "
        "`Idempotency-Key` and the place in the body, or anew for each event.\n\n"
        "201: all events are in. 207: at least one was rejected. 422: the events can't be mapped "
        "(`detail` says why), or the `Idempotency-Key` came with another body before. 429: too "
        "many events are waiting. 503: the database can't be written to. After both, repeat the "
        "request when `Retry-After` seconds have passed.",
        parameters=[NAME, IDEMPOTENCY_KEY],
        request={
            JSON: {"oneOf": [{"type": "array", "items": ITEM}, ITEM]},
            LINES: {"contentMediaType": LINES},
            CLOUD_EVENT: ITEM,
            CLOUD_EVENTS: {"type": "array", "items": ITEM},
        },
        responses={
            201: EventsAnswerSerializer,
            207: EventsAnswerSerializer,
            400: ErrorSerializer,
            401: ErrorSerializer,
            403: ErrorSerializer,
            413: ErrorSerializer,
            415: ErrorSerializer,
            422: ErrorSerializer,
            429: ErrorSerializer,
            503: ErrorSerializer,
        },
        examples=[
            OpenApiExample(
                "Two events",
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
            OpenApiExample(
                "CloudEvent", value=CLOUD_EXAMPLE, request_only=True, media_type=CLOUD_EVENT
            ),
            OpenApiExample(
                "CloudEvents", value=[CLOUD_EXAMPLE], request_only=True, media_type=CLOUD_EVENTS
            ),
            OpenApiExample(
                "Outcomes", value=EXAMPLE, response_only=True, status_codes=["201", "207"]
            ),
        ],
    )
    def post(self, request: Request, name: str) -> Response:
        try:
            sent = Sent(name, cast(User, request.user), _events(request), key_of(request))
            answer = queue.save(sent)
        except TooManyItems as error:
            raise TooLarge(str(error)) from error
        except TooManyWaiting as error:
            raise TooManyRequests(str(error), seconds=BUSY_SECONDS) from error
        except EnvironmentFault as error:
            raise Unavailable(str(error), seconds=RETRY_SECONDS) from error
        except (InvalidItems, InvalidSourceName) as error:
            raise exceptions.ParseError(str(error)) from error
        except IngestionError as error:
            raise Unprocessable(str(error)) from error
        return _response(answer)

    def get_view_name(self) -> str:
        return "Events"


def _events(request: Request) -> list[EventRow]:
    sent = request.data
    if not isinstance(sent, Body):
        raise exceptions.ParseError(
            "The request has no body. Send the events as JSON or NDJSON, with a Content-Length."
        )
    body = b"".join(chunks(sent, length_of(request)))
    media_type, _ = parse_header_parameters(request.content_type)
    if media_type == LINES:
        return [EventRow(text) for text in texts_of_lines(body)]
    texts = texts_of_json(body)
    if media_type in (CLOUD_EVENT, CLOUD_EVENTS):
        return [cloud_events.of_structured(text) for text in texts]
    attributes = cloud_events.attributes_of(cast(Mapping[str, str], request.headers))
    if attributes:
        data = body.decode("utf-8", KEEP_BYTES).strip()
        return [cloud_events.of_binary(attributes, data)]
    return [EventRow(text) for text in texts]


def _response(answer: Answer) -> Response:
    outcomes = answer.outcomes
    counts = Counter(COUNTED_AS.get(each["outcome"], each["outcome"]) for each in outcomes)
    names = ("created", "updated", "unchanged", "rejected")
    said = {
        "run": answer.run.pk,
        "source": answer.run.source.name,
        "ledger": {"read": len(outcomes), **{name: counts[name] for name in names}},
        "outcomes": outcomes,
    }
    code = status.HTTP_207_MULTI_STATUS if counts["rejected"] else status.HTTP_201_CREATED
    return Response(said, status=code, headers={REPEATED: "true"} if answer.is_repeated else None)
