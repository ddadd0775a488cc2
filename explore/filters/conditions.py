"""Conditions on single cells: how they are written in a URL, and their SQL."""

import json
import math
import re
from collections.abc import Collection, Iterable
from functools import reduce
from operator import and_, or_
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db.models import BooleanField, F, FloatField, Func, Q, TextField, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    IContains,
    LessThan,
    LessThanOrEqual,
    Regex,
)

# What a condition may ask, in the words of the page.
WORDS = {
    "eq": "is",
    "ne": "is not",
    "contains": "contains",
    "lt": "is less than",
    "le": "is at most",
    "gt": "is greater than",
    "ge": "is at least",
    "empty": "is empty",
    "filled": "is not empty",
}
WITHOUT_VALUE = ("empty", "filled")
COMPARISONS: dict[str, Any] = {
    "lt": LessThan,
    "le": LessThanOrEqual,
    "gt": GreaterThan,
    "ge": GreaterThanOrEqual,
}

# What is compared as a number. Both databases know the pattern; longer ones are no numbers here.
NUMBER = (
    r"^[ \t\n\r]*[-+]?([0-9]{1,40}(\.[0-9]{0,40})?|\.[0-9]{1,40})([eE][-+]?[0-9]{1,3})?[ \t\n\r]*$"
)
BLANK = r"^\s*$"


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
        if operator not in WORDS:
            raise ValidationError(
                f"There is no operator “{operator}”. Choose one of {', '.join(WORDS)}."
            )
        if (value is None) != (operator in WITHOUT_VALUE):
            wrong = "needs a value" if value is None else "takes no value"
            raise ValidationError(f"The operator “{operator}” {wrong}.")
        if value == "" and operator not in ("eq", "ne"):
            raise ValidationError(f"The operator “{operator}” needs a value.")
        if operator in COMPARISONS and re.match(NUMBER, value) and not math.isfinite(float(value)):
            raise ValidationError(f"{value} is too large to compare cells with.")
        return cls(re.sub(r"\\(.)", r"\1", column, flags=re.DOTALL), operator, value or "")

    def __str__(self) -> str:
        column = re.sub(r"([\\:])", r"\\\1", self.column)
        text = f"{column}:{self.operator}"
        return text if self.operator in WITHOUT_VALUE else f"{text}:{self.value}"

    @property
    def words(self) -> str:
        """The condition as people read it."""
        value = f" “{self.value}”" if self.operator not in WITHOUT_VALUE else ""
        return f"{self.column} {WORDS[self.operator]}{value}"

    def query(self, field: str) -> Q:
        """What it asks of the cells in a field of a table.

        A cell that is absent is empty, and is not equal to anything. A value that is a number is
        compared with cells that are numbers, any other with the text of cells, byte by byte.
        """
        cell = Cell(self.column, field)
        if self.operator in ("eq", "ne"):
            equal = Q(Exact(_or_nothing(cell), self.value))
            return equal if self.operator == "eq" else ~equal
        if self.operator in WITHOUT_VALUE:
            blank = Q(Regex(_or_nothing(cell), BLANK))
            return blank if self.operator == "empty" else ~blank
        if self.operator == "contains":
            found = [Q(IContains(cell, spelling)) for spelling in spellings(self.value)]
            return reduce(or_, found)
        compare = COMPARISONS[self.operator]
        if re.match(NUMBER, self.value):
            return Q(compare(Number(cell), float(self.value)))
        return Q(compare(Bytewise(cell), self.value))


def all_of(conditions: Iterable[Condition], field: str) -> Q:
    """What conditions ask of the cells in a field: all of them, but of several values that a
    column is to be equal to any one."""
    equal: dict[str, Q] = {}
    asked = Q()
    for condition in conditions:
        query = condition.query(field)
        if condition.operator == "eq":
            equal[condition.column] = equal.get(condition.column, Q()) | query
        else:
            asked &= query
    return reduce(and_, equal.values(), asked)


def texts_of(conditions: Iterable[Condition]) -> list[set[str]]:
    """Sets of texts, of each of which one stands in the cells of whatever meets the conditions."""
    equal: dict[str, set[str]] = {}
    needed = []
    for condition in conditions:
        if condition.operator == "eq":
            equal.setdefault(condition.column, set()).update(as_stored({condition.value}))
        elif condition.operator == "contains":
            needed.append(as_stored(spellings(condition.value)))
    return [*equal.values(), *needed]


def _or_nothing(cell: "Cell") -> Coalesce:
    return Coalesce(cell, Value("", output_field=TextField()))


class Cell(Func):
    """The cell of a column of a JSON object, as text; NULL for none."""

    output_field = TextField()

    def __init__(self, column: str, field: str = "data") -> None:
        super().__init__(F(field), Value(column))

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        # Its type says that it is a name, not the number of an element.
        return self.as_sql(
            compiler, connection, template="(%(expressions)s::text)", arg_joiner=" ->> "
        )

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        # Not by a path, in which names could not hold every character.
        template = (
            "(SELECT CASE type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' "
            "WHEN 'null' THEN NULL ELSE CAST(value AS TEXT) END "
            "FROM json_each(%(expressions)s)"
        )
        return self.as_sql(
            compiler, connection, template=template + " LIMIT 1)", arg_joiner=") WHERE key = ("
        )


class Number(Func):
    """A text as a number; NULL where it is none."""

    output_field = FloatField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = (
            f"(SELECT CASE WHEN cell ~ '{NUMBER}' THEN cell::numeric END "  # noqa: S608
            "FROM (SELECT %(expressions)s AS cell) AS cells)"
        )
        return self.as_sql(compiler, connection, template=template)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = (
            f"(SELECT CASE WHEN cell REGEXP '{NUMBER}' THEN CAST(cell AS REAL) END "  # noqa: S608
            "FROM (SELECT %(expressions)s AS cell))"
        )
        return self.as_sql(compiler, connection, template=template)


class Bytewise(Func):
    """A text that is compared byte by byte, as SQLite does anyway."""

    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template='(%(expressions)s COLLATE "C")')

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="(%(expressions)s)")


class Wordwise(Func):
    """A text that is compared as words are. PostgreSQL keeps ids so that their letters beyond ASCII
    have no upper case."""

    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template='(%(expressions)s COLLATE "default")')

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="(%(expressions)s)")


class Cells(Func):
    """The cells of a JSON object as one text, without the names of their columns.

    PostgreSQL gives it as JSON, because reading each cell on its own takes six times as long.
    """

    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "jsonb_path_query_array(%(expressions)s, '$.*')::text"
        return self.as_sql(compiler, connection, template=template)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "(SELECT group_concat(value, char(10)) FROM json_each(%(expressions)s))"
        return self.as_sql(compiler, connection, template=template)


class Rules(Func):
    """The names of the rules in a list of errors or repairs, each in quotes, as one text."""

    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "jsonb_path_query_array(%(expressions)s, '$[*].rule')::text"
        return self.as_sql(compiler, connection, template=template)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = (
            "(SELECT json_group_array(json_extract(value, '$.rule')) "
            "FROM json_each(%(expressions)s))"
        )
        return self.as_sql(compiler, connection, template=template)


class NamesRule(Func):
    """Whether a list of errors or repairs has one of a rule."""

    output_field = BooleanField()

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(F(field), Value(rule))

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(
            compiler,
            connection,
            template="(%(expressions)s::text)))",
            arg_joiner=" @> jsonb_build_array(jsonb_build_object('rule', ",
        )

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(
            compiler,
            connection,
            template="EXISTS(SELECT 1 FROM json_each(%(expressions)s))",
            arg_joiner=") WHERE json_extract(value, '$.rule') = (",
        )


def spellings(text: str) -> set[str]:
    """The text in the cases that a database may not know for one another.

    SQLite, and PostgreSQL in locale C, compare without regard to case in ASCII only.
    """
    return {text} if text.isascii() else {text, text.lower(), text.upper(), text.title()}


def in_json(text: str) -> str:
    """The text as PostgreSQL spells it within JSON."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def as_stored(texts: Collection[str]) -> set[str]:
    """Texts as they stand in an id, in a cell that is no text, or in one that is."""
    return {*texts, *map(in_json, texts)}
