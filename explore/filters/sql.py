"""SQL expressions over the cells of JSON objects, for PostgreSQL and SQLite."""

import json
from collections.abc import Collection
from typing import Any

from django.db.models import BooleanField, F, FloatField, Func, TextField, Value

# What is compared as a number. Both databases know the pattern; longer ones are not numbers here.
NUMBER = (
    r"^[ \t\n\r]*[-+]?([0-9]{1,40}(\.[0-9]{0,40})?|\.[0-9]{1,40})([eE][-+]?[0-9]{1,3})?[ \t\n\r]*$"
)
BLANK = r"^\s*$"


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
    """The texts as stored in an ID or a cell that is not text, and as stored in a text cell."""
    return {*texts, *map(in_json, texts)}
