"""Conditions on single cells: how they are written in a URL, and their SQL."""

import math
import re
from collections.abc import Iterable
from functools import reduce
from operator import and_
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.db.models import Q

from explore.filters.operators import OPERATORS
from explore.filters.sql import NUMBER, Cell, as_stored


class Condition(NamedTuple):
    """A column, what is asked of its cells, and the value to compare them with."""

    column: str
    operator: str
    value: str = ""

    @classmethod
    def parse(cls, text: str) -> "Condition":
        r"""Read ``column:operator:value`` or ``column:empty``; ``\`` keeps a ``:`` in the name.

        Raises ValidationError.
        """
        found = re.match(r"((?:[^\\:]|\\.)+):([a-z]+)(?::(.*))?\Z", text, re.DOTALL)
        if found is None:
            raise ValidationError(
                "Write a condition as column:operator:value, as in City:eq:Paris or Note:empty. "
                r"Put a \ before a colon or backslash in a column name."
            )
        column, operator, value = found.groups()
        known = OPERATORS.get(operator)
        if known is None:
            raise ValidationError(
                f"There is no operator “{operator}”. Choose one of {', '.join(OPERATORS)}."
            )
        if (value is None) == known.takes_value:
            wrong = "needs a value" if value is None else "takes no value"
            raise ValidationError(f"The operator “{operator}” {wrong}.")
        if value == "" and not known.takes_blank:
            raise ValidationError(f"The operator “{operator}” needs a value.")
        if known.choices and value not in known.choices:
            raise ValidationError(
                f"The operator “{operator}” takes one of {', '.join(known.choices)}."
            )
        if known.compares_numbers and re.match(NUMBER, value) and not math.isfinite(float(value)):
            raise ValidationError(f"{value} is too large to compare cells with.")
        return cls(re.sub(r"\\(.)", r"\1", column, flags=re.DOTALL), operator, value or "")

    def __str__(self) -> str:
        column = re.sub(r"([\\:])", r"\\\1", self.column)
        text = f"{column}:{self.operator}"
        # What a form sends may have an operator that there is not; parse() says so.
        known = OPERATORS.get(self.operator)
        return text if known and not known.takes_value else f"{text}:{self.value}"

    @property
    def words(self) -> str:
        """The condition as people read it."""
        operator = OPERATORS[self.operator]
        value = f" “{self.value}”" if operator.takes_value else ""
        return f"{self.column} {operator.words}{value}"

    def query(self, field: str) -> Q:
        """What it asks of the cells in a field of a table."""
        return OPERATORS[self.operator].query(Cell(self.column, field), self.value)


def all_of(conditions: Iterable[Condition], field: str) -> Q:
    """What conditions ask of the cells in a field: all of them, but of several values that a
    column is to be equal to any one."""
    alternatives: dict[str, Q] = {}
    asked = Q()
    for condition in conditions:
        query = condition.query(field)
        if OPERATORS[condition.operator].is_alternative:
            alternatives[condition.column] = alternatives.get(condition.column, Q()) | query
        else:
            asked &= query
    return reduce(and_, alternatives.values(), asked)


def texts_of(conditions: Iterable[Condition]) -> list[set[str]]:
    """Sets of texts, of each of which one stands in the cells of whatever meets the conditions."""
    alternatives: dict[str, set[str]] = {}
    needed = []
    for condition in conditions:
        operator = OPERATORS[condition.operator]
        if operator.texts is None:
            continue
        texts = as_stored(operator.texts(condition.value))
        if operator.is_alternative:
            alternatives.setdefault(condition.column, set()).update(texts)
        else:
            needed.append(texts)
    return [*alternatives.values(), *needed]
