"""Snapshots: records that are missing from an input that holds all are closed, and reopened when
their key comes again."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef, Q

from records.database import bulk
from records.database.clock import now as database_now
from records.errors import LeaseLost
from records.jobs.leases import lease_end
from records.models import (
    DataRecord,
    IngestionRun,
    ProcessingResult,
    RecordClosing,
    RecordCount,
    RunState,
    SnapshotKey,
    Source,
    Undo,
)
from records.models.querysets import CLOSED, RecordQuerySet
from records.rows import Reject, Row, by_column
from records.store import column_log
from records.store.counters import CountChanges
from records.store.history import count_values, retire_results

# How many ids of the source one transaction walks over.
BATCH = 5_000
# How many ids one statement takes: a batch of rows may have more.
PIECE = 5_000


def note_keys(run: IngestionRun, rows: Sequence[Row], rejects: Sequence[Reject]) -> int:
    """Keep the keys of a batch, if the run closes the records whose keys it does not have.

    Returns how many of the rejected rows may be rows of any record.
    """
    if not run.is_snapshot:
        return 0
    ids = {*by_column(rows).ids, *(reject.id for reject in rejects if reject.id)}
    if ids:
        bulk.insert("snapshot_keys", {"record_id": sorted(ids)}, {"run_id": run.pk})
    return sum(reject.is_of_any for reject in rejects)


def reopen_rows(run: IngestionRun, ids: Collection[str], counts: CountChanges) -> int:
    """Reopen those of the records that are closed, since their keys have come; how many were."""
    counters = RecordCount.objects.filter(source=run.source.name, status=CLOSED, count__gt=0)
    if not ids or not counters.exists():
        return 0
    wanted, found = list(ids), []
    for start in range(0, len(wanted), PIECE):
        closed = DataRecord.objects.with_ids(wanted[start : start + PIECE]).closed()
        found += list(closed.values_list("pk", flat=True))
    if found:
        _reopen(found, counts)
        _write_down(run, found, is_closed=False)
    return len(found)


def count_missing(run: IngestionRun) -> int:
    """How many records a snapshot would close, now that all its rows are saved."""
    return _missing(run).count()


def close_batch(*, run: IngestionRun, worker: str, size: int = BATCH) -> bool:
    """Close those of the next ``size`` records of the source whose keys the run does not have.

    Returns whether records are left behind these. Raises LeaseLost if another worker holds the run.
    """
    with transaction.atomic():
        # No run lands in the source meanwhile.
        list(Source.everything.select_for_update().filter(pk=run.source_id))
        cursor = IngestionRun.objects.values_list("closing_cursor", flat=True).get(pk=run.pk)
        ahead = DataRecord.objects.of_source(run.source.name).after(cursor).order_by("id")
        last = ahead.values_list("id", flat=True)[size - 1 : size].first()
        missing = _missing(run).after(cursor)
        if last is not None:
            missing = missing.filter(id__lte=last)
        ids = list(missing.order_by("id").values_list("pk", flat=True))
        counts = CountChanges()
        if ids:
            _close(ids, {run.pk: ids}, counts)
            _write_down(run, ids, is_closed=True)
        counts.apply()
        moved = run.held_by(worker).filter(closing_cursor=cursor)
        renewed = moved.update(
            # Behind all its records (";" is the byte after ":").
            closing_cursor=f"{run.source.name};" if last is None else last,
            closed=F("closed") + len(ids),
            lease_until=lease_end(),
            attempts=1,
            pauses=0,
        )
        if not renewed:
            raise LeaseLost(run)
    return last is not None


def _missing(run: IngestionRun) -> RecordQuerySet:
    """The open records of the source whose keys the run does not have.

    What others import at the same time is newer than this input, and stays.
    """
    others = IngestionRun.objects.filter(source=run.source_id).exclude(pk=run.pk)
    meanwhile = others.filter(Q(finished_at__gt=run.started_at) | Q(state=RunState.RUNNING))
    runs = list(meanwhile.values_list("pk", flat=True))
    came = SnapshotKey.objects.filter(run=run, record_id=OuterRef("id"))
    found: RecordQuerySet = DataRecord.objects.of_source(run.source.name).open()
    return found.filter(~Exists(came)).exclude(run_id__in=runs)


def _close(ids: Sequence[str], by: Mapping[int, Sequence[str]], counts: CountChanges) -> None:
    """Close open records; ``by`` are the runs since which they are, with their records."""
    for source, timestamp, status in _lock(ids):
        counts.move(source, timestamp, status, CLOSED)
    retire_results(ids, counts)
    column_log.note(ids)
    for run, its_ids in by.items():
        DataRecord.objects.with_ids(its_ids).update(closed_by=run)


def _reopen(ids: Sequence[str], counts: CountChanges) -> None:
    """Reopen closed records with the result that each had: none has been made since."""
    for start in range(0, len(ids), PIECE):
        piece = ids[start : start + PIECE]
        for source, timestamp, status in _lock(piece):
            counts.move(source, timestamp, CLOSED, status)
        DataRecord.objects.with_ids(piece).update(closed_by=None)
        column_log.note(piece)
        done = DataRecord.objects.with_ids(piece).exclude(status=DataRecord.Status.RAW)
        processed = list(done.values_list("pk", flat=True))
        former = ProcessingResult.objects.filter(record_id__in=processed, current=False)
        newest = former.order_by().values("record_id").annotate(newest=Max("pk"))
        results = list(newest.values_list("newest", flat=True))
        ProcessingResult.objects.filter(pk__in=results).update(current=True)
        count_values(processed, counts, sign=1)


def _lock(ids: Sequence[str]) -> list[tuple[str, datetime | None, str]]:
    records = DataRecord.objects.with_ids(ids).order_by("id").select_for_update()
    return list(records.values_list("source_id", "timestamp", "status"))


def _write_down(run: IngestionRun, ids: Sequence[str], *, is_closed: bool) -> None:
    bulk.insert(
        "record_closings",
        {"record_id": ids},
        {"run_id": run.pk, "is_closed": is_closed, "at": bulk.sql_time(database_now())},
    )


@dataclass(slots=True)
class Withdrawn:
    """What became of records when the closings of a run no longer counted."""

    closed: int = 0
    reopened: int = 0


@dataclass(slots=True)
class _Plan:
    """What is to become of closings, and of their records."""

    # Run that a closing passes on to -> the closings.
    heirs: dict[int, list[int]] = field(default_factory=dict)
    withdrawn: list[int] = field(default_factory=list)
    reopen: list[str] = field(default_factory=list)
    # The run since which records are closed -> open records, and closed ones.
    close: dict[int, list[str]] = field(default_factory=dict)
    rename: dict[int, list[str]] = field(default_factory=dict)


def withdraw(undo: Undo, first: str, last: str, counts: CountChanges) -> Withdrawn:
    """Take back what the run of an undo closed and reopened among the records of these ids, behind
    ``first`` and up to ``last``.

    Each becomes what it would be without the run. If a later snapshot did not have its key either
    (or had it too), it is that one's now, and the record stays as it is.
    """
    run = undo.run
    mine = RecordClosing.objects.standing().filter(run=run, record_id__gt=first)
    mine = mine.filter(record_id__lte=last)
    ids = list(mine.values_list("record_id", flat=True))
    if not ids:
        return Withdrawn()
    now = database_now()
    plan = _plan(run, ids)
    for heir, closings in plan.heirs.items():
        at = IngestionRun.objects.values_list("finished_at", flat=True).get(pk=heir)
        RecordClosing.objects.filter(pk__in=closings).update(run=heir, at=at)
    RecordClosing.objects.filter(pk__in=plan.withdrawn).update(undone_at=now)
    closed = [record for its_ids in plan.close.values() for record in its_ids]
    if closed:
        _close(closed, plan.close, counts)
    for other, its_ids in plan.rename.items():
        DataRecord.objects.with_ids(its_ids).update(closed_by=other)
    if plan.reopen:
        _reopen(plan.reopen, counts)
    return Withdrawn(closed=len(closed), reopened=len(plan.reopen))


def _plan(run: IngestionRun, ids: Sequence[str]) -> _Plan:
    """What the closings of the run, and their records, become without it."""
    later = IngestionRun.objects.filter(source=run.source_id, state=RunState.FINISHED)
    later = later.exclude(pk=run.pk).order_by("finished_at")
    ended = dict(later.values_list("pk", "finished_at"))
    snapshots = list(later.filter(is_snapshot=True).values_list("pk", flat=True))
    of_record: dict[str, list[RecordClosing]] = {}
    closings = RecordClosing.objects.standing().filter(record_id__in=ids)
    for closing in closings.order_by("at", "pk"):
        of_record.setdefault(closing.record_id, []).append(closing)
    records = DataRecord.objects.with_ids(ids).values_list("pk", "run_id", "closed_by_id")
    plan = _Plan()
    for record, content_of, closed_by in records:
        rows = of_record[record]
        place = next(n for n, row in enumerate(rows) if row.run_id == run.pk)
        mine, until = rows[place], rows[place + 1].at if place + 1 < len(rows) else None
        # Whoever has seen the record as the run has left it; without one it was as before the run.
        seen_by = list(snapshots)
        if not mine.is_closed and content_of in ended and content_of not in snapshots:
            seen_by.append(content_of)
        known = {row.run_id for row in rows}
        heirs = [
            pk
            for pk in seen_by
            if pk not in known and ended[pk] > mine.at and (until is None or ended[pk] < until)
        ]
        if heirs:
            heir = min(heirs, key=lambda pk: ended[pk])
            plan.heirs.setdefault(heir, []).append(mine.pk)
            mine.run_id, mine.at = heir, ended[heir]
        else:
            plan.withdrawn.append(mine.pk)
            rows.remove(mine)
        closer = _closer(rows)
        if closer == closed_by:
            continue
        if closer is None:
            plan.reopen.append(record)
        elif closed_by is None:
            plan.close.setdefault(closer, []).append(record)
        else:
            plan.rename.setdefault(closer, []).append(record)
    return plan


def _closer(rows: Sequence[RecordClosing]) -> int | None:
    """The run since which a record with these closings, oldest first, is closed; None: open."""
    closer = None
    for row in rows:
        if not row.is_closed:
            closer = None
        elif closer is None:
            closer = row.run_id
    return closer
