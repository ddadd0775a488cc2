"""The REST API of automatic imports (feeds): each source has at most one."""

from collections.abc import Mapping
from typing import Any, cast

from django.contrib.auth.models import User
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import generics, serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rights import MayRead
from ingestion.errors import IngestionError
from ingestion.feeds import services
from ingestion.feeds.config import POSITION
from ingestion.feeds.errors import FeedError, InvalidFeed
from ingestion.feeds.paging import Style
from ingestion.feeds.secrets import kept_names
from records.api.run_serializers import IngestionRunSerializer, ObjectField, described
from records.api.runs import RETRY_SECONDS
from records.models import Feed, Source
from records.permissions import Action, needing
from web.api.base import Conflict, StrictQuery, or_not_found
from web.api.pagination import KeyPagination
from web.api.requests import JSONParser
from web.api.serializers import ErrorSerializer, StrictBody

NAME = OpenApiParameter("name", str, OpenApiParameter.PATH, description="Name of the source.")
ERRORS = {401: ErrorSerializer, 403: ErrorSerializer, 404: ErrorSerializer}
SHOWN_ROWS = 5
LARGEST = 1_000_000


class TextField(serializers.CharField):
    """A text that may be left out or empty."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"required": False, "allow_blank": True, "max_length": 2_000, **options})


class HeadersField(serializers.DictField):
    """HTTP headers."""

    child = serializers.CharField(max_length=20_000, allow_blank=True, trim_whitespace=False)


class PagingSerializer(StrictBody):
    """How the API is read page by page."""

    style = serializers.ChoiceField(  # type: ignore[assignment]
        choices=[str(style) for style in Style],
        required=False,
        help_text="How the API points to its next page. Default: `none`.",
    )
    path = TextField(
        help_text="Path to the next link or cursor in the response; for `last_row`, its column."
    )
    param = TextField(help_text="URL parameter for the page number, offset or cursor.")
    start = serializers.IntegerField(
        required=False, min_value=0, max_value=LARGEST, help_text="First page number. Default: 1."
    )
    limit_param = TextField(help_text="URL parameter for the rows per page.")
    limit = serializers.IntegerField(
        required=False, min_value=0, max_value=LARGEST, help_text="Rows per page."
    )


class IncrementalSerializer(StrictBody):
    """How only new rows are requested."""

    column = TextField(help_text="A column that only grows, such as `updated_at`.")
    param = TextField(help_text="URL parameter that requests newer rows.")
    value = TextField(help_text=f"Value of the parameter; `{POSITION}` is the last cursor.")
    start = TextField(help_text="Cursor of the first import. Default: import everything.")


class FeedRequest(StrictBody):
    """Where an automatic import gets its data, and when."""

    kind = serializers.ChoiceField(
        choices=Feed.Kind.choices, help_text="`http`: an API; `folder`: a folder of the server."
    )
    url = TextField(max_length=4_000, help_text="URL of the API. Required for `http`.")
    headers = HeadersField(required=False, help_text="Headers of requests. They are not secret.")
    secrets = HeadersField(
        required=False,
        write_only=True,
        help_text="Secret headers, added to those saved. They are stored encrypted and never "
        "shown.",
    )
    forget_secrets = serializers.BooleanField(
        default=False, write_only=True, help_text="Delete the secret headers that are saved."
    )
    rows_path = TextField(help_text="Path to the rows, such as `data.items`.")
    paging = PagingSerializer(required=False, help_text="How the API is read page by page.")
    incremental = IncrementalSerializer(
        required=False, help_text="How only new rows are requested. Default: all rows each time."
    )
    start_over = serializers.BooleanField(
        default=False, write_only=True, help_text="Forget the last cursor: import all rows again."
    )
    folder = TextField(help_text="The folder. Required for `folder`.")
    pattern = TextField(help_text="Which files, such as `*.csv`. Required for `folder`.")
    schedule = TextField(
        max_length=100, help_text="Cron expression of five fields. Empty: manual imports only."
    )
    enabled = serializers.BooleanField(
        default=True, help_text="Whether the schedule is switched on."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        needed = ("url",) if attrs["kind"] == Feed.Kind.HTTP else ("folder", "pattern")
        if missing := [name for name in needed if not attrs.get(name)]:
            raise ValidationError({name: ["This field is required."] for name in missing})
        return attrs


class FeedSerializer(serializers.ModelSerializer[Feed]):
    """The automatic import of a source."""

    source = serializers.CharField(  # type: ignore[assignment]
        source="source.name", help_text="Name of the source."
    )
    config = ObjectField(
        help_text="`url`, `headers`, `rows_path`, `paging` and `incremental` of an API, `folder` "
        "and `pattern` of a folder."
    )
    secrets = serializers.SerializerMethodField(help_text="Names of the secret headers.")
    user = serializers.CharField(
        source="user.username", default=None, allow_null=True, help_text="Who set it up."
    )

    class Meta:
        model = Feed
        fields = (
            "source",
            "kind",
            "config",
            "secrets",
            "schedule",
            "enabled",
            "next_at",
            "position",
            "user",
            "created_at",
        )
        read_only_fields = fields
        extra_kwargs = {
            "kind": {"help_text": "`http`: an API; `folder`: a folder of the server."},
            "schedule": {"help_text": "Cron expression; empty: manual imports only."},
            "enabled": {"help_text": "Whether the schedule is switched on."},
            "next_at": {"help_text": "When it runs next; null without a schedule."},
            "position": {"help_text": "The last cursor; empty before the first import."},
            "created_at": {"help_text": "When it was set up."},
        }

    @extend_schema_field({"type": "array", "items": {"type": "string"}})
    def get_secrets(self, feed: Feed) -> list[str]:
        return kept_names(feed.secrets)


class FeedPagination(KeyPagination):
    """Feeds in the order in which they were made."""

    name = "feeds"


class FeedListView(StrictQuery, generics.ListAPIView[Feed]):
    """All automatic imports."""

    queryset = Feed.objects.select_related("source", "user")
    serializer_class = FeedSerializer
    pagination_class = FeedPagination
    query_parameters = frozenset({"limit", "cursor"})
    permission_classes = (
        MayRead,
        needing(GET=Action.CHANGE_FEED, HEAD=Action.CHANGE_FEED),
    )

    @extend_schema(
        operation_id="feeds_list",
        summary="List automatic imports",
        responses={
            200: FeedSerializer(many=True),
            400: ErrorSerializer,
            401: ErrorSerializer,
            403: ErrorSerializer,
        },
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def get_view_name(self) -> str:
        return "Feeds"


class FeedView(StrictQuery):
    """The automatic import of a source."""

    parser_classes = (JSONParser,)
    permission_classes = (
        MayRead,
        needing(
            GET=Action.CHANGE_FEED,
            HEAD=Action.CHANGE_FEED,
            PUT=Action.CHANGE_FEED,
            DELETE=Action.DELETE_FEED,
        ),
    )

    @extend_schema(
        operation_id="feeds_retrieve",
        summary="Get the automatic import of a source",
        parameters=[NAME],
        responses={200: FeedSerializer, **ERRORS},
    )
    def get(self, request: Request, name: str) -> Response:
        """Where the source gets its data, and when. Secret headers are never shown."""
        return Response(FeedSerializer(feed_of(name)).data)

    @extend_schema(
        operation_id="feeds_save",
        summary="Save the automatic import of a source",
        parameters=[NAME],
        request=FeedRequest,
        responses={200: FeedSerializer, 400: ErrorSerializer, **ERRORS},
    )
    def put(self, request: Request, name: str) -> Response:
        """Set up the automatic import, or replace its settings. A new source is created."""
        said = _said(request)
        try:
            feed = services.save_feed(
                source_name=name,
                kind=said["kind"],
                config=config_of(said),
                secrets=said.get("secrets"),
                forget_secrets=said["forget_secrets"],
                start_over=said["start_over"],
                schedule=said.get("schedule", ""),
                enabled=said["enabled"],
                user=cast(User, request.user),
            )
        except InvalidFeed as error:
            raise ValidationError({error.field: [str(error)]}) from error
        except IngestionError as error:
            raise ValidationError({"source": [str(error)]}) from error
        return Response(FeedSerializer(feed).data)

    @extend_schema(
        operation_id="feeds_remove",
        summary="Remove the automatic import of a source",
        parameters=[NAME],
        responses={204: None, **ERRORS},
    )
    def delete(self, request: Request, name: str) -> Response:
        """Remove the automatic import; the source, its records and its runs are kept."""
        services.remove_feed(feed_of(name))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def get_view_name(self) -> str:
        return "Feed"


class StartedSerializer(serializers.Serializer[Any]):
    """The runs that were started."""

    runs = IngestionRunSerializer(
        many=True, help_text="One for an API, one for each new file of a folder; none if there are "
        "no new files, or if they may still be growing."
    )  # fmt: skip


class RunFeedView(StrictQuery):
    """Start the automatic import of a source now."""

    permission_classes = (
        MayRead,
        needing(POST=Action.CHANGE_FEED),
        needing(POST=Action.IMPORT),
    )

    @extend_schema(
        operation_id="feeds_run",
        summary="Run the automatic import of a source now",
        parameters=[NAME],
        request=None,
        responses={202: StartedSerializer, **ERRORS, 409: ErrorSerializer},
    )
    def post(self, request: Request, name: str) -> Response:
        """Import what is there now. An API that is being imported is not started again."""
        try:
            made = services.start(feed_of(name), trigger="api", user=cast(User, request.user))
        except FeedError as error:
            raise Conflict(str(error)) from error
        return Response(
            {"runs": [described(run, request) for run in made]},
            status=status.HTTP_202_ACCEPTED,
            headers={"Retry-After": str(RETRY_SECONDS)},
        )

    def get_view_name(self) -> str:
        return "Run"


class TriedSerializer(serializers.Serializer[Any]):
    """What an API answered."""

    count = serializers.IntegerField(help_text="Rows on the first page.")
    rows = serializers.ListField(
        child=serializers.CharField(), help_text="The first rows, as the JSON that was received."
    )
    notes = serializers.ListField(
        child=serializers.CharField(), help_text="What was noticed, as sentences."
    )


class TryFeedView(StrictQuery):
    """Test the settings of an automatic import."""

    parser_classes = (JSONParser,)
    permission_classes = (MayRead, needing(POST=Action.CHANGE_FEED))

    @extend_schema(
        operation_id="feeds_test",
        summary="Test the settings of an automatic import",
        parameters=[NAME],
        request=FeedRequest,
        responses={200: TriedSerializer, 400: ErrorSerializer, **ERRORS, 409: ErrorSerializer},
    )
    def post(self, request: Request, name: str) -> Response:
        """Request the first page of an API. Nothing is imported or saved."""
        said = _said(request)
        if said["kind"] != Feed.Kind.HTTP:
            raise ValidationError({"kind": ["Only an API can be tested."]})
        kept = Feed.objects.filter(source__name=name).first()
        try:
            page = services.try_api(config_of(said), said.get("secrets") or {}, kept)
        except InvalidFeed as error:
            raise ValidationError({error.field: [str(error)]}) from error
        except FeedError as error:
            raise Conflict(str(error)) from error
        rows = [row.encode(errors="replace").decode() for row in page.rows[:SHOWN_ROWS]]
        return Response({"count": len(page.rows), "rows": rows, "notes": page.notes})

    def get_view_name(self) -> str:
        return "Test"


def _said(request: Request) -> dict[str, Any]:
    wanted = FeedRequest(data=request.data)
    wanted.is_valid(raise_exception=True)
    said: dict[str, Any] = wanted.validated_data
    return said


def config_of(said: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of a feed as it is stored."""
    if said["kind"] == Feed.Kind.FOLDER:
        return {"folder": said["folder"], "pattern": said["pattern"]}
    new = said.get("incremental") or {}
    return {
        "url": said["url"],
        "headers": dict(said.get("headers") or {}),
        "rows_path": said.get("rows_path", ""),
        "paging": {"style": Style.NONE, **(said.get("paging") or {})},
        "incremental": {name: value for name, value in new.items() if value},
    }


def feed_of(name: str) -> Feed:
    """The feed of a source. Raises NotFound."""
    found = Source.objects.named(name)
    source: Source = or_not_found(found, "Source")
    feed = Feed.objects.filter(source=source).select_related("source", "user").first()
    return or_not_found(feed, "Feed")
