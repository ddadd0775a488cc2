"""SQL expressions over the cells of JSON objects, for PostgreSQL and SQLite.

For DuckDB they are over the columns of the column store (see explore.filters.duckdb).
"""

import json
from collections.abc import Collection
from typing import Any

from django.db.models import BooleanField, F, FloatField, Func, IntegerField, TextField, Value
from django.db.models.lookups import IContains, Regex

# What is compared as a number. Both databases know the pattern; longer ones are not numbers here.
NUMBER = (
    r"^[ \t\n\r]*[-+]?([0-9]{1,40}(\.[0-9]{0,40})?|\.[0-9]{1,40})([eE][-+]?[0-9]{1,3})?[ \t\n\r]*$"
)
# Spaces of all kinds, one by one: what ``\s`` means differs between databases.
SPACES = (
    "".join(
        map(
            chr, [*range(9, 14), *range(28, 33), 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028]
        )
    )
    + "\u2029\u202f\u205f\u3000"
)
BLANK = f"^[{SPACES}]*$"
# The greatest finite number.
GREATEST = 1.7976931348623157e308
_LEAP_YEAR = r"(([0-9]{2}(0[48]|[2468][048]|[13579][26]))|(0[48]|[2468][048]|[13579][26])00)"
_YEAR = r"([0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"
# A text that begins with a date such as 2026-03-01, of a day that there is.
DATE = (
    rf"^({_YEAR}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|"
    rf"02-(0[1-9]|1[0-9]|2[0-8]))|{_LEAP_YEAR}-02-29)"
)


class NotOfColumns(Exception):
    """DuckDB can't tell this as the database does: the database has to be asked."""


class Cell(Func):
    """The cell of a column of a JSON object, as text; NULL for none."""

    output_field = TextField()

    def __init__(self, column: str, field: str = "data") -> None:
        super().__init__(F(field), Value(column))
        self.column, self.owner = column, field

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

    def as_duckdb(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return connection.text_of(self.column, self.owner), []


class Number(Func):
    """The cell of a column as a number, the nearest of 64 bits; NULL where it is none."""

    output_field = FloatField()

    def __init__(self, cell: Cell) -> None:
        super().__init__(F(cell.owner), Value(cell.column))
        self.column, self.owner = cell.column, cell.owner

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        # What is beyond the range of 64 bits would be an error. OFFSET has each cell read once.
        # PostgreSQL spells 1e300 with all its digits; that is too long, as it is in a text.
        template = (
            "(SELECT CASE WHEN abs(n) >= 1.7976931348623158079e308 "  # noqa: S608
            "THEN sign(n)::float8 * 'Infinity'::float8 "
            "WHEN abs(n) <= 2.4703282292062328e-324 THEN 0 ELSE n::float8 END "
            "FROM (SELECT CASE WHEN jsonb_typeof(cell) = 'number' "
            "AND (strpos(cell::text, '.') > 0 OR length(cell::text) < 38) THEN cell::numeric "
            f"WHEN cell #>> '{{}}' ~ '{NUMBER}' THEN (cell #>> '{{}}')::numeric END AS n "
            "FROM (SELECT %(expressions)s::text AS cell OFFSET 0) AS cells OFFSET 0) AS numbers)"
        )
        return self.as_sql(compiler, connection, template=template, arg_joiner=" -> ")

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = (
            "(SELECT CASE WHEN type IN ('integer', 'real') "  # noqa: S608
            f"OR type = 'text' AND value REGEXP '{NUMBER}' THEN CAST(value AS REAL) END "
            "FROM json_each(%(expressions)s) LIMIT 1)"
        )
        return self.as_sql(compiler, connection, template=template, arg_joiner=") WHERE key = (")

    def as_duckdb(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return connection.number_of(self.column, self.owner), []


class Weekday(Func):
    """The weekday of a cell that begins with a date, 1 for Monday to 7; NULL where it is none."""

    output_field = IntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = (
            f"(SELECT CASE WHEN cell ~ '{DATE}' "  # noqa: S608
            "THEN extract(isodow FROM left(cell, 10)::date)::int END "
            "FROM (SELECT %(expressions)s AS cell OFFSET 0) AS cells)"
        )
        return self.as_sql(compiler, connection, template=template)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = (
            f"(SELECT CASE WHEN cell REGEXP '{DATE}' "  # noqa: S608
            "THEN (strftime('%%%%w', substr(cell, 1, 10)) + 6) %%%% 7 + 1 END "
            "FROM (SELECT %(expressions)s AS cell))"
        )
        return self.as_sql(compiler, connection, template=template)

    def as_duckdb(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = f"isodow(TRY_CAST(regexp_extract(%(expressions)s, '{DATE}') AS DATE))"
        return self.as_sql(compiler, connection, template=template)


class Contains(IContains):
    """Whether a text contains another one, whatever the case of its letters."""

    def as_duckdb(self, compiler: Any, connection: Any) -> Any:
        if not str(self.rhs).isascii():
            # Letters beyond ASCII have the cases that the database knows.
            raise NotOfColumns
        sql, parameters = self.process_lhs(compiler, connection)
        upper, lower = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
        folded = f"contains(translate({sql}, '{upper}', '{lower}'), %s)"
        return folded, [*parameters, str(self.rhs).lower()]


class Matches(Regex):
    """Whether a text matches a pattern that all databases read alike."""

    def as_duckdb(self, compiler: Any, connection: Any) -> Any:
        sql, parameters = self.process_lhs(compiler, connection)
        return f"regexp_matches({sql}, %s)", [*parameters, self.rhs]


class Bytewise(Func):
    """A text that is compared byte by byte, as SQLite does anyway."""

    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template='(%(expressions)s COLLATE "C")')

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="(%(expressions)s)")

    def as_duckdb(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="(%(expressions)s)")


class Wordwise(Func):
    """A text that is compared as words are. PostgreSQL keeps ids so that their letters beyond ASCII
    have no upper case."""

    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template='(%(expressions)s COLLATE "default")')

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="(%(expressions)s)")

    def as_duckdb(self, compiler: Any, connection: Any, **context: Any) -> Any:
        raise NotOfColumns


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
        self.owner, self.rule = field, rule

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

    def as_duckdb(self, compiler: Any, connection: Any, **context: Any) -> Any:
        column = {"errors": "error_rules", "repairs": "repair_rules"}[self.owner]
        return f"coalesce(list_contains({column}, %s), false)", [self.rule]


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
