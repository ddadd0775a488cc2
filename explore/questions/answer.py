"""Answers questions from the column store."""

import itertools
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from explore.columns.schema import literal
from explore.columns.snapshot import Snapshot, snapshot
from explore.filters import RecordQuery
from explore.filters.duckdb import NotOfOneMoment, matching
from explore.questions.bins import edges_of
from explore.questions.fields import Field, Fields, styled
from explore.questions.figures import Figure, Figures
from explore.questions.groups import (
    OTHERS,
    UNPROCESSED,
    ByBin,
    ByDate,
    ByFact,
    ByNumber,
    ByText,
    ByTime,
    Grouping,
    Part,
    not_processed,
)
from explore.questions.links import Links
from explore.questions.question import (
    BIN,
    COLUMN,
    RECORD,
    Group,
    Measure,
    Question,
    QuestionError,
)
from explore.questions.rests import Remark, not_counted, open_rejects, remarks
from records.database.moment import one_moment
from records.models import Source
from records.number_text import PLAIN

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# What people wait for an answer.
SECONDS = 20.0
MOST_ROWS = 5_000


class NoAnswer(Exception):
    """The question took too long, too much memory, or can't be answered exactly now."""


@dataclass(frozen=True, slots=True)
class Row:
    """Figures of a group, its number of records, and the list of exactly these; "" for none."""

    parts: tuple[Part, ...]
    figures: tuple[Figure, ...]
    records: int
    url: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a question.

    ``rows`` are its groups in their order; of two groups ``firsts`` and ``seconds`` are the totals
    of each one, in the same order. ``total`` is everything. ``remarks`` say what it rests on, and
    ``as_of`` of when it is.
    """

    question: Question
    query: RecordQuery
    rows: Sequence[Row]
    total: Row
    firsts: Sequence[Row] = ()
    seconds: Sequence[Row] = ()
    remarks: Sequence[Remark] = ()
    as_of: datetime | None = None


@contextmanager
def opened(query: RecordQuery, *, is_patient: bool = False) -> Iterator[tuple[Snapshot, Fields]]:
    """The records of the sources of a query, and their columns: see `snapshot`."""
    names = Source.objects.names()
    sources = [name for name in names if not query.sources or name in query.sources]
    with one_moment(), snapshot(sources=sources, is_patient=is_patient) as seen:
        yield seen, Fields(seen, sources=sources, closed=query.closed)


def answer(
    question: Question,
    query: RecordQuery,
    *,
    seconds: float = SECONDS,
    is_patient: bool = False,
) -> Answer:
    """Answer a question about the records of a valid query.

    Whoever ``is_patient`` gets an answer of this moment, however much has changed lately. Raises
    QuestionError for what is not in the records, NoAnswer if it takes too long.
    """
    with opened(query, is_patient=is_patient) as (seen, fields):
        return answered(question, query, seen, fields, seconds=seconds)


def answered(
    question: Question,
    query: RecordQuery,
    seen: Snapshot,
    fields: Fields,
    *,
    seconds: float = SECONDS,
) -> Answer:
    """Answer a question from an open snapshot. Raises QuestionError and NoAnswer."""
    with limited(seen.connection, seconds):
        return _Asking(question, query, seen, fields).answer()


@contextmanager
def limited(connection: "DuckDBPyConnection", seconds: float) -> Iterator[None]:
    """What is asked inside may take so long. Raises NoAnswer."""
    import duckdb

    timer = threading.Timer(seconds, connection.interrupt)
    timer.start()
    try:
        yield
    except duckdb.InterruptException as error:
        raise NoAnswer(
            f"The question was stopped after {seconds:g} seconds. Filter by source or time, or ask "
            "for fewer groups."
        ) from error
    except duckdb.OutOfMemoryException as error:
        raise NoAnswer(
            "The question needs more memory than DATAFLOW_COLUMNS_MEMORY_MB allows. Filter by "
            "source or time, or ask for fewer groups."
        ) from error
    except NotOfOneMoment as error:
        raise NoAnswer(
            "This filter searches the database, which has changed too much since its records were "
            "last counted. Ask again in a few minutes."
        ) from error
    finally:
        timer.cancel()


class _Asking:
    """A question on its way to its answer."""

    def __init__(
        self, question: Question, query: RecordQuery, seen: Snapshot, fields: Fields
    ) -> None:
        self._question, self._seen, self._fields = question, seen, fields
        self._connection = seen.connection
        self._links = Links(query)
        self._query = query
        self._found = matching(query, seen)
        self._read: dict[str, Field] = {}
        self._figures = [
            Figures(measure, self._measured(measure), place)
            for place, measure in enumerate(question.measures)
        ]
        self._groupings = [self._grouping(group) for group in question.groups]
        self._tops = [
            self._top(grouping) if isinstance(grouping, ByText) else []
            for grouping in self._groupings
        ]

    def answer(self) -> Answer:
        found = self._counted()
        count = len(self._groupings)
        nothing = _Counted(tuple(0 if f.measure.is_count else None for f in self._figures), 0)
        everything = found.get((None,) * count, nothing)
        total = self._row((), everything, everything)
        parts = [self._parts(place, found) for place in range(count)]
        firsts, seconds = (
            [
                self._row((part,), found[_alone(place, key, count)], everything)
                for key, part in parts[place].items()
            ]
            if count > 1
            else []
            for place in (0, 1)
        )
        rows = [
            self._row(tuple(part for _, part in chosen), found[keys], everything)
            for chosen in itertools.product(*(each.items() for each in parts))
            if (keys := tuple(key for key, _ in chosen)) in found
        ]
        measured = {
            f.field.name: f.field for f in self._figures if f.field and f.measure.is_of_numbers
        }
        rests = remarks(measured, self._found, self._links, connection=self._connection)
        return Answer(
            self._question,
            self._query,
            rows=rows if count else [total],
            total=total,
            firsts=firsts,
            seconds=seconds,
            remarks=[*not_counted(self._seen.as_of), *rests, *open_rejects(self._query)],
            as_of=self._seen.as_of.moment,
        )

    def _measured(self, measure: Measure) -> Field | None:
        if not measure.column:
            return None
        if not measure.is_of_numbers:
            return self._fields.text(measure.column, parameter="measure")
        found = self._read.get(measure.column)
        if found is None:
            found = self._fields.numbers(measure.column, parameter="measure")
            style = PLAIN if found.is_result else self._fields.style(found.name, "measure")
            if style != PLAIN:
                table = f"styled_{len(self._read)}"
                found = styled(found, style, self._found, connection=self._connection, table=table)
            self._read[measure.column] = found
        return found

    def _grouping(self, group: Group) -> Grouping:
        if group.kind == RECORD:
            return ByFact(group.column)
        if not group.column:
            return ByTime(group.kind)
        if group.kind == COLUMN:
            return self._by_column(self._fields.text(group.column, parameter="by"))
        if group.kind == BIN:
            return self._by_bin(self._fields.numbers(group.column, parameter="by"))
        return ByDate(self._fields.dates(group.column, self._found, parameter="by"), group.kind)

    def _by_column(self, field: Field) -> Grouping:
        if field.is_numeric and self._question.top:
            raise QuestionError(
                "top",
                f"The column “{field.name}” has numbers, of which no top can be told. Leave out "
                f"“top”, or write by=bin:{field.name}.",
            )
        return ByNumber(field) if field.is_numeric else ByText(field)

    def _by_bin(self, field: Field) -> Grouping:
        if not field.is_result and self._fields.style(field.name, "by") != PLAIN:
            raise QuestionError(
                "by",
                f"The numbers of “{field.name}” are written in a style of their own. Process the "
                "records with a rule “number” for it to ask for ranges.",
            )
        low, high = self._one(f"min({field.number}), max({field.number})")
        return ByBin(field, edges_of(low, high))

    def _one(self, selected: str) -> Any:
        sql = f"SELECT {selected} FROM {self._found.sql}"  # noqa: S608 (quoted)
        return self._connection.execute(sql, self._found.parameters).fetchone()

    def _top(self, grouping: ByText) -> list[str]:
        """The keys with the greatest first measure; none if all groups are told."""
        if not self._question.top:
            return []
        first = self._figures[0]
        sql = (
            f"SELECT key FROM (SELECT {', '.join([f'{grouping.sql} AS key', *first.cells()])} "  # noqa: S608
            f"FROM {self._found.sql} AS found{self._joins()}) "
            f"WHERE key <> '{UNPROCESSED}' GROUP BY key "
            f"ORDER BY {first.rank()} DESC NULLS LAST, key LIMIT {self._question.top}"
        )
        rows = self._connection.execute(sql, self._found.parameters).fetchall()
        return [key for (key,) in rows]

    def _joins(self) -> str:
        return "".join(dict.fromkeys(f.field.join for f in self._figures if f.field))

    def _counted(self) -> "dict[tuple[str | None, ...], _Counted]":
        """Figures and records by the keys of their groups, in which None stands for all."""
        found = self._aggregated()
        for place, figures in enumerate(self._figures):
            if any(figures.is_not_enough(each.figures[place]) for each in found):
                self._figures[place] = figures.as_written()
        if not all(figures.is_scaled for figures in self._figures):
            found = self._aggregated()
        return {
            each.keys: _Counted(
                tuple(
                    figures.figure(each.records, columns)
                    for figures, columns in zip(self._figures, each.figures, strict=True)
                ),
                each.records,
            )
            for each in found
        }

    def _aggregated(self) -> "list[_Aggregated]":
        keys = [f"g{place}" for place in range(len(self._groupings))]
        cells = [
            f"{_with_others(grouping.sql, top)} AS {key}"
            for key, grouping, top in zip(keys, self._groupings, self._tops, strict=True)
        ]
        cells += [cell for figures in self._figures for cell in figures.cells()]
        aggregates = [figures.aggregates() for figures in self._figures]
        selected = ", ".join([*keys, "count(*)", *itertools.chain(*aggregates)])
        sets = ", ".join(
            f"({', '.join(chosen)})"
            for size in range(len(keys) + 1)
            for chosen in itertools.combinations(keys, size)
        )
        inner = f"SELECT {', '.join(cells) or '1'} FROM {self._found.sql} AS found{self._joins()}"  # noqa: S608
        rows = self._connection.execute(
            f"SELECT {selected} FROM ({inner}) GROUP BY GROUPING SETS ({sets}) "  # noqa: S608
            f"LIMIT {MOST_ROWS + 1}",
            self._found.parameters,
        ).fetchall()
        if len(rows) > MOST_ROWS:
            raise QuestionError(
                "by",
                f"This makes more than {MOST_ROWS:,} groups. Ask for larger steps of time, for "
                "ranges (bin:COLUMN), or for the top 20 of a column.",
            )
        found = []
        for row in rows:
            rest = iter(row[len(keys) + 1 :])
            figures = [list(itertools.islice(rest, len(columns))) for columns in aggregates]
            found.append(_Aggregated(tuple(row[: len(keys)]), row[len(keys)], figures))
        return found

    def _parts(
        self, place: int, found: "dict[tuple[str | None, ...], _Counted]"
    ) -> dict[str, Part]:
        """The groups of one kind by their keys, in their order; those without a value are last."""
        count = len(self._groupings)
        alone = {
            keys[place]: counted.figures[0]
            for keys, counted in found.items()
            if keys[place] is not None and keys == _alone(place, keys[place], count)
        }
        parts = {key: self._part(place, key) for key in alone if key is not None}
        group = self._question.groups[place]
        order = self._question.order or ("group" if group.is_ordered else "-measure")
        is_backwards = order.startswith("-")
        if order.endswith("group"):
            keys = sorted(parts, key=lambda key: parts[key].order, reverse=is_backwards)
        else:
            keys = sorted(parts, key=lambda key: parts[key].order)
            sign = -1 if is_backwards else 1
            keys.sort(key=lambda key: _rank(alone[key], sign))
        keys.sort(key=lambda key: parts[key].order[0])
        return {key: parts[key] for key in keys}

    def _part(self, place: int, key: str) -> Part:
        grouping = self._groupings[place]
        if key == UNPROCESSED:
            return not_processed()
        if key == OTHERS and isinstance(grouping, ByText):
            return grouping.others(self._tops[place])
        return grouping.part(key)

    def _row(self, parts: tuple[Part, ...], counted: "_Counted", everything: "_Counted") -> Row:
        figures: list[Figure] = []
        for each, figure, total in zip(
            self._figures, counted.figures, everything.figures, strict=True
        ):
            if each.measure.function == "share":
                figures.append(figure / total if total and figure is not None else None)
            else:
                figures.append(figure)
        url = self._links.url(*(part.narrowing for part in parts))
        return Row(parts, tuple(figures), counted.records, url)


@dataclass(frozen=True, slots=True)
class _Aggregated:
    """Of a group: its keys, its number of records, and the aggregates of each measure."""

    keys: tuple[str | None, ...]
    records: int
    figures: Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class _Counted:
    figures: tuple[Figure, ...]
    records: int


def _alone(place: int, key: str | None, count: int) -> tuple[str | None, ...]:
    """The keys of all records of one group."""
    return tuple(key if other == place else None for other in range(count))


def _rank(figure: Figure, sign: int) -> tuple[bool, float]:
    return figure is None, sign * (figure or 0)


def _with_others(key: str, top: Sequence[str]) -> str:
    """The key of a group; all but the top ones together."""
    if not top:
        return key
    kept = ", ".join(map(literal, top))
    return (
        f"(SELECT CASE WHEN key IN ({kept}) OR key = '{UNPROCESSED}' THEN key ELSE '{OTHERS}' END "  # noqa: S608
        f"FROM (SELECT {key} AS key))"
    )
