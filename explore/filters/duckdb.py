"""The records that a query means, as SQL for DuckDB over the column store.

It is made from the same conditions as the SQL of the database: each expression of a condition has
a body for DuckDB beside those for PostgreSQL and SQLite.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.backends.dummy.base import DatabaseWrapper
from django.db.models import Q

from explore.columns.snapshot import Snapshot
from explore.filters.query import RecordQuery
from explore.filters.record_filter import RecordFilter
from explore.filters.sql import NUMBER, NotOfColumns
from records.models import DataRecord, ProcessingResult

if TYPE_CHECKING:
    from collections.abc import Sequence

# What the ids that the database was asked for stand in.
IDS = "asked_ids"


class NotOfOneMoment(Exception):
    """Only the database can carry out a filter, and the snapshot is of an earlier moment."""


@dataclass(frozen=True, slots=True)
class Matching:
    """The records that a query means: a relation to select from, with its parameters."""

    sql: str
    parameters: "Sequence[Any]"


def matching(query: RecordQuery, snapshot: Snapshot) -> Matching:
    """The records of a snapshot that a valid query means.

    What only the database can tell (a search in all cells, letters beyond ASCII whatever their
    case) it is asked for first; then the snapshot has to be of the same moment. Raises
    NotOfOneMoment.
    """
    asked = _Conditions(snapshot)
    of_database = []
    for name, value in query.values.items():
        if name == "closed":
            continue
        conditions = RecordFilter.asked(name, value)
        try:
            if conditions.of_result and query.closed != "0":
                # Closed records have no current result; what counts is their last one.
                raise NotOfColumns
            asked.add(conditions.of_record, conditions.of_result)
        except NotOfColumns:
            of_database.append(name)
    conditions_of_records = list(asked.of_records)
    if query.closed != "all":
        conditions_of_records.append("closed" if query.closed == "1" else "NOT closed")
    if of_database:
        if not snapshot.as_of.is_current:
            raise NotOfOneMoment
        _ask_database(query, of_database, snapshot)
        conditions_of_records.append(f"id IN (FROM {IDS})")
    sql = _selected("records", "data_records", conditions_of_records)
    if asked.of_results:
        sql = _selected(
            f"({sql})", "processing_results", ["success IS NOT NULL", *asked.of_results]
        )
    return Matching(f"({sql})", asked.parameters)


def number_of(snapshot: Snapshot, column: str, *, is_result: bool) -> str:
    """The SQL of a cell as a number; NULL where it is none. It may be infinite."""
    name = snapshot.result_column(column) if is_result else snapshot.data_column(column)
    if name is None:
        return "CAST(NULL AS DOUBLE)"
    if is_result and is_number(snapshot, column):
        return name
    return number_in(name)


def number_in(text: str) -> str:
    """The SQL of a text as a number, as filters read it; NULL where it is none."""
    return (
        f"CASE WHEN regexp_matches({text}, '{NUMBER}') "
        f"THEN TRY_CAST(trim({text}, E' \\t\\n\\r') AS DOUBLE) END"
    )


def is_number(snapshot: Snapshot, column: str) -> bool:
    """Whether all cells of a column of the results are numbers."""
    return any(
        each.kind == "result" and each.name == column and each.type == "DOUBLE"
        for each in snapshot.columns
    )


class _Operations(BaseDatabaseOperations):
    compiler_module = "django.db.models.sql.compiler"

    def quote_name(self, name: str) -> str:
        return name if name.startswith('"') else f'"{name}"'

    def adapt_datetimefield_value(self, value: Any) -> Any:
        return value

    def datetime_extract_sql(
        self, lookup_type: str, sql: str, params: Any, tzname: str | None
    ) -> tuple[str, Any]:
        if lookup_type != "iso_week_day":
            raise NotOfColumns
        return f"isodow(timezone(%s, {sql}))", [tzname, *params]


class _Dialect(DatabaseWrapper):
    """What Django makes SQL for DuckDB with. It connects to nothing."""

    vendor = "duckdb"
    ops_class = _Operations
    operators = {
        "exact": "= %s",
        "gt": "> %s",
        "gte": ">= %s",
        "lt": "< %s",
        "lte": "<= %s",
    }

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__({"TIME_ZONE": None}, "duckdb")
        self.snapshot = snapshot

    def text_of(self, column: str, field: str) -> str:
        """The SQL of a cell as text, for Django, in whose SQL a % is written twice."""
        if field == "data":
            name = self.snapshot.data_column(column)
        elif is_number(self.snapshot, column):
            # Databases write the same number in different ways.
            raise NotOfColumns
        else:
            name = self.snapshot.result_column(column)
        return "CAST(NULL AS VARCHAR)" if name is None else name.replace("%", "%%")

    def number_of(self, column: str, field: str) -> str:
        """The SQL of a cell as a number, for Django."""
        sql = number_of(self.snapshot, column, is_result=field != "data")
        return sql.replace("%", "%%")


class _Conditions:
    """Conditions on records and on their current results, as SQL."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._dialect = _Dialect(snapshot)
        self.of_records: list[str] = []
        self.of_results: list[str] = []
        self._parameters: tuple[list[Any], list[Any]] = ([], [])

    @property
    def parameters(self) -> list[Any]:
        of_records, of_results = self._parameters
        return [*of_records, *of_results]

    def add(self, of_record: Q, of_result: Q) -> None:
        """Add conditions, both or none. Raises NotOfColumns."""
        made = [
            self._made(model, query) if query else None
            for model, query in ((DataRecord, of_record), (ProcessingResult, of_result))
        ]
        for place, found in enumerate(made):
            if found:
                (self.of_records, self.of_results)[place].append(found[0])
                self._parameters[place].extend(found[1])

    def _made(self, model: Any, query: Q) -> tuple[str, list[Any]]:
        where = model._base_manager.filter(query).query
        try:
            compiler = where.get_compiler(connection=self._dialect)
            sql, parameters = compiler.compile(where.where)
        except EmptyResultSet:
            return "FALSE", []
        except FullResultSet:
            return "TRUE", []
        return sql % (("?",) * len(parameters)), list(parameters)


def _selected(relation: str, alias: str, conditions: "Sequence[str]") -> str:
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT * FROM {relation} AS {alias}{where}"  # noqa: S608 (quoted)


def _ask_database(query: RecordQuery, names: "Sequence[str]", snapshot: Snapshot) -> None:
    """Have the database find the records that meet these filters, for DuckDB to look them up."""
    import pandas as pd

    others = [name for name in query.values if name not in (*names, "source", "closed", "run")]
    rest = query.without(*others)
    found = rest.queryset().order_by().values_list("pk", flat=True)
    frame = pd.DataFrame({"id": list(found.iterator(10_000))}, dtype="object")
    snapshot.connection.register("found_ids", frame)
    snapshot.connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {IDS} AS SELECT CAST(id AS VARCHAR) AS id FROM found_ids"  # noqa: S608
    )
    snapshot.connection.unregister("found_ids")
