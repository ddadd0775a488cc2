"""Names that people give, and what they may be."""

from django.core.validators import RegexValidator

# A colon ends the name inside a record id, so a name has none.
SOURCE_NAME = RegexValidator(
    r"\A\w[\w.-]*\Z",
    "A name must start with a letter or digit and may contain letters, digits, '_', '-' and '.'.",
)
