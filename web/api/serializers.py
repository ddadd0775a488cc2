"""What requests and answers of all endpoints have in common."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import QueryDict
from drf_spectacular.extensions import OpenApiSerializerExtension
from rest_framework import serializers

from web.api.base import unknown_name
from web.api.problems import CODES
from web.names import SOURCE_NAME

WRONG_TYPE = "This has another JSON type than the API's description says."
# The types that the fields of a JSON body have; REST framework itself would take a number for a
# text, or a text for a number.
JSON_TYPES: tuple[tuple[type[serializers.Field[Any, Any, Any, Any]], tuple[type, ...]], ...] = (
    (serializers.BooleanField, (bool,)),
    (serializers.IntegerField, (int, float)),
    (serializers.FloatField, (int, float)),
    (serializers.CharField, (str,)),
    (serializers.ChoiceField, (str,)),
)


def has_type(field: Any, value: Any) -> bool:
    """Whether a value of a JSON body, or each of its entries, has the type of a field."""
    if isinstance(field, serializers.ListField) and isinstance(value, list):
        return all(has_type(field.child, each) for each in value)
    if isinstance(field, serializers.DictField) and isinstance(value, dict):
        return all(has_type(field.child, each) for each in value.values())
    types = next((types for kind, types in JSON_TYPES if isinstance(field, kind)), None)
    if types is None or value is None:
        return True
    return isinstance(value, types) and (bool in types or not isinstance(value, bool))


class StrictBody(serializers.Serializer[Any]):
    """A body in which a field that is not known, or a value of another JSON type, is an error.

    The fields of a form are texts, which are read as what the fields need.
    """

    # What the schema of the body says beyond its fields, such as which of them exclude each other.
    constraints: ClassVar[Mapping[str, Any]] = {}

    def to_internal_value(self, data: Any) -> Any:
        known = frozenset(self.fields)
        if hasattr(data, "keys") and (unknown := set(data) - known - {"csrfmiddlewaretoken"}):
            raise serializers.ValidationError(
                {str(name)[:100]: [unknown_name("field", known)] for name in sorted(unknown)}
            )
        if isinstance(data, dict) and not isinstance(data, QueryDict):
            given = [(name, field) for name, field in self.fields.items() if name in data]
            if wrong := [name for name, field in given if not has_type(field, data[name])]:
                raise serializers.ValidationError({name: [WRONG_TYPE] for name in wrong})
        return super().to_internal_value(data)


class StrictBodySchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """A body has no fields but those that are described, and texts that are required say so."""

    target_class = StrictBody
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        schema: dict[str, Any] = auto_schema._map_serializer(
            self.target, direction, bypass_extensions=True
        )
        for name, field in self.target.fields.items():
            if isinstance(field, serializers.CharField) and not field.allow_blank:
                schema["properties"][name].setdefault("minLength", 1)
        return schema | {"additionalProperties": False, **self.target.constraints}


class SourceQuery(serializers.Serializer[Any]):
    """The parameter that narrows figures to one source."""

    source = serializers.CharField(  # type: ignore[assignment]
        required=False,
        allow_blank=True,
        max_length=100,
        validators=[SOURCE_NAME],
        help_text="The name of one source. Default: all sources.",
    )


class ErrorSerializer(serializers.Serializer[Any]):
    """A problem (RFC 9457): what went wrong, for people and for programs."""

    type = serializers.CharField(help_text="URL of the description of this kind of error.")
    title = serializers.CharField(help_text="Title of this kind of error.")
    status = serializers.IntegerField(help_text="HTTP status of the response.")
    code = serializers.ChoiceField(
        choices=CODES, help_text="Stable code of this kind of error, for programs."
    )
    detail = serializers.CharField(help_text="What went wrong here, as a sentence.")
    errors = serializers.DictField(  # type: ignore[assignment]
        required=False,
        help_text="What is wrong, by the name of each parameter or field that is.",
    )
