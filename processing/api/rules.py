"""The REST API of rules: get the versions of a source's rule set, and save the next."""

from typing import Any, ClassVar, cast

from django.contrib.auth.models import User
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rights import MayRead
from processing.errors import InvalidRules
from processing.rules import KINDS, Kind, describe
from processing.rules.check import EVERY_STEP, MOST_STEPS, check_rules
from records import store
from records.models import RuleSet, Source
from records.permissions import Action, to_post
from web.api.base import StrictQuery, or_not_found, unknown_name
from web.api.serializers import ErrorSerializer

LARGEST_VERSION = 2**31 - 1


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


class NewRules(serializers.Serializer[Any]):
    """Rules to save as the next version."""

    rules = StepsField()
    note = serializers.CharField(
        required=False, allow_blank=True, max_length=500, help_text="Why the rules are changed."
    )

    def to_internal_value(self, data: Any) -> Any:
        known = frozenset(self.fields)
        if hasattr(data, "keys") and (unknown := set(data) - known - {"csrfmiddlewaretoken"}):
            raise serializers.ValidationError(
                {name: [unknown_name("field", known)] for name in sorted(unknown)}
            )
        return super().to_internal_value(data)

    def validate_rules(self, rules: Any) -> Any:
        try:
            return check_rules(rules)
        except InvalidRules as error:
            raise serializers.ValidationError(str(error)) from error

    def validate_note(self, note: str) -> str:
        if note == RuleSet.DEFAULT_NOTE:
            raise serializers.ValidationError(
                "This note is reserved for default rules. Enter a different one."
            )
        return note


class RulesAnswer(serializers.ModelSerializer[RuleSet]):
    """A version of the rules of a source."""

    source = serializers.CharField(source="source.name")  # type: ignore[assignment]
    author = serializers.CharField(source="author.username", default=None, allow_null=True)
    rules = StepsField()
    in_words = serializers.SerializerMethodField(help_text="A description of each rule.")

    class Meta:
        model = RuleSet
        fields = ("source", "version", "note", "author", "created_at", "rules", "in_words")
        read_only_fields = fields

    def get_in_words(self, rule_set: RuleSet) -> list[str]:
        return [describe(step) for step in rule_set.rules]


ERRORS = {
    400: ErrorSerializer,
    401: ErrorSerializer,
    403: ErrorSerializer,
    404: ErrorSerializer,
}


class RulesView(StrictQuery, generics.GenericAPIView[RuleSet]):
    """The rules of a source."""

    queryset = RuleSet.objects.none()
    serializer_class = NewRules
    permission_classes = (MayRead, to_post(Action.CHANGE_RULES))
    query_parameters: ClassVar[frozenset[str]] = frozenset({"version"})

    @extend_schema(
        operation_id="rules",
        summary="Get the rules of a source",
        parameters=[OpenApiParameter("version", int, description="Default: the newest version.")],
        responses={200: RulesAnswer, **ERRORS},
    )
    def get(self, request: Request, name: str) -> Response:
        versions = self._source(name).rule_sets.select_related("author", "source")
        wanted = request.query_params.get("version")
        if wanted is not None:
            versions = versions.filter(version=_version(wanted))
        found = or_not_found(versions.order_by("-version").first(), "Rules")
        return Response(RulesAnswer(found).data)

    @extend_schema(
        operation_id="save_rules",
        summary="Save rules as the next version",
        request=NewRules,
        responses={201: RulesAnswer, **ERRORS},
    )
    def post(self, request: Request, name: str) -> Response:
        source = self._source(name)
        wanted = self.get_serializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        saved = store.save_rule_set(
            source=source,
            rules=wanted.validated_data["rules"],
            note=wanted.validated_data.get("note", ""),
            author=cast(User, request.user),
        )
        return Response(RulesAnswer(saved).data, status=status.HTTP_201_CREATED)

    def _source(self, name: str) -> Source:
        found: Source | None = Source.objects.named(name)
        return or_not_found(found, "Source")

    def get_view_name(self) -> str:
        return "Rules"


def _version(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= LARGEST_VERSION:
        return int(text)
    raise serializers.ValidationError({"version": ["Must be a whole number."]})
