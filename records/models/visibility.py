"""Conditions by which the default managers leave out what belongs to hidden sources."""

from collections.abc import Callable, Sequence
from typing import Any

from django.apps import apps
from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import models
from django.db.models import BooleanField, Expression, F
from django.db.models.lookups import GreaterThanOrEqual, In, LessThan
from django.db.models.sql.where import AND, OR, WhereNode

from records.visible_sources import visible_sources

# What a column has to meet, given the names of the sources that may be seen, of which there are
# some.
Condition = Callable[[Any, Sequence[str]], Any]


class Visible(Expression):
    """Whether a row belongs to a source that may be seen.

    This is decided when the SQL is made: also for querysets that are built when a module is
    imported. Where everything may be seen, nothing is added to the SQL.
    """

    def __init__(self, column: str, condition: Condition) -> None:
        super().__init__(output_field=BooleanField())
        self.column: Any = F(column)
        self.condition = condition

    def get_source_expressions(self) -> list[Any]:
        return [self.column]

    def set_source_expressions(self, expressions: Sequence[Any]) -> None:
        (self.column,) = expressions

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        names = visible_sources()
        if names is None:
            raise FullResultSet
        if not names:
            raise EmptyResultSet
        sql: tuple[str, Any] = compiler.compile(self.condition(self.column, sorted(names)))
        return sql


def named(column: Any, names: Sequence[str]) -> Any:
    """The column holds the name of a source."""
    return In(column, names)


def keyed(column: Any, names: Sequence[str]) -> Any:
    """The column holds the id of a record, which begins with the name of its source."""
    if len(names) == 1:
        first, behind = f"{names[0]}:", f"{names[0]};"
        ends: list[Any] = [GreaterThanOrEqual(column, first), LessThan(column, behind)]
        return WhereNode(ends, AND)
    # As a balanced tree: SQLite takes no deep one.
    half = len(names) // 2
    return WhereNode([keyed(column, names[:half]), keyed(column, names[half:])], OR)


def of_source(column: Any, names: Sequence[str]) -> Any:
    """The column refers to a source."""
    return In(column, _ids("Source", name__in=names))


def of_run(column: Any, names: Sequence[str]) -> Any:
    """The column refers to an ingestion run."""
    return In(column, _ids("IngestionRun", source__name__in=names))


def of_processing(column: Any, names: Sequence[str]) -> Any:
    """The column refers to a processing run."""
    return In(column, _ids("ProcessingRun", source__name__in=names))


def of_feed(column: Any, names: Sequence[str]) -> Any:
    """The column refers to a feed."""
    return In(column, _ids("Feed", source__name__in=names))


def _ids(model: str, **condition: Any) -> Any:
    rows = apps.get_model("records", model)._base_manager
    return rows.filter(**condition).order_by().values("pk").query


# By which column each table tells the source of a row.
CONDITIONS: dict[str, tuple[str, Condition]] = {
    "Source": ("name", named),
    "RuleSet": ("source_id", of_source),
    "Feed": ("source_id", of_source),
    "FolderFile": ("feed_id", of_feed),
    "IngestionRun": ("source_id", of_source),
    "DryRun": ("run_id", of_run),
    "Undo": ("run_id", of_run),
    "Rekey": ("run_id", of_run),
    "Receipt": ("source_id", of_source),
    "RejectedRow": ("run_id", of_run),
    # A run over all sources has none: who is limited to some does not see it.
    "ProcessingRun": ("source_id", of_source),
    "ProcessingBatch": ("source", named),
    "ProcessingFacts": ("run_id", of_processing),
    "RuleDryRun": ("source_id", of_source),
    "DataRecord": ("id", keyed),
    "RecordVersion": ("record_id", keyed),
    "RecordClosing": ("record_id", keyed),
    "RecordKey": ("record_id", keyed),
    "SnapshotKey": ("record_id", keyed),
    "ProcessingResult": ("record_id", keyed),
    "RecordText": ("record_id", keyed),
    "RecordCount": ("source", named),
    "ValueCount": ("source", named),
    "ColumnChange": ("source", named),
    "ColumnSegment": ("source", named),
    "ColumnFold": ("source", named),
}


class VisibleManager(models.Manager[Any]):
    """Leaves out what belongs to hidden sources."""

    def get_queryset(self) -> Any:
        condition = CONDITIONS.get(self.model.__name__)
        rows = super().get_queryset()
        return rows.filter(Visible(*condition)) if condition else rows
