"""Records and their current results as of one moment, for questions in SQL."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from explore.columns import engine
from explore.columns.schema import Column, Kind, common_columns, quoted, united
from explore.columns.staging import of_source, stage
from records.database.clock import now
from records.database.moment import one_moment
from records.models import Source

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class AsOf:
    """As of when the records are what they are."""

    moment: datetime


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Records of one moment.

    ``connection`` has a view ``records``: the columns of ``schema.FIXED``, and those of the data
    and the current results under the names that ``data_column`` and ``result_column`` give. A cell
    that a record lacks is NULL; all cells of the data are texts.
    """

    connection: "DuckDBPyConnection"
    columns: Sequence[Column]
    as_of: AsOf

    def data_column(self, name: str) -> str | None:
        """The SQL identifier of a column of the data; None if there is no such column."""
        return self._identifier("data", name)

    def result_column(self, name: str) -> str | None:
        """The SQL identifier of a column of the results; None if there is no such column."""
        return self._identifier("result", name)

    def _identifier(self, kind: Kind, name: str) -> str | None:
        found = (column for column in self.columns if column.key == (kind, name))
        column = next(found, None)
        return None if column is None else quoted(column.physical)


@contextmanager
def snapshot(*, sources: Collection[str]) -> Iterator[Snapshot]:
    """The records of these sources as they are at this moment.

    Sources that do not exist, or that may not be seen, have none.
    """
    with engine.cursor() as duck:
        with one_moment():
            names = sorted(Source.objects.filter(name__in=sources).values_list("name", flat=True))
            moment = now()
            relations = [stage(duck, "fresh", ranges=[of_source(name) for name in names])]
        columns = common_columns(relations)
        duck.execute(f"CREATE TEMP VIEW records AS {united(relations, columns)}")
        yield Snapshot(duck, columns, AsOf(moment))
