"""Names that people give, and what they may be."""

from django.core.validators import RegexValidator

# A colon ends the name inside a record id, so a name has none.
SOURCE_NAME = RegexValidator(
    r"\A\w[\w.-]*\Z",
    "A name starts with a letter or a digit; it has letters, digits, '_', '-' and '.' only.",
)
