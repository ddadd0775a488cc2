"""Iterates over the records of an export in constant memory."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import Count, F, OuterRef, QuerySet, Subquery, TextField
from django.db.models.functions import Cast
from orjson import dumps, loads

from records.database import bulk
from records.errors import TimeIsUp
from records.json_text import parsed
from records.models import IngestionRun, ProcessingResult
from records.models.querysets import RecordQuerySet
from web.statement_timeout import TookTooLong, at_most

# Records that are fetched, and made bytes of, at once.
CHUNK = 2_000

# Told how many records more have been walked through.
Progress = Callable[[int], None]


class Columns(NamedTuple):
    """Records as they are exported, column by column: many cells of a kind are looked at in a
    fraction of the time that each on its own takes. ``zip`` makes records of them again."""

    ids: Sequence[str]
    # As the API writes them; "" for none.
    timestamps: Sequence[str]
    sources: Sequence[str]
    statuses: Sequence[str]
    # The cells as they were read, and those of the current result, by the name of their column.
    data: Sequence[dict[str, Any]]
    results: Sequence[dict[str, Any]]
    # The run since which each is closed; "" for none.
    closers: Sequence[str]


@dataclass(frozen=True, slots=True)
class Reading:
    """How records are read: in so many ``seconds`` at most, and, if it ``is_spooled``, all of them
    into a temporary file before the first is handed on: while records are read, SQLite lets their
    process write nothing, and PostgreSQL shows nobody what it writes."""

    seconds: float | None = None
    is_spooled: bool = False

    @contextmanager
    def in_time(self) -> Iterator[None]:
        """Raises TimeIsUp."""
        try:
            with nullcontext() if self.seconds is None else at_most(self.seconds):
                yield
        except TookTooLong as error:
            raise TimeIsUp(error.seconds) from error


@dataclass(frozen=True, slots=True)
class Table:
    """What is exported: ``total`` records, in their order, and the columns of their data and of
    their results."""

    records: RecordQuerySet
    columns: list[str]
    total: int
    result_columns: list[str] = field(default_factory=list)
    reading: Reading = Reading()
    closed: str = "0"

    @property
    def has_closed(self) -> bool:
        """Whether closed records are exported, so that each record says whether it is."""
        return self.closed != "0"

    def chunks(self, progress: Progress = lambda count: None) -> Iterator[Columns]:
        """The records with all that is told of them, many at a time."""
        fields = ["id", "moment", "source_id", "status", "cells", "closed_by_id"]
        if self.result_columns:
            fields.append("made")
        for rows in self._walk(fields, progress):
            ids, moments, sources, statuses, cells, closed_by, *made = zip(*rows, strict=True)
            timestamps = [_timestamp(text) if text else "" for text in moments]
            results = _objects([text or "{}" for text in made[0]]) if made else [{}] * len(rows)
            closers = ["" if run is None else str(run) for run in closed_by]
            yield Columns(ids, timestamps, sources, statuses, _objects(cells), results, closers)

    def data(self, progress: Progress = lambda count: None) -> Iterator[list[dict[str, Any]]]:
        """The cells of the records and nothing else, which is quicker."""
        for rows in self._walk(["cells"], progress):
            yield _objects([cells for (cells,) in rows])

    def _walk(self, fields: Sequence[str], progress: Progress) -> Iterator[list[tuple[Any, ...]]]:
        # As text, which costs a fraction of what values of Django's own cost.
        results = ProcessingResult.objects.shown(self.closed)
        current = results.filter(record_id=OuterRef("pk")).order_by()
        records = self.records.annotate(
            cells=Cast(F("data"), TextField()),
            moment=Cast(F("timestamp"), TextField()),
            made=Subquery(current.values(made=Cast(F("processed_data"), TextField()))),
        ).values_list(*fields)
        read = self._read(records)
        for chunk in _spooled(read) if self.reading.is_spooled else read:
            yield chunk
            progress(len(chunk))

    def _read(self, records: "QuerySet[Any, Any]") -> Iterator[list[Any]]:
        with _one_moment(), self.reading.in_time():
            rows = records.iterator(chunk_size=CHUNK)
            try:
                while chunk := list(islice(rows, CHUNK)):
                    yield chunk
            finally:
                # Their cursor is closed while its transaction is still there.
                del rows


def _spooled(chunks: Iterable[list[Any]]) -> Iterator[list[Any]]:
    """The same chunks, out of a temporary file, when all of them are there."""
    with tempfile.TemporaryFile() as file:
        file.writelines(dumps(chunk) + b"\n" for chunk in chunks)
        file.seek(0)
        yield from map(loads, file)


def table_of(
    records: RecordQuerySet,
    *,
    columns: Sequence[str] = (),
    result_columns: Sequence[str] = (),
    source: str | None = None,
    reading: Reading = Reading(),
    closed: str = "0",
) -> Table:
    """The size and columns of an export; with ``columns`` of no other columns than these.

    The columns are those of the runs that the records come from, in the order of their inputs,
    the newest run's first; names that only an edit has brought come last. It looks through the
    records once or twice. ``closed`` is as in RecordQuery. Without any records the columns are
    those that the ``source`` expects.
    """
    with reading.in_time():
        counts = {
            row["run_id"]: row["records"]
            for row in records.order_by().values("run_id").annotate(records=Count("pk"))
        }
        total = sum(counts.values())
        names = list(columns) or _names(records, counts, source)
    return Table(records, names, total, list(result_columns), reading, closed)


def _names(
    records: RecordQuerySet, counts: Mapping[int | None, int], source: str | None
) -> list[str]:
    """The columns of records, of which each run has so many."""
    runs = IngestionRun.objects.filter(pk__in=[run for run in counts if run is not None])
    if not counts and source is not None:
        runs = IngestionRun.objects.filter(source__name=source).exclude(columns=[])
    found: dict[str, None] = {}
    for names in runs.order_by("-pk").values_list("columns", flat=True):
        found.update(dict.fromkeys(names))
    if any(counts.values()):
        found.update(dict.fromkeys(_further_columns(records, list(found))))
    return list(found)


def _objects(texts: Sequence[str]) -> list[dict[str, Any]]:
    """What JSON texts of objects say."""
    objects: list[dict[str, Any]] = parsed(f"[{','.join(texts)}]")
    return objects


def _timestamp(text: str) -> str:
    """A moment as the API writes it, of how a database does: both in UTC."""
    if text[19:] in ("", "+00"):
        return f"{text[:10]}T{text[11:19]}Z"
    time, point, fraction = text.removesuffix("+00").partition(".")
    return f"{time[:10]}T{time[11:]}{point}{fraction and fraction.ljust(6, '0')}Z"


@contextmanager
def _one_moment() -> Iterator[None]:
    """What a walk runs in. On PostgreSQL rows come as they are asked for within a transaction only;
    on SQLite, where reading needs none, it would keep everybody else from writing."""
    if not bulk.is_postgresql():
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            # It waits for whoever reads what is made of the rows.
            limit = settings.EXPORT_SECONDS * 1000
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = %s", [limit])
        yield


def _further_columns(records: RecordQuerySet, known: list[str]) -> list[str]:
    """The names in the data of records that are none of the known ones."""
    try:
        sql, parameters = records.order_by().values("data").query.sql_with_params()
    except EmptyResultSet:
        return []
    query, names = (
        (
            f"SELECT DISTINCT name FROM ({sql}) AS found, "  # noqa: S608 (SQL of Django)
            "jsonb_object_keys(found.data - %s::text[]) AS name",
            list(known),
        )
        if bulk.is_postgresql()
        else (
            f"SELECT DISTINCT name.key FROM ({sql}) AS found, "  # noqa: S608 (SQL of Django)
            "json_each(found.data) AS name "
            "WHERE name.key NOT IN (SELECT value FROM json_each(%s))",
            dumps(known).decode(),
        )
    )
    with connection.cursor() as cursor:
        cursor.execute(query, (*parameters, names))
        return sorted(name for (name,) in cursor.fetchall())
