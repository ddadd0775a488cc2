"""Validates mappings, for the settings page of a source and the admin."""

from typing import Any

from django.core.exceptions import ValidationError

from records.dates.formats import reads_years
from records.dates.zones import is_zone
from records.number_text import style_problem

# How many columns may play a role; None stands for any number of them.
MOST: dict[str, int | None] = {"id": None, "timestamp": None, "value": 1, "category": 1}
FORMAT, ZONE, ZONE_COLUMN = "timestamp_format", "timestamp_zone", "timestamp_zone_column"
# Column -> how its numbers are written, as parameters of the rule ``number``.
NUMBERS = "numbers"
OPTIONS = (FORMAT, ZONE, ZONE_COLUMN, NUMBERS)


def check_mapping(mapping: Any) -> dict[str, Any]:
    """The mapping, with a list of columns for every role. Raises ValidationError.

    One that names no role at all knows of dates only; the next input's columns tell their roles.
    """
    if not isinstance(mapping, dict):
        raise ValidationError("A mapping must be a JSON object of roles and their columns.")
    for role, columns in mapping.items():
        if role == FORMAT:
            if columns is not None:
                check_format(columns)
        elif role == ZONE:
            check_zone(columns)
        elif role == ZONE_COLUMN:
            if not is_name(columns):
                raise ValidationError(f"{ZONE_COLUMN!r} must be the name of a column.")
        elif role == NUMBERS:
            check_numbers(columns)
        elif role in MOST:
            check_columns(role, columns)
        else:
            known = ", ".join([*MOST, *OPTIONS])
            raise ValidationError(f"There is no role {role!r}. The roles are {known}.")
    if not mapping.keys() & MOST.keys():
        return mapping
    return {role: mapping.get(role, []) for role in MOST} | {
        key: value for key, value in mapping.items() if key in OPTIONS
    }


def check_numbers(numbers: object) -> None:
    """Raise ValidationError unless the value may be the number styles of columns."""
    if not isinstance(numbers, dict) or not all(map(is_name, numbers)):
        raise ValidationError(f"{NUMBERS!r} must be an object of columns and their number styles.")
    for column, style in numbers.items():
        if problem := style_problem(style):
            raise ValidationError(f"The number style of {column!r} {problem}.")


def is_name(text: object) -> bool:
    return isinstance(text, str) and bool(text) and "\0" not in text


def check_format(text: object) -> None:
    """Raise ValidationError unless the text may be the format of a date."""
    if not (is_name(text) and reads_years(str(text))):
        raise ValidationError(f"{FORMAT!r} must be 'iso', 'unix' or a format such as '%d.%m.%Y'.")


def check_zone(text: object) -> None:
    """Raise ValidationError unless the text names one time zone."""
    if not (is_name(text) and is_zone(str(text))):
        raise ValidationError(
            f"{str(text)[:100]!r} is not a time zone: use a name such as Europe/Vienna, or an "
            "offset such as +01:00."
        )


def check_columns(role: str, columns: object) -> None:
    """Raise ValidationError unless the columns may play the role."""
    if not isinstance(columns, list) or not all(map(is_name, columns)):
        raise ValidationError(f"{role!r} must be a list of column names.")
    if len(set(columns)) < len(columns):
        raise ValidationError(f"{role!r} lists a column more than once.")
    most = MOST[role]
    if most is not None and len(columns) > most:
        raise ValidationError(f"{role!r} can have only one column.")
