"""URL converters that Django does not provide."""

from django.urls.converters import StringConverter

# No row has a larger id; the databases refuse to be asked for one.
GREATEST_ID = 2**63 - 1


class RecordIdConverter(StringConverter):
    """A record id, whose key may hold any character: also a slash or a new line."""

    regex = "(?s:.+)"


class SourceNameConverter(StringConverter):
    """The name of a source."""

    regex = r"\w[\w.-]*"
