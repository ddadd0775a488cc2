"""Columns as questions read them: as text, and as numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from explore.columns.snapshot import Snapshot
from explore.filters.conditions import Condition
from explore.filters.duckdb import Matching, is_number, number_in
from explore.filters.known_columns import suggestion
from explore.filters.sql import DATE
from explore.questions.links import Asked
from explore.questions.question import QuestionError
from records.models import Source
from records.number_text import PLAIN, Style, reader, style_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Numbers as they are written, of so many digits: their sum is exact.
DECIMAL = "DECIMAL(38, 18)"
DECIMAL_TEXT = r"^[-+]?[0-9]{0,12}(\.[0-9]{0,18})?$"
IS_PROCESSED = "status = 'processed'"
# Before the name of a column: what the rules have made of it.
OF_RESULT = "result:"
# So many different cells are named one by one in a link.
MOST_NAMED = 30


@dataclass(frozen=True, slots=True)
class Field:
    """A column, in SQL.

    ``text`` and ``number`` are NULL for a record without; a number is finite. ``decimal`` is the
    number as it is written, if its digits are few. ``is_result``: what the rules have made of
    processed records, not what the rows said. ``is_numeric``: all its cells are numbers. ``style``
    is how its numbers are written, and ``join`` what has to be joined to read these;
    ``unread`` are then the cells that are no numbers, None if they are too many to be named.
    """

    name: str
    is_result: bool
    is_numeric: bool
    text: str
    number: str
    decimal: str
    style: Style = PLAIN
    join: str = ""
    unread: Sequence[str] | None = None

    def asked(self, operator: str, value: str = "") -> Asked:
        """A condition of the filter on this column."""
        parameter = "result" if self.is_result else "where"
        return Asked(parameter, Condition(self.name, operator, value))


class Fields:
    """The columns of a snapshot, found by name."""

    def __init__(self, snapshot: Snapshot, *, sources: Sequence[str], closed: str) -> None:
        self._snapshot, self._closed = snapshot, closed
        rows = Source.objects.filter(name__in=sources).order_by("name")
        self._sources: dict[str, tuple[dict[str, Any], list[str]]] = {
            name: (mapping, columns)
            for name, mapping, columns in rows.values_list("name", "mapping", "columns")
        }

    def text(self, name: str, *, parameter: str) -> Field:
        """The column of a name as text: what the rows said; what rules have made of it, if only
        these have it or the name is ``result:COLUMN``. Raises QuestionError."""
        return self._find(name, parameter, lambda column: False)

    def numbers(self, name: str, *, parameter: str) -> Field:
        """The column of a name as numbers: what rules have made of it, if that is numbers, else
        what the rows said. Raises QuestionError."""
        return self._find(name, parameter, lambda column: is_number(self._snapshot, column))

    def dates(self, name: str, found: Matching, *, parameter: str) -> Field:
        """The column of a name as dates: what rules have made of it, if that has more dates than
        what the rows said. Raises QuestionError."""

        def has_more_dates(column: str) -> bool:
            both = (self._snapshot.data_column(column), self._snapshot.result_column(column))
            counts = ", ".join(f"count(*) FILTER (WHERE regexp_matches({each}, '{DATE}'))"
                               for each in both)  # fmt: skip
            sql = f"SELECT {counts} FROM {found.sql}"  # noqa: S608 (quoted)
            rows = self._snapshot.connection.execute(sql, found.parameters).fetchall()
            return bool(rows[0][1] > rows[0][0])

        return self._find(name, parameter, has_more_dates)

    def _find(self, name: str, parameter: str, is_better: Callable[[str], bool]) -> Field:
        """The column of a name; of one that rules have made too, the ``is_better`` of both."""
        data = self._snapshot.data_column(name)
        is_listed = data is not None or name in self._listed()
        column = name if is_listed else name.removeprefix(OF_RESULT)
        made = self._snapshot.result_column(column)
        if made is not None and self._closed != "0":
            # The current results of closed records are gone: what they said is what there is.
            if not is_listed:
                raise QuestionError(
                    parameter, f"Closed records have no results, and so no column “{column}”."
                )
            made = None
        if made is not None and (not is_listed or (data is not None and is_better(column))):
            return _of_result(column, made, is_numeric=is_number(self._snapshot, column))
        if not is_listed:
            raise QuestionError(parameter, self._unknown(column))
        return _of_data(name, data or "CAST(NULL AS VARCHAR)")

    def names(self) -> list[str]:
        """The names of all columns, in the order of the inputs, then by name."""
        found = dict.fromkeys(self._listed())
        known = {each.name for each in self._snapshot.columns}
        return [*(name for name in found if name in known), *sorted(known - found.keys())]

    def style(self, name: str, parameter: str) -> Style:
        """How the numbers in a column of the data are written. Raises QuestionError."""
        styles: dict[Style, str] = {}
        for source, (mapping, columns) in self._sources.items():
            if name in columns:
                known = (mapping.get("numbers") or {}).get(name)
                styles.setdefault(style_of(known) if known else PLAIN, source)
        if len(styles) > 1:
            one, other = list(styles.values())[:2]
            raise QuestionError(
                parameter,
                f"{one} and {other} write the numbers of “{name}” in different ways. Choose one "
                "source.",
            )
        return next(iter(styles), PLAIN)

    def _listed(self) -> list[str]:
        return list(dict.fromkeys(name for _, names in self._sources.values() for name in names))

    def _unknown(self, name: str) -> str:
        listed = dict.fromkeys([*self._listed(), *(each.name for each in self._snapshot.columns)])
        if len(self._sources) == 1:
            return f"{next(iter(self._sources))} has no column “{name}”.{suggestion(name, listed)}"
        return f"No source has a column “{name}”.{suggestion(name, listed)}"


def styled(
    field: Field, style: Style, found: Matching, *, connection: "DuckDBPyConnection", table: str
) -> Field:
    """A column of the data whose numbers are written in a style of its own.

    Each different cell is read once, by the function that the rules use.
    """
    import pandas as pd

    cells = connection.execute(
        f"SELECT DISTINCT {field.text} FROM {found.sql} WHERE {field.text} IS NOT NULL",  # noqa: S608
        found.parameters,
    ).fetchall()
    read: Callable[[object], float | None] = reader(style)
    numbers = {cell: read(cell) for (cell,) in cells}
    unread = [cell for cell, number in numbers.items() if number is None and cell.strip()]
    frame = pd.DataFrame(
        {
            "cell": pd.Series(list(numbers), dtype="object"),
            "number": pd.Series(list(numbers.values()), dtype="float64"),
        }
    )
    connection.register("styled_cells", frame)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT CAST(cell AS VARCHAR) AS cell, "  # noqa: S608
        "CASE WHEN NOT isnan(number) THEN number END AS number FROM styled_cells"
    )
    connection.unregister("styled_cells")
    number = f"{table}.number"
    return Field(
        field.name,
        is_result=False,
        is_numeric=False,
        text=field.text,
        number=number,
        decimal=_decimal(f"CAST({number} AS VARCHAR)"),
        style=style,
        join=f" LEFT JOIN {table} ON {table}.cell = {field.text}",
        unread=unread if len(unread) <= MOST_NAMED else None,
    )


def _of_result(name: str, column: str, *, is_numeric: bool) -> Field:
    cell = f"CASE WHEN {IS_PROCESSED} THEN {column} END"
    text = f"CAST({cell} AS VARCHAR)" if is_numeric else cell
    number = _finite(cell if is_numeric else number_in(f"({cell})"))
    decimal = _decimal(f"trim({text}, E' \\t\\n\\r')")
    return Field(name, True, is_numeric, text, number, decimal)


def _of_data(name: str, column: str) -> Field:
    decimal = _decimal(f"trim({column}, E' \\t\\n\\r')")
    return Field(name, False, False, column, _finite(number_in(column)), decimal)


def _finite(number: str) -> str:
    return f"CASE WHEN isfinite({number}) THEN {number} END"


def _decimal(text: str) -> str:
    return (
        f"CASE WHEN regexp_matches({text}, '{DECIMAL_TEXT}') THEN TRY_CAST({text} AS {DECIMAL}) END"
    )
