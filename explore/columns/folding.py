"""Folds what has changed into new segments.

Each fold of a source reads the database as of one moment. It writes files first, and then, in one
transaction, lists them, marks the segments whose place they take, and deletes the changes that it
has followed. If it is interrupted before, nothing has changed but for files that nobody knows.
"""

import fcntl
import logging
import time
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max, Min, Q, Sum

from explore.columns import engine, files, segments
from explore.columns.ranges import Range, behind, of_source
from explore.columns.schema import Column, common_columns, literal, united
from explore.columns.segments import Changes
from explore.columns.staging import stage
from records.database import bulk
from records.database.clock import now
from records.database.moment import one_moment
from records.models import (
    ColumnChange,
    ColumnFold,
    ColumnSegment,
    DataRecord,
    IngestionRun,
    ProcessingRun,
    Source,
)
from records.store.turns import runs_are_active

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

log = logging.getLogger(__name__)

# How many records a segment has: one of a half more at the most, unless it was given them at once.
TARGET = 150_000
ROW_GROUP = 50_000
# Fewer changes than these wait until they are so old: each fold rewrites whole segments.
FEW = 5_000
WAIT = timedelta(seconds=60)
# So long the files of former segments are kept for those that are reading them.
KEEP = timedelta(minutes=10)
# After so long another worker is called.
WAKE_SECONDS = 60
# Any number, the same for all: two folds at once would do the same twice.
LOCK = 20_261_201


class _Overtaken(Exception):
    """Another fold has replaced the same segments, or followed the same changes."""


@dataclass(slots=True)
class _Zone:
    """Ids that are written anew together, and the segments that hold them so far."""

    span: Range
    old: list[ColumnSegment] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    has_ranges: bool = False

    @property
    def records(self) -> int:
        return sum(segment.records for segment in self.old)

    @property
    def is_due(self) -> bool:
        return bool(self.ids) or self.has_ranges or len(self.old) > 1

    @property
    def is_read_whole(self) -> bool:
        """Whether all its records are read from the database, rather than those that changed."""
        return (
            not self.old
            or self.has_ranges
            or 3 * len(self.ids) > self.records
            or not all(map(segments.is_whole, self.old))
        )


def fold(*, sources: Collection[str] | None = None, seconds: float | None = None) -> None:
    """Fold all changes of these sources (None: of all) into segments.

    With ``seconds``, only those that are due, until that time has passed; then runs come first.
    Another fold that is under way is left to do it.
    """
    until = None if seconds is None else time.monotonic() + seconds
    with _alone() as is_alone:
        if not is_alone:
            return
        for source in _due() if seconds is not None else _changed_sources():
            if sources is not None and source not in sources:
                continue
            if until is not None and (time.monotonic() >= until or runs_are_active()):
                return
            _fold(source)
        _tidy()
    ColumnChange.objects.exclude(woken_at=None).update(woken_at=None)


def rebuild(*, source: str) -> bool:
    """Make all segments of a source anew; False if another fold is under way."""
    with _alone() as is_alone:
        if is_alone:
            _fold(source, anew=True)
            _tidy()
        return is_alone


def is_unattended() -> bool:
    """Whether changes are due to be folded, no run comes first, and no worker was called lately.

    They are marked, so the caller calls one.
    """
    since = now() - timedelta(seconds=WAKE_SECONDS)
    if not _due() or ColumnChange.objects.filter(woken_at__gte=since).exists():
        return False
    if runs_are_active():
        return False
    newest = ColumnChange.objects.aggregate(newest=Max("pk"))["newest"]
    ColumnChange.objects.filter(pk=newest).update(woken_at=now())
    return True


def _changed_sources() -> list[str]:
    return list(ColumnChange.objects.order_by("source").values_list("source", flat=True).distinct())


def _due() -> list[str]:
    """Sources of which many changes are noted, or old ones."""
    noted = ColumnChange.objects.order_by("source").values("source")
    noted = noted.annotate(noted=Sum("records"), oldest=Min("noted_at"))
    due = noted.filter(Q(noted__gte=FEW) | Q(oldest__lte=now() - WAIT))
    return list(due.values_list("source", flat=True))


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether no other fold is under way, which is kept so."""
    if bulk.is_postgresql():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
            (is_alone,) = cursor.fetchone()
        try:
            yield is_alone
        finally:
            if is_alone:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
        return
    settings.COLUMN_DIR.mkdir(mode=0o750, parents=True, exist_ok=True)
    with (settings.COLUMN_DIR / "fold.lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _fold(source: str, *, anew: bool = False) -> None:
    written: list[ColumnSegment] = []
    replaced: list[ColumnSegment] = []
    with engine.cursor() as duck, one_moment():
        moment = now()
        changes = segments.read_changes(source)
        old = segments.current(source)
        runs = _newest_runs(source)
        whole = _Zone(of_source(source), old, has_ranges=True)
        for zone in [whole] if anew else _zones(source, old, changes):
            if zone.is_due:
                replaced += zone.old
                written += _rewritten(duck, source, zone)
    try:
        _swap(source, moment, runs, changes.rows, replaced, written)
    except _Overtaken:
        log.info("%s: another fold was faster.", source)


def _newest_runs(source: str) -> tuple[int | None, int | None]:
    owner = Source.everything.filter(name=source).first()
    if owner is None:
        return None, None
    loads = IngestionRun.objects.filter(source=owner)
    passes = ProcessingRun.objects.covering(owner)
    return loads.aggregate(n=Max("pk"))["n"], passes.aggregate(n=Max("pk"))["n"]


def _zones(source: str, old: Sequence[ColumnSegment], changes: Changes) -> list[_Zone]:
    """The ids of a source in parts, each with its segments and what has changed of it.

    Neighbours that are small together are one part, so that they become one segment.
    """
    everything = of_source(source)
    groups: list[list[ColumnSegment]] = []
    for segment in old:
        if groups and sum(each.records for each in groups[-1]) + segment.records <= TARGET:
            groups[-1].append(segment)
        else:
            groups.append([segment])
    starts = [everything.first, *(group[0].first for group in groups[1:])]
    if groups and sum(segment.records for segment in groups[-1]) > TARGET // 2:
        # What comes behind all others leaves them as they are.
        starts.append(behind(groups[-1][-1].last))
        groups.append([])
    ends = [*starts[1:], everything.end]
    spans = [Range(start, end) for start, end in zip(starts, ends, strict=True)]
    zones = [
        _Zone(span, group, has_ranges=any(each.meets(span) for each in changes.ranges))
        for span, group in zip(spans, groups or [[]], strict=True)
    ]
    for record_id in changes.ids:
        zones[bisect_right(starts, record_id) - 1].ids.add(record_id)
    return zones


def _rewritten(duck: "DuckDBPyConnection", source: str, zone: _Zone) -> list[ColumnSegment]:
    """Write the segments that take the place of those of a zone."""
    if not zone.is_read_whole:
        return _patched(duck, source, zone)
    found: list[ColumnSegment] = []
    start: str | None = zone.span.first
    while start is not None:
        ahead = DataRecord.objects.filter(id__gte=start, id__lt=zone.span.end).order_by("id")
        end = ahead.values_list("id", flat=True)[TARGET : TARGET + 1].first()
        span = Range(start, zone.span.end if end is None else end)
        relation = stage(duck, "read", ranges=[span], is_read_once=True)
        found += _written(duck, source, united([relation], relation.columns), relation.columns)
        start = end
    return found


def _patched(duck: "DuckDBPyConnection", source: str, zone: _Zone) -> list[ColumnSegment]:
    """Write the former segments of a zone without what has changed, and with what it is now."""
    changes = Changes(ids=zone.ids)
    duck.execute("CREATE OR REPLACE TEMP TABLE changed AS SELECT unnest(?::VARCHAR[]) AS id",
                 [list(zone.ids)])  # fmt: skip
    relations = segments.relations(zone.old, changes, "changed")
    if zone.ids:
        relations.append(stage(duck, "fresh", ids=zone.ids))
    columns = common_columns(relations)
    duck.execute(
        f"CREATE OR REPLACE TEMP TABLE patched AS FROM ({united(relations, columns)}) ORDER BY id"
    )
    ((records,),) = duck.execute("SELECT count(*) FROM patched").fetchall()
    parts = max(1, round(records / TARGET))
    ends = [records * part // parts for part in range(parts + 1)]
    found: list[ColumnSegment] = []
    for start, end in pairwise(ends):
        # They are numbered as they were inserted.
        rows = f"FROM patched WHERE rowid >= {start} AND rowid < {end}"
        found += _written(duck, source, rows, columns)
    duck.execute("DROP TABLE patched")
    return found


def _written(
    duck: "DuckDBPyConnection", source: str, rows: str, columns: Sequence[Column]
) -> list[ColumnSegment]:
    """Write rows, which are in the order of their ids, as a segment; none if there are none."""
    with files.new_file() as path:
        file = literal(str(path))
        duck.execute(
            f"COPY ({rows}) TO {file} "
            f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP})"
        )
        ((records, first, last),) = duck.execute(
            f"SELECT count(*), min(id), max(id) FROM read_parquet({file})"  # noqa: S608 (quoted)
        ).fetchall()
        if not records:
            return []
        digest, size = files.keep(path)
    return [
        ColumnSegment(
            source=source,
            first=first,
            last=last,
            records=records,
            size=size,
            digest=digest,
            columns=[[each.kind, each.name, each.type, each.physical] for each in columns],
        )
    ]


def _swap(
    source: str,
    moment: datetime,
    runs: tuple[int | None, int | None],
    followed: Collection[int],
    replaced: Sequence[ColumnSegment],
    written: Sequence[ColumnSegment],
) -> None:
    """List what was written instead of what it replaces. Raises _Overtaken."""
    at = now()
    with transaction.atomic():
        condition, ids = bulk.among("id", list(followed))
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM column_changes WHERE {condition}", [ids])  # noqa: S608
            if cursor.rowcount != len(followed):
                raise _Overtaken
        former = ColumnSegment.objects.filter(pk__in=[each.pk for each in replaced])
        if former.filter(replaced_at=None).update(replaced_at=at) != len(replaced):
            raise _Overtaken
        for segment in written:
            segment.created_at = at
        ColumnSegment.objects.bulk_create(written)
        ingestion, processing = runs
        ColumnFold.objects.update_or_create(
            source=source,
            defaults={
                "moment": moment,
                "ingestion_run": ingestion,
                "processing_run": processing,
            },
        )


def _tidy() -> None:
    """Delete the files of segments that were replaced some time ago, and of interrupted folds."""
    ColumnSegment.objects.filter(replaced_at__lt=now() - KEEP).delete()
    files.delete_left(set(ColumnSegment.objects.values_list("digest", flat=True)))
