"""What requests and answers of all endpoints have in common."""

from typing import Any

from rest_framework import serializers

from web.api.base import unknown_name
from web.api.problems import CODES
from web.names import SOURCE_NAME


class StrictBody(serializers.Serializer[Any]):
    """A body in which a field that is not known is an error."""

    def to_internal_value(self, data: Any) -> Any:
        known = frozenset(self.fields)
        if hasattr(data, "keys") and (unknown := set(data) - known - {"csrfmiddlewaretoken"}):
            raise serializers.ValidationError(
                {str(name)[:100]: [unknown_name("field", known)] for name in sorted(unknown)}
            )
        return super().to_internal_value(data)


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
