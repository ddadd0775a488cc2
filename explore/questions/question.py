"""A question, parsed from the parameters of a URL. Pure: no Django, no tables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

Parsed = TypeVar("Parsed")

# What a URL has beside the filter of records.
PARAMETERS = ("measure", "by", "top", "order")
MOST_MEASURES, MOST_GROUPS = 3, 2
# A link to the others has to name each of the top groups, and a filter takes 50 conditions.
MOST_TOP = 40
LONGEST = 500
# What measures are called, by their names in URLs.
FUNCTIONS = {
    "count": "Count",
    "distinct": "Distinct values",
    "sum": "Sum",
    "mean": "Mean",
    "median": "Median",
    "p95": "95th percentile",
    "min": "Minimum",
    "max": "Maximum",
    "share": "Share",
}
# Those that make sense without a column: they count records.
OF_RECORDS = ("count", "share")
# Those that take any cell, not only numbers.
OF_CELLS = ("count", "distinct")
UNITS = ("hour", "day", "week", "month", "quarter", "year", "weekday")
# What can be asked of a record itself.
FACTS = ("source", "status")
COLUMN, BIN, RECORD = "column", "bin", "record"
ORDERS = {
    "-measure": "Largest first",
    "measure": "Smallest first",
    "group": "By name or time",
    "-group": "By name or time, backwards",
}


class QuestionError(Exception):
    """What is wrong with a question, by the names of its parameters."""

    def __init__(self, name: str, sentence: str) -> None:
        self.errors = {name: [sentence]}
        super().__init__(f"{name}: {sentence}")


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure of a group of records: a function of the cells of a column, or of the records."""

    function: str
    column: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``sum:COLUMN``, or ``count``. Raises QuestionError."""
        function, colon, column = text.partition(":")
        if function not in FUNCTIONS:
            raise QuestionError(
                "measure",
                f"There is no measure “{function}”. Choose one of {', '.join(FUNCTIONS)}.",
            )
        if not column and (colon or function not in OF_RECORDS):
            raise QuestionError("measure", f"“{function}” needs a column, as in {function}:Amount.")
        return cls(function, column)

    def __str__(self) -> str:
        return f"{self.function}:{self.column}" if self.column else self.function

    @property
    def title(self) -> str:
        """The measure in words."""
        if not self.column:
            return "Records" if self.function == "count" else "Share of records"
        return f"{FUNCTIONS[self.function]} of {self.column}"

    @property
    def is_count(self) -> bool:
        return self.function in ("count", "distinct")

    @property
    def is_of_numbers(self) -> bool:
        return bool(self.column) and self.function not in OF_CELLS

    @property
    def adds_up(self) -> bool:
        """Whether the figures of groups make up that of all."""
        return self.function in ("count", "sum", "share")


@dataclass(frozen=True, slots=True)
class Group:
    """By what records are put together.

    ``kind`` is "column" for the cells of a column, "bin" for ranges of its numbers, "record" for a
    fact of the record, or a unit of time: of the dates in a column, or without one of timestamps.
    """

    kind: str
    column: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``COLUMN``, ``column:COLUMN``, ``bin:COLUMN``, ``month``, ``month:COLUMN`` or
        ``record:status``. Raises QuestionError."""
        kind, colon, column = text.partition(":")
        if not colon and kind in UNITS:
            return cls(kind)
        if kind not in (*UNITS, COLUMN, BIN, RECORD) or not colon:
            return cls(COLUMN, text)
        if not column:
            raise QuestionError("by", f"“{kind}:” needs a column, as in {kind}:Amount.")
        if kind == "hour":
            raise QuestionError("by", "Hours are told of the timestamp only: write by=hour.")
        if kind == RECORD and column not in FACTS:
            raise QuestionError("by", f"A record has {' and '.join(FACTS)}, not “{column}”.")
        return cls(kind, column)

    def __str__(self) -> str:
        if self.kind != COLUMN:
            return f"{self.kind}:{self.column}" if self.column else self.kind
        is_plain = self.column not in UNITS and self.column.partition(":")[0] not in (
            *UNITS,
            COLUMN,
            BIN,
            RECORD,
        )
        return self.column if is_plain else f"{COLUMN}:{self.column}"

    @property
    def title(self) -> str:
        """The group in words."""
        if self.kind == RECORD:
            return self.column.capitalize()
        if self.kind in (COLUMN, BIN):
            return self.column
        return f"{self.kind.capitalize()} of {self.column}" if self.column else self.kind.title()

    @property
    def is_time(self) -> bool:
        """Whether its groups follow one another in time."""
        return self.kind in UNITS and self.kind != "weekday"

    @property
    def is_ordered(self) -> bool:
        """Whether its groups have an order of their own."""
        return self.kind == BIN or self.kind in UNITS


@dataclass(frozen=True, slots=True)
class Question:
    """Measures by groups.

    ``top`` is how many groups of a column are told, those with the greatest first measure; the
    others are put together. None for all. ``order`` is one of ORDERS; "" for the order of time and
    of numbers, and the largest first of others.
    """

    measures: tuple[Measure, ...] = (Measure("count"),)
    groups: tuple[Group, ...] = ()
    top: int | None = None
    order: str = ""

    @classmethod
    def parse(cls, parameters: Mapping[str, Sequence[str]]) -> Self:
        """Read the parameters of a URL; those of the filter are left alone.

        Raises QuestionError.
        """
        measures = _several(parameters, "measure", MOST_MEASURES, Measure.parse)
        groups = _several(parameters, "by", MOST_GROUPS, Group.parse)
        order = _one(parameters, "order")
        if order and order not in ORDERS:
            raise QuestionError(
                "order", f"There is no order “{order}”. Choose one of {', '.join(ORDERS)}."
            )
        return cls(measures or (Measure("count"),), groups, _top(parameters), order)

    def parameters(self) -> dict[str, list[str]]:
        """The question as parameters of a URL."""
        found = {"measure": list(map(str, self.measures)), "by": list(map(str, self.groups))}
        if self.top is not None:
            found["top"] = [str(self.top)]
        if self.order:
            found["order"] = [self.order]
        return {name: texts for name, texts in found.items() if texts}

    @property
    def title(self) -> str:
        """The question in words: Sum of Total by Region and Month."""
        measures = " and ".join(measure.title for measure in self.measures)
        groups = " and ".join(group.title for group in self.groups)
        return f"{measures} by {groups}" if groups else measures


def _filled(parameters: Mapping[str, Sequence[str]], name: str) -> list[str]:
    texts = [text for text in parameters.get(name, ()) if text.strip()]
    if any("\0" in text for text in texts):
        raise QuestionError(name, "Null characters are not allowed.")
    if any(len(text) > LONGEST for text in texts):
        raise QuestionError(name, f"Give at most {LONGEST} characters.")
    return texts


def _several(
    parameters: Mapping[str, Sequence[str]], name: str, most: int, parse: Callable[[str], Parsed]
) -> tuple[Parsed, ...]:
    found = tuple(dict.fromkeys(map(parse, _filled(parameters, name))))
    if len(found) > most:
        raise QuestionError(name, f"Give at most {most}.")
    return found


def _one(parameters: Mapping[str, Sequence[str]], name: str) -> str:
    texts = _filled(parameters, name)
    if len(texts) > 1:
        raise QuestionError(name, "This parameter may be given only once.")
    return texts[0] if texts else ""


def _top(parameters: Mapping[str, Sequence[str]]) -> int | None:
    text = _one(parameters, "top")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MOST_TOP):
        raise QuestionError("top", f"Must be a whole number from 1 to {MOST_TOP}.")
    return int(text)
