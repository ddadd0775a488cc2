"""Types of URL parts that Django does not bring. Importing this module registers them."""

from django.urls import register_converter
from django.urls.converters import StringConverter


class RecordIdConverter(StringConverter):
    """A record id, whose key may hold any character: also a slash or a new line."""

    regex = "(?s:.+)"


register_converter(RecordIdConverter, "record_id")
