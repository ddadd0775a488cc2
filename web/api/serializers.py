"""What requests and answers of all endpoints have in common."""

from typing import Any

from rest_framework import serializers

from web.names import SOURCE_NAME


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
    """What went wrong, as a sentence."""

    detail = serializers.CharField()
    errors = serializers.DictField(  # type: ignore[assignment]
        required=False,
        child=serializers.ListField(child=serializers.CharField()),
        help_text="By the name of each parameter that is wrong.",
    )
