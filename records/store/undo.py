"""Taking back what an ingestion run did to the records of its source."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

import orjson
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from records.database import bulk
from records.errors import LeaseLost
from records.jobs.leases import finish, lease_end
from records.models import (
    DataRecord,
    IngestionRun,
    RecordVersion,
    RejectedRow,
    RunState,
    Source,
    Undo,
)
from records.store.closing import withdraw
from records.store.counters import CountChanges
from records.store.history import counted_as, remove, supersede
from records.store.rekeying import restore_mapping

Reason = RecordVersion.Reason

# How many ids of kept records an undo names.
NAMED_KEPT = 1_000
# How many ids of the source one transaction walks over.
BATCH = 5_000


class _Touched(NamedTuple):
    """A record that the run has touched, as far as its own row can tell."""

    id: str
    version: int
    run: int | None
    timestamp: datetime | None
    status: str
    closed_by: int | None


class _Content(NamedTuple):
    """What a record held once: in which version, and the run it is from; None: a person's."""

    version: int
    run: int | None


class _Former(NamedTuple):
    """A row of the history: what was replaced, and how."""

    record: str
    version: int
    run: int | None
    reason: str
    replaced_by: int | None
    timestamp: datetime | None


@dataclass(slots=True)
class _Plan:
    """What is to become of the records that the run has touched."""

    delete: list[_Touched] = field(default_factory=list)
    # Record -> the version whose content it gets back, and that content's timestamp.
    restore: dict[str, tuple[int, datetime | None]] = field(default_factory=dict)
    keep: list[str] = field(default_factory=list)


def undo_batch(*, undo: Undo, worker: str, size: int = BATCH) -> bool:
    """Take back what the run did among the next ``size`` records of its source, or nothing.

    Records that hold what the run made of them get back what they held before it, or go if it
    created them; those that a later run or a person has changed stay, counted and named as kept.
    Contents of runs that are undone already are passed over. Records that the run closed are
    reopened, and those that it reopened are closed again. Returns whether records are left
    behind these. Raises LeaseLost if another worker holds the undo.
    """
    now = timezone.now()
    run = undo.run
    with transaction.atomic():
        # No run lands in the source meanwhile.
        list(Source.objects.select_for_update().filter(pk=run.source_id))
        cursor = Undo.objects.values_list("cursor", flat=True).get(pk=undo.pk)
        ahead = DataRecord.objects.of_source(run.source.name).after(cursor).order_by("id")
        last = ahead.values_list("id", flat=True)[size - 1 : size].first()
        plan = _plan(run, _touched(run, ahead if last is None else ahead.filter(id__lte=last)))
        counts = CountChanges()
        remove([record.id for record in plan.delete], counts)
        for record in plan.delete:
            status = counted_as(record.status, is_closed=record.closed_by is not None)
            counts.add(run.source.name, record.timestamp, status, -1)
        _restore(undo, plan.restore, counts, now)
        # Behind all its records (";" is the byte after ":"): what was counted isn't again.
        end = f"{run.source.name};" if last is None else last
        withdrawn = withdraw(undo, cursor, end, counts)
        counts.apply()
        named = Undo.objects.values_list("kept_ids", flat=True).get(pk=undo.pk)
        renewed = Undo.objects.filter(pk=undo.pk, worker=worker, state=RunState.RUNNING).update(
            cursor=end,
            deleted=F("deleted") + len(plan.delete),
            restored=F("restored") + len(plan.restore),
            kept=F("kept") + len(plan.keep),
            closed=F("closed") + withdrawn.closed,
            reopened=F("reopened") + withdrawn.reopened,
            kept_ids=[*named, *plan.keep][:NAMED_KEPT],
            lease_until=lease_end(),
            attempts=1,
            pauses=0,
        )
        if not renewed:
            raise LeaseLost(undo)
    return last is not None


def finish_undo(*, undo: Undo, worker: str) -> None:
    """The run is undone, and the rejected rows that it replayed are open again.

    Raises LeaseLost if another worker holds the undo.
    """
    with transaction.atomic():
        finish(undo, worker)
        RejectedRow.objects.filter(resolved_by=undo.run_id).update(resolved_by=None, record_id="")
        _pass_on(undo.run)
        if undo.run.is_rekey:
            restore_mapping(undo.run)
        IngestionRun.objects.filter(pk=undo.run_id).update(state=RunState.UNDONE)


def _pass_on(run: IngestionRun) -> None:
    """What became of the rows that the run rejected again is what became of those it took up.

    Else these would be open although a later replay, which stands, has made records of them.
    """
    again = run.rejected_rows.exclude(former=None)
    closed = again.exclude(resolved_by=None)
    same = closed.filter(former=OuterRef("pk"))
    RejectedRow.objects.filter(pk__in=closed.values("former")).update(
        resolved_by=Subquery(same.values("resolved_by")),
        record_id=Subquery(same.values("record_id")),
    )
    # The rows of the run no longer count: those that came of them came of what they came of.
    between = RejectedRow.objects.filter(pk=OuterRef("former"))
    RejectedRow.objects.filter(former__in=again.values("pk")).update(
        former=Subquery(between.values("former"))
    )


def _touched(run: IngestionRun, records: "QuerySet[DataRecord]") -> list[_Touched]:
    """Those of the records that have held something of the run, locked."""
    in_history = RecordVersion.objects.filter(record_id=OuterRef("id"), run=run)
    found = records.filter(Q(run=run) | Q(Exists(in_history), version__gt=1))
    rows = found.select_for_update().values_list(
        "id", "version", "run_id", "timestamp", "status", "closed_by_id"
    )
    return [_Touched(*row) for row in rows]


def _plan(run: IngestionRun, records: Collection[_Touched]) -> _Plan:
    undone = set(
        IngestionRun.objects.filter(source=run.source_id, state=RunState.UNDONE).values_list(
            "pk", flat=True
        )
    )
    history = _history([record.id for record in records if record.version > 1])
    plan = _Plan()
    for record in records:
        if record.version == 1:
            plan.delete.append(record)
            continue
        versions = history.get(record.id, [])
        contents = _contents(versions, undone)
        if all(content.run != run.pk for content in contents):
            continue  # an undo of it that did not come to its end has taken it back
        if contents[-1].run != run.pk:
            plan.keep.append(record.id)
            continue
        _drop(contents, undone | {run.pk})
        if contents:
            version = contents[-1].version
            timestamps = {former.version: former.timestamp for former in versions}
            plan.restore[record.id] = (version, timestamps[version])
        else:
            plan.delete.append(record)
    return plan


def _history(ids: list[str]) -> Mapping[str, list[_Former]]:
    """The history of records, oldest first."""
    versions = RecordVersion.objects.filter(record_id__in=ids).order_by("record_id", "version")
    rows = versions.values_list(
        "record_id", "version", "run_id", "reason", "replaced_by_run_id", "timestamp"
    )
    formers = [_Former(*row) for row in rows]
    return {record: list(group) for record, group in groupby(formers, lambda f: f.record)}


def _contents(versions: list[_Former], undone: set[int]) -> list[_Content]:
    """The contents of a record that lie upon each other; the last one is what it holds.

    An edit leaves the run of its record as it was, so whose a content is only its history tells.
    """
    contents = [_Content(version.version, version.run) for version in versions[:1]]
    for version in versions:
        if version.reason == Reason.UNDO:
            _drop(contents, undone | {version.replaced_by})
        else:
            by = version.replaced_by if version.reason == Reason.UPDATE else None
            contents.append(_Content(version.version + 1, by))
    return contents


def _drop(contents: list[_Content], runs: Collection[int | None]) -> None:
    """Take the contents that are from these runs off the top. (None is a person.)"""
    while contents and contents[-1].run is not None and contents[-1].run in runs:
        contents.pop()


def _restore(
    undo: Undo,
    restore: Mapping[str, tuple[int, datetime | None]],
    counts: CountChanges,
    now: datetime,
) -> None:
    """Give records the content of a former version back, as a new version."""
    if not restore:
        return
    former = supersede(
        list(restore), now, reason=Reason.UNDO, run=undo.run, user=undo.user, counts=counts
    )
    pairs = orjson.dumps([[record, version] for record, (version, _) in restore.items()]).decode()
    wanted = (
        "SELECT value->>0 AS id, CAST(value->>1 AS integer) AS version FROM json_array_elements(%s)"
        if bulk.is_postgresql()
        else "SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS version "
        "FROM json_each(%s)"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE data_records SET data = was.data, timestamp = was.timestamp, "  # noqa: S608
            "run_id = was.run_id, line = was.line, version = data_records.version + 1, "
            f"status = 'raw', processed_at = NULL FROM ({wanted}) AS wanted "
            "JOIN record_versions AS was "
            "ON was.record_id = wanted.id AND was.version = wanted.version "
            "WHERE data_records.id = wanted.id",
            [pairs],
        )
    for record, was in former.items():
        counts.add(was.source, was.timestamp, was.counted_as, -1)
        raw = counted_as(DataRecord.Status.RAW, is_closed=was.is_closed)
        counts.add(was.source, restore[record][1], raw)
