"""Compares the segments of a source with the database."""

from collections.abc import Sequence
from dataclasses import dataclass

from explore.columns import engine, segments
from explore.columns.ranges import Range, of_source
from explore.columns.schema import FIXED, common_columns, quoted, united
from explore.columns.segments import Changes
from explore.columns.staging import stage
from records.database.moment import one_moment
from records.models import ColumnSegment


@dataclass(frozen=True, slots=True)
class Difference:
    """Records in which a segment, or the ids before it, differ from the database."""

    source: str
    span: Range
    is_damaged: bool
    records: int = 0

    def __str__(self) -> str:
        where = f"{self.source}, {self.span.first.rstrip(chr(1))} to {self.span.end.rstrip(chr(1))}"
        if self.is_damaged:
            return f"{where}: the file is lost or damaged"
        return f"{where}: {self.records:,} rows differ"


def differences(source: str) -> list[Difference]:
    """What the segments of a source have wrong, apart from what they have yet to follow.

    Every record is read, from the files and from the database, as of one moment.
    """
    found: list[Difference] = []
    with engine.cursor() as duck, one_moment():
        changes = segments.read_changes(source)
        duck.execute("CREATE TEMP TABLE changed AS SELECT unnest(?::VARCHAR[]) AS id",
                     [list(changes.ids)])  # fmt: skip
        for span, segment in _parts(source, segments.current(source)):
            if segment is not None and not segments.is_whole(segment):
                found.append(Difference(source, span, is_damaged=True))
                continue
            stored = [] if segment is None else [segment]
            ours = segments.relations(stored, changes, "changed")
            theirs = stage(duck, "fresh", ranges=[span])
            columns = common_columns([*ours, theirs])
            names = ", ".join([*FIXED, *(quoted(column.physical) for column in columns)])
            duck.execute(
                f"CREATE OR REPLACE TEMP VIEW theirs AS SELECT {names} "  # noqa: S608 (quoted)
                f"FROM ({united([theirs], columns)}) WHERE {_unchanged(changes)}"
            )
            duck.execute(f"CREATE OR REPLACE TEMP VIEW ours AS {united(ours, columns)}")
            ((records,),) = duck.execute(
                "SELECT count(*) FROM ((FROM ours EXCEPT ALL FROM theirs) "
                "UNION ALL (FROM theirs EXCEPT ALL FROM ours))"
            ).fetchall()
            if records:
                found.append(Difference(source, span, is_damaged=False, records=records))
    return found


def _parts(
    source: str, stored: Sequence[ColumnSegment]
) -> list[tuple[Range, ColumnSegment | None]]:
    """All ids of a source, each in the range that ends with a segment; behind them, in none."""
    start, end = of_source(source)
    parts: list[tuple[Range, ColumnSegment | None]] = []
    for segment in stored:
        upto = segments.range_of(segment).end
        parts.append((Range(start, upto), segment))
        start = upto
    return [*parts, (Range(start, end), None)]


def _unchanged(changes: Changes) -> str:
    conditions = ["id NOT IN (SELECT id FROM changed)"]
    conditions += [segments.not_in(each) for each in changes.ranges]
    return " AND ".join(conditions)
