"""The REST API of rules: get the versions of a source's rule set, and save the next."""

from typing import Any, ClassVar, cast

from django.contrib.auth.models import User
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rights import MayRead
from processing.errors import InvalidRules
from processing.jobs import rule_dry_runs
from processing.lookups import check_lookups
from processing.rules import KINDS, Kind, describe
from processing.rules.check import EVERY_STEP, MOST_STEPS, check_rules
from records import store
from records.api.run_serializers import RuleDryRunSerializer
from records.api.runs import run_answer
from records.models import RuleSet, Source
from records.permissions import Action, to_post
from web.api.base import StrictQuery, or_not_found
from web.api.pagination import KeyPagination
from web.api.requests import JSONParser
from web.api.serializers import ErrorSerializer, StrictBody
from web.keyset import Page, page_of

LARGEST_VERSION = 2**31 - 1
NAME = OpenApiParameter("name", str, OpenApiParameter.PATH, description="Name of the source.")


def step_schema(kind: Kind) -> dict[str, Any]:
    """The schema of steps of a kind."""
    parameters = (*kind.parameters, *EVERY_STEP)
    needed = [parameter.name for parameter in parameters if parameter.is_required]
    return {
        "type": "object",
        "title": kind.title,
        "description": kind.summary,
        "properties": {
            "rule": {"type": "string", "enum": [kind.code]},
            **{parameter.name: parameter.schema() for parameter in parameters},
        },
        "required": ["rule", *needed],
        "additionalProperties": False,
    }


@extend_schema_field(
    {
        "type": "array",
        "maxItems": MOST_STEPS,
        "items": {"oneOf": [step_schema(kind) for kind in KINDS.values()]},
    }
)
class StepsField(serializers.JSONField):
    """A list of rules, applied from first to last."""


class NewRules(StrictBody):
    """Rules to save as the next version."""

    rules = StepsField(help_text="The rules, applied from first to last.")
    note = serializers.CharField(
        required=False, allow_blank=True, max_length=500, help_text="Why the rules are changed."
    )

    def validate_rules(self, rules: Any) -> Any:
        try:
            checked = check_rules(rules)
            check_lookups(checked)
        except InvalidRules as error:
            raise serializers.ValidationError(str(error)) from error
        return checked

    def validate_note(self, note: str) -> str:
        if note == RuleSet.DEFAULT_NOTE:
            raise serializers.ValidationError(
                "This note is reserved for default rules. Enter a different one."
            )
        return note


class RulesAnswer(serializers.ModelSerializer[RuleSet]):
    """A version of the rules of a source."""

    source = serializers.CharField(  # type: ignore[assignment]
        source="source.name", help_text="Name of the source."
    )
    author = serializers.CharField(
        source="author.username",
        default=None,
        allow_null=True,
        help_text="Name of the user who saved it; null for default rules.",
    )
    rules = StepsField(help_text="The rules, applied from first to last.")
    in_words = serializers.SerializerMethodField(help_text="A description of each rule.")

    class Meta:
        model = RuleSet
        fields = ("source", "version", "note", "author", "created_at", "rules", "in_words")
        read_only_fields = fields
        extra_kwargs = {
            "version": {"help_text": "Number of the version, from 1."},
            "note": {"help_text": "Why the rules were changed; may be empty."},
            "created_at": {"help_text": "When it was saved."},
        }

    def get_in_words(self, rule_set: RuleSet) -> list[str]:
        return [describe(step) for step in rule_set.rules]


ERRORS = {
    400: ErrorSerializer,
    401: ErrorSerializer,
    403: ErrorSerializer,
    404: ErrorSerializer,
}


class VersionPagination(KeyPagination):
    """Versions of the rules of a source, the newest first."""

    name = "versions"

    def page_of(self, queryset: Any, view: Any, *, cursor: str | None, limit: int) -> Page[Any]:
        return page_of(queryset, cursor=cursor, limit=limit, descending=True)


class RuleVersionsView(StrictQuery, generics.ListAPIView[RuleSet]):
    """All versions of the rules of a source, newest first. Follow `next` for more."""

    queryset = RuleSet.objects.select_related("author", "source")
    serializer_class = RulesAnswer
    pagination_class = VersionPagination
    query_parameters: ClassVar[frozenset[str]] = frozenset({"limit", "cursor"})

    @extend_schema(
        operation_id="rules_versions_list",
        summary="List the versions of the rules of a source",
        parameters=[NAME],
        responses={200: RulesAnswer(many=True), **ERRORS},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def filter_queryset(self, queryset: Any) -> Any:
        return queryset.filter(source=source_named(self.kwargs["name"]))

    def get_view_name(self) -> str:
        return "Versions"


class RulesToTest(StrictBody):
    """Rules to test."""

    rules = StepsField(help_text="The rules, applied from first to last.")


class RuleTestView(StrictQuery):
    """Test rules on all records of a source."""

    parser_classes = (JSONParser,)
    permission_classes = (MayRead, to_post(Action.CHANGE_RULES))

    @extend_schema(
        operation_id="rules_test",
        summary="Test rules on all records",
        parameters=[NAME],
        request=RulesToTest,
        responses={202: RuleDryRunSerializer, **ERRORS},
    )
    def post(self, request: Request, name: str) -> Response:
        """Find out in the background what rules would change; nothing is written.

        An earlier test of the source that is still active is cancelled.
        """
        source = source_named(name)
        wanted = RulesToTest(data=request.data)
        wanted.is_valid(raise_exception=True)
        try:
            dry_run = rule_dry_runs.start(
                source, wanted.validated_data["rules"], trigger="api", user=cast(User, request.user)
            )
        except InvalidRules as error:
            raise serializers.ValidationError({"rules": [str(error)]}) from error
        return run_answer(dry_run, request)

    def get_view_name(self) -> str:
        return "Test"


class RulesView(StrictQuery, generics.GenericAPIView[RuleSet]):
    """The rules of a source."""

    queryset = RuleSet.objects.none()
    serializer_class = NewRules
    permission_classes = (MayRead, to_post(Action.CHANGE_RULES))
    query_parameters: ClassVar[frozenset[str]] = frozenset({"version"})

    @extend_schema(
        operation_id="rules",
        summary="Get the rules of a source",
        parameters=[
            NAME,
            OpenApiParameter(
                "version",
                {"type": "integer", "minimum": 0, "maximum": LARGEST_VERSION},
                description="Default: the newest version.",
            ),
        ],
        responses={200: RulesAnswer, **ERRORS},
    )
    def get(self, request: Request, name: str) -> Response:
        versions = source_named(name).rule_sets.select_related("author", "source")
        wanted = request.query_params.get("version")
        if wanted is not None:
            versions = versions.filter(version=_version(wanted))
        found = or_not_found(versions.order_by("-version").first(), "Rules")
        return Response(RulesAnswer(found).data)

    @extend_schema(
        operation_id="save_rules",
        summary="Save rules as the next version",
        parameters=[NAME],
        request={"application/json": NewRules},
        responses={201: RulesAnswer, **ERRORS},
    )
    def post(self, request: Request, name: str) -> Response:
        source = source_named(name)
        wanted = self.get_serializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        saved = store.save_rule_set(
            source=source,
            rules=wanted.validated_data["rules"],
            note=wanted.validated_data.get("note", ""),
            author=cast(User, request.user),
        )
        return Response(RulesAnswer(saved).data, status=status.HTTP_201_CREATED)

    def get_view_name(self) -> str:
        return "Rules"


def source_named(name: str) -> Source:
    """The source of this name. Raises NotFound."""
    found: Source | None = Source.objects.named(name)
    return or_not_found(found, "Source")


def _version(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= LARGEST_VERSION:
        return int(text)
    raise serializers.ValidationError({"version": ["Must be a whole number."]})
