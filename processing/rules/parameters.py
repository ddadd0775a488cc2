"""The parameters of steps: what they are for people, forms and schemas, and how they are checked.

Pure: no Django, no tables.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

# The greatest size of a number: sums and means of such ones are still numbers.
GREATEST = 1e300
# No name or text of a step is longer, no list or table has more entries.
LONGEST_TEXT = 2_000
MOST_ENTRIES = 5_000

REQUIRED: Any = object()


@dataclass(frozen=True, slots=True, eq=False)
class Type:
    """A type of parameters: what is said to be expected, and an OpenAPI schema. One object each."""

    name: str
    expected: str
    fits: Callable[[object], bool]
    schema: dict[str, Any]


def _is_text(value: object) -> bool:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or "\0" in value:
        return False
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _is_name(value: object) -> bool:
    return _is_text(value) and bool(value)


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= GREATEST and math.isfinite(value)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 1_000_000


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_list(value: object, fits: Callable[[object], bool]) -> bool:
    return isinstance(value, list) and 0 < len(value) <= MOST_ENTRIES and all(map(fits, value))


def _is_names(value: object) -> bool:
    return isinstance(value, list) and _is_list(value, _is_name) and len(set(value)) == len(value)


def _is_texts(value: object) -> bool:
    return _is_list(value, _is_text)


def _is_plain(value: object) -> bool:
    return value is None or _is_text(value) or _is_flag(value) or _is_number(value)


def _is_table(value: object) -> bool:
    return (
        isinstance(value, dict)
        and 0 < len(value) <= MOST_ENTRIES
        and all(map(_is_text, value))
        and all(map(_is_plain, value.values()))
    )


STRING: dict[str, Any] = {"type": "string", "maxLength": LONGEST_TEXT}
NAME = STRING | {"minLength": 1}
NUMBERS: dict[str, Any] = {"type": "number", "minimum": -GREATEST, "maximum": GREATEST}

COLUMN = Type("column", "a column name", _is_name, NAME)
COLUMNS = Type(
    "columns",
    "a list of different column names",
    _is_names,
    {
        "type": "array",
        "items": NAME,
        "minItems": 1,
        "maxItems": MOST_ENTRIES,
        "uniqueItems": True,
    },
)
# They belong to another source: what is known of this one says nothing about them.
SOURCE = Type("source", "the name of a source", _is_name, NAME)
OTHER_COLUMN = Type("other_column", COLUMN.expected, _is_name, NAME)
OTHER_COLUMNS = Type("other_columns", COLUMNS.expected, _is_names, COLUMNS.schema)
TEXT = Type("text", "text of at most 2,000 characters without NUL", _is_text, STRING)
TEXTS = Type(
    "texts",
    "a list of texts",
    _is_texts,
    {"type": "array", "items": STRING, "minItems": 1, "maxItems": MOST_ENTRIES},
)
NUMBER = Type("number", "a number", _is_number, NUMBERS)
WHOLE = Type(
    "whole",
    "a whole number from 0 to 1,000,000",
    _is_whole,
    {"type": "integer", "minimum": 0, "maximum": 1_000_000},
)
FLAG = Type("flag", "true or false", _is_flag, {"type": "boolean"})
CHOICE = Type("choice", "one of its choices", lambda value: isinstance(value, str), STRING)
TABLE = Type(
    "table",
    "an object that maps text to text, numbers, true, false or null",
    _is_table,
    {
        "type": "object",
        "additionalProperties": {
            "anyOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}],
            "nullable": True,
        },
        "minProperties": 1,
        "maxProperties": MOST_ENTRIES,
    },
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a kind; one without a default has to be given.

    ``choices`` are values and what they mean. A parameter whose default is None may be null.
    """

    name: str
    type: Type
    label: str
    help: str = ""
    default: Any = REQUIRED
    choices: Sequence[tuple[str, str]] = ()

    @property
    def is_required(self) -> bool:
        return self.default is REQUIRED

    def problem(self, value: object) -> str | None:
        """What the value must be, if it is not valid; None if it is."""
        if self.choices:
            values = [choice for choice, _ in self.choices]
            return None if value in values else f"one of {', '.join(values)}"
        if value == self.default and type(value) is type(self.default):
            return None
        return None if self.type.fits(value) else self.type.expected

    def columns_in(self, value: Any) -> list[str]:
        """The names of columns in a value of the parameter."""
        if self.type is COLUMN:
            return [value]
        return list(value) if self.type is COLUMNS else []

    def schema(self) -> dict[str, Any]:
        """A schema of the parameter, as OpenAPI 3.0 has them."""
        made: dict[str, Any] = dict(self.type.schema)
        if self.choices:
            made = {"type": "string", "enum": [choice for choice, _ in self.choices]}
        elif self.default is None:
            made["nullable"] = True
        if not self.is_required:
            made["default"] = self.default
        return made | {"title": self.label, "description": self.help or self.label}


def column(help: str = "", *, label: str = "Column", name: str = "column") -> Parameter:  # noqa: A002
    """The column that a step works on."""
    return Parameter(name, COLUMN, label, help)


def on_failure(default: str, *outcomes: str) -> Parameter:
    """What happens to a cell that fails the rule."""
    words = {
        "default": "Use the default",
        "empty": "Empty the cell",
        "fail": "Fail the record",
        "keep": "Keep the cell",
        "nearest": "Use the nearest limit",
        "cut": "Cut the text",
    }
    return Parameter(
        "on_failure",
        CHOICE,
        "If a cell fails",
        "Replaced cells are recorded as repairs.",
        default,
        [(outcome, words[outcome]) for outcome in outcomes],
    )
