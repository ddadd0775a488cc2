"""Records and their current results as of one moment, for questions in SQL."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from django.db import transaction

from explore.columns import engine, segments
from explore.columns.ranges import of_source
from explore.columns.schema import Column, Kind, Relation, common_columns, quoted, united
from explore.columns.segments import Changes, range_of
from explore.columns.staging import stage
from records.database.clock import now
from records.database.moment import one_moment
from records.models import ColumnFold, ColumnSegment, Source

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Beyond so many changes, those of a source are not read from the database.
MOST_CHANGED = 200_000


@dataclass(frozen=True, slots=True)
class Behind:
    """A source of which so much has changed that its records are those of an earlier moment.

    ``moment`` is None, and there are no records, before a worker has taken in the source for the
    first time. The runs are the newest ones at that moment; ``changes`` is how many changes of
    records are noted since.
    """

    source: str
    changes: int
    moment: datetime | None = None
    ingestion_run: int | None = None
    processing_run: int | None = None


@dataclass(frozen=True, slots=True)
class AsOf:
    """As of when the records are what they are: of this moment, but for sources that are behind."""

    moment: datetime
    behind: Sequence[Behind] = ()

    @property
    def is_current(self) -> bool:
        return not self.behind


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
    # What the records are put together from, by source.
    relations: Mapping[str, Sequence[Relation]]

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
def snapshot(*, sources: Collection[str], is_patient: bool = False) -> Iterator[Snapshot]:
    """The records of these sources as they are at this moment.

    Sources that do not exist, or that may not be seen, have none. Where much has changed since
    workers have made segments of a source, its records are those of that moment, as ``as_of``
    says; unless ``is_patient``: then all that has changed is read, however much that is.
    """
    damaged: list[ColumnSegment] = []
    with engine.cursor() as duck:
        with one_moment():
            names = sorted(Source.objects.filter(name__in=sources).values_list("name", flat=True))
            moment = now()
            behind: list[Behind] = []
            relations: dict[str, list[Relation]] = {}
            for number, name in enumerate(names):
                found = segments.current(name)
                lost = [segment for segment in found if not segments.is_whole(segment)]
                damaged += lost
                fold = ColumnFold.objects.filter(source=name).first()
                noted = segments.count_changes(name)
                if is_patient or lost or noted <= MOST_CHANGED:
                    more = [range_of(segment) for segment in lost]
                    if fold is None:
                        more.append(of_source(name))
                    changes = segments.read_changes(name, more=more)
                    relations[name] = _changed(duck, changes, found, number)
                else:
                    behind.append(_behind(name, noted, fold))
                    relations[name] = segments.relations(found, Changes(), "")
        parts = list(chain(*relations.values()))
        columns = common_columns(parts)
        duck.execute(f"CREATE TEMP VIEW records AS {united(parts, columns)}")
        if damaged:
            # A moment of the caller's, which nothing may be written in, ends first.
            transaction.on_commit(partial(segments.note_damaged, damaged), robust=True)
        yield Snapshot(duck, columns, AsOf(moment, behind), relations)


def _behind(source: str, changes: int, fold: ColumnFold | None) -> Behind:
    if fold is None:
        return Behind(source, changes)
    return Behind(source, changes, fold.moment, fold.ingestion_run, fold.processing_run)


def _changed(
    duck: "DuckDBPyConnection", changes: Changes, found: Sequence[ColumnSegment], number: int
) -> list[Relation]:
    """The records of a source: those of its segments, and instead of those that have changed what
    the database holds."""
    table = f"changed_{number}"
    if changes.ids:
        duck.execute(f"CREATE TEMP TABLE {table} AS SELECT unnest(?) AS id", [list(changes.ids)])
    relations = segments.relations(found, changes, table)
    if changes.ids or changes.ranges:
        relations.append(stage(duck, f"fresh_{number}", ranges=changes.ranges, ids=changes.ids))
    return relations
