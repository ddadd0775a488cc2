"""The operators of conditions on cells, one row each."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from itertools import groupby
from operator import or_
from re import match
from typing import Any

from django.db.models import Q, TextField, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    IsNull,
    LessThan,
    LessThanOrEqual,
)

from explore.filters.sql import (
    BLANK,
    DATE,
    GREATEST,
    NUMBER,
    Bytewise,
    Cell,
    Contains,
    Matches,
    Number,
    Weekday,
    spellings,
)

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator: its ``key`` in URLs, its ``words`` on pages.

    ``query`` makes the condition for a cell and a value, from expressions that have SQL for both
    databases. A missing cell is empty, and not equal to any value.
    """

    key: str
    words: str
    query: Callable[[Cell, str], Q]
    takes_value: bool = True
    # Whether the value may be the empty text.
    takes_blank: bool = False
    # Whether a value that is a number is compared as one.
    compares_numbers: bool = False
    # Whether several values for one column are alternatives.
    is_alternative: bool = False
    # The values that it takes; any if there are none.
    choices: tuple[str, ...] = ()
    # A remark for the documentation.
    note: str = ""
    # Every matching cell contains one of these texts; None if no text is known.
    texts: Callable[[str], set[str]] | None = None


def _text(cell: Cell) -> Coalesce:
    return Coalesce(cell, Value("", output_field=TextField()))


def _equal(cell: Cell, value: str) -> Q:
    return Q(Exact(_text(cell), value))


def _blank(cell: Cell, value: str) -> Q:
    return Q(Matches(_text(cell), BLANK))


def _contains(cell: Cell, value: str) -> Q:
    # Letters of ASCII have the same cases everywhere only if they are compared byte by byte.
    text = Bytewise(cell) if value.isascii() else cell
    return reduce(or_, (Q(Contains(text, spelling)) for spelling in spellings(value)))


def _number(cell: Cell, value: str) -> Q:
    number = Number(cell)
    return Q(GreaterThanOrEqual(number, -GREATEST)) & Q(LessThanOrEqual(number, GREATEST))


def _no_number(cell: Cell, value: str) -> Q:
    number = Number(cell)
    beyond = Q(LessThan(number, -GREATEST)) | Q(GreaterThan(number, GREATEST))
    return Q(IsNull(number, True)) | beyond


def _date(cell: Cell, value: str) -> Q:
    return Q(Matches(_text(cell), DATE))


def _weekday(cell: Cell, value: str) -> Q:
    return Q(Exact(Weekday(_text(cell)), int(value)))


def _not(query: Callable[[Cell, str], Q]) -> Callable[[Cell, str], Q]:
    return lambda cell, value: ~query(cell, value)


def _comparison(key: str, words: str, lookup: Any) -> Operator:
    """Numbers are compared with cells that are numbers, other values with the text of cells, byte
    by byte."""

    def query(cell: Cell, value: str) -> Q:
        if match(NUMBER, value):
            return Q(lookup(Number(cell), float(value)))
        return Q(lookup(Bytewise(cell), value))

    note = "compare numbers if the value is one, else text"
    return Operator(key, words, query, compares_numbers=True, note=note)


OPERATORS = {
    operator.key: operator
    for operator in (
        Operator(
            "eq",
            "is",
            _equal,
            takes_blank=True,
            is_alternative=True,
            texts=lambda value: {value},
        ),
        Operator("ne", "is not", _not(_equal), takes_blank=True),
        Operator("contains", "contains", _contains, note="not case-sensitive", texts=spellings),
        _comparison("lt", "is less than", LessThan),
        _comparison("le", "is at most", LessThanOrEqual),
        _comparison("gt", "is greater than", GreaterThan),
        _comparison("ge", "is at least", GreaterThanOrEqual),
        Operator("empty", "is empty", _blank, takes_value=False, note="without a value"),
        Operator("filled", "is not empty", _not(_blank), takes_value=False, note="without a value"),
        Operator("number", "is a number", _number, takes_value=False, note="without a value"),
        Operator(
            "nonumber", "is not a number", _no_number, takes_value=False, note="without a value"
        ),
        Operator("date", "is a date", _date, takes_value=False, note="without a value"),
        Operator("nodate", "is not a date", _not(_date), takes_value=False, note="without a value"),
        Operator(
            "weekday",
            "is on weekday",
            _weekday,
            choices=tuple("1234567"),
            note="1 for Monday to 7 for Sunday; of cells that begin with a date such as 2026-03-01",
        ),
    )
}


def documented() -> str:
    """The keys of all operators with their remarks, for documentation."""
    groups = [
        (", ".join(operator.key for operator in group), note)
        for note, group in groupby(OPERATORS.values(), key=lambda operator: operator.note)
    ]
    return ", ".join(f"{keys} ({note})" if note else keys for keys, note in groups)
