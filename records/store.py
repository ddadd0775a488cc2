"""The write door: the only code that writes records, results, rejected rows and counters.

Everything that changes a row goes through a function of this module, in one transaction with the
ledger, the history and the counters that tell of it. That is what keeps them true.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import F, Max
from django.utils import timezone

from records import bulk
from records.counters import CountChanges
from records.errors import InvalidData, LeaseLost, RecordNotFound
from records.models import (
    DataRecord,
    IngestionRun,
    ProcessingResult,
    ProcessingRun,
    RecordVersion,
    RejectedRow,
    RuleSet,
    RunState,
    Source,
)
from records.rows import Ledger, Outcome, ProcessingCounts, Reject, Row
from records.runs import lease_end

RAW = DataRecord.Status.RAW
PROCESSED = DataRecord.Status.PROCESSED
FAILED = DataRecord.Status.FAILED


# --- ingestion ---------------------------------------------------------------------------------


def land(
    *,
    run: IngestionRun,
    worker: str,
    rows: Sequence[Row],
    rejects: Sequence[Reject],
    bytes_read: int,
) -> Ledger:
    """Land a batch of a run: rows, rejected rows, counters, ledger and lease, or nothing.

    A key that is new makes a record; one that is known with the same data is unchanged; with
    other data the record is updated: its former content becomes a version and it is raw again.
    ``bytes_read`` is how far in the input the batch ends. Raises LeaseLost if another worker
    holds the run.
    """
    now = timezone.now()
    source = run.source.name
    with transaction.atomic():
        # One writer a source: what is looked up below stays as it is until this commits.
        Source.objects.select_for_update().get(pk=run.source_id)
        counts = CountChanges()
        ledger = Ledger(rejected=len(rejects))
        for distinct in _distinct_keys(rows):
            ledger += _land_distinct(run, source, distinct, counts, now)
        _insert_rejects(run, rejects, now)
        counts.apply()
        renewed = IngestionRun.objects.filter(
            pk=run.pk, worker=worker, state=RunState.RUNNING
        ).update(
            read=F("read") + ledger.read,
            created=F("created") + ledger.created,
            updated=F("updated") + ledger.updated,
            unchanged=F("unchanged") + ledger.unchanged,
            rejected=F("rejected") + ledger.rejected,
            bytes_read=bytes_read,
            lease_until=lease_end(),
            attempts=1,
        )
        if not renewed:
            raise LeaseLost(run)
    return ledger


def _distinct_keys(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """The rows in their order, cut so that no part has a key twice; one part where no key is."""
    waiting: Sequence[Row] = rows
    while waiting:
        part: dict[str, Row] = {}
        later: list[Row] = []
        for row in waiting:
            if part.setdefault(row.id, row) is not row:
                later.append(row)
        yield list(part.values())
        waiting = later


def _land_distinct(
    run: IngestionRun, source: str, rows: list[Row], counts: CountChanges, now: datetime
) -> Ledger:
    ids = [row.id for row in rows]
    known = set(DataRecord.objects.with_ids(ids).values_list("id", flat=True))
    new = [row for row in rows if row.id not in known] if known else rows
    bulk.insert(
        "data_records",
        ("id", "line", "timestamp", "data"),
        ((row.id, row.line, bulk.sql_time(row.timestamp), row.data) for row in new),
        {
            "source": source,
            "status": RAW.value,
            "version": 1,
            "run_id": run.pk,
            "created_at": bulk.sql_time(now),
        },
    )
    for row in new:
        counts.add(source, row.timestamp, RAW)
    updated = 0
    if known:
        updated = _update(run, [row for row in rows if row.id in known], counts, now)
    return Ledger(created=len(new), updated=updated, unchanged=len(rows) - len(new) - updated)


@dataclass(slots=True)
class _Former:
    """What a record was before a change."""

    source: str
    timestamp: datetime | None
    status: str


def _update(run: IngestionRun, rows: list[Row], counts: CountChanges, now: datetime) -> int:
    """Give known records new data where it differs; returns how many it did for."""
    _fill_landing(rows)
    changed = _changed_keys()
    if not changed:
        return 0
    timestamps = {row.id: row.timestamp for row in rows}
    former = _supersede(changed, now, reason=RecordVersion.Reason.UPDATE, run=run, user=None)
    condition, ids = bulk.among("data_records.id", changed)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE data_records SET data = landing.data, timestamp = landing.timestamp, "  # noqa: S608
            "line = landing.line, run_id = %s, version = version + 1, status = 'raw', "
            f"processed_at = NULL FROM landing WHERE landing.id = data_records.id AND {condition}",
            [run.pk, ids],
        )
    for record_id, was in former.items():
        counts.add(was.source, was.timestamp, was.status, -1)
        counts.add(was.source, timestamps[record_id], RAW)
    return len(changed)


def _fill_landing(rows: Iterable[Row]) -> None:
    """Put rows into a temporary table, where the database can compare them with its own."""
    types = (
        ('varchar(255) COLLATE "C"', "timestamptz", "jsonb")
        if bulk.is_postgresql()
        else ("text", "text", "text")
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE IF NOT EXISTS landing "
            f"(id {types[0]}, line bigint, timestamp {types[1]}, data {types[2]})"
        )
        cursor.execute("DELETE FROM landing")
    bulk.insert(
        "landing",
        ("id", "line", "timestamp", "data"),
        ((row.id, row.line, bulk.sql_time(row.timestamp), row.data) for row in rows),
    )


def _changed_keys() -> list[str]:
    """The ids in ``landing`` whose data says something else than the record."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT landing.id, landing.data, data_records.data FROM landing "
            "JOIN data_records ON data_records.id = landing.id "
            "WHERE landing.data <> data_records.data ORDER BY landing.id"
        )
        rows = cursor.fetchall()
    if bulk.is_postgresql():
        return [row[0] for row in rows]
    # SQLite compares text, in which the order of the columns counts.
    return [row[0] for row in rows if orjson.loads(row[1]) != orjson.loads(row[2])]


def _insert_rejects(run: IngestionRun, rejects: Sequence[Reject], now: datetime) -> None:
    RejectedRow.objects.bulk_create(
        [
            RejectedRow(
                run=run,
                line=reject.line,
                raw=reject.raw,
                code=reject.code,
                column=_storable(reject.column)[:255],
                message=_storable(reject.message),
                created_at=now,
            )
            for reject in rejects
        ],
        batch_size=500,
    )


def _storable(text: str) -> str:
    """Text as PostgreSQL can hold it: a message may quote what made its row unfit."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


# --- processing --------------------------------------------------------------------------------


def save_results(
    *, run: ProcessingRun, worker: str, outcomes: Sequence[Outcome], rule_set: RuleSet, cursor: str
) -> ProcessingCounts:
    """Save the results of a batch: results, statuses, counters, progress and lease, or nothing.

    A record that has been changed, processed or deleted since it was read keeps what it is: its
    outcome is dropped, so each version of a record gets one result whoever else is at work.
    ``cursor`` is the last id of the batch. Raises LeaseLost if another worker holds the run.
    """
    now = timezone.now()
    with transaction.atomic():
        records = _lock_raw([outcome.record_id for outcome in outcomes])
        saved = [
            outcome
            for outcome in outcomes
            if outcome.record_id in records and records[outcome.record_id][0] == outcome.version
        ]
        _insert_results(run, rule_set, saved, now)
        counts = CountChanges()
        for status in (PROCESSED, FAILED):
            ids = [o.record_id for o in saved if o.success is (status == PROCESSED)]
            _set_status(ids, status, now)
            for record_id in ids:
                _, source, timestamp = records[record_id]
                counts.move(source, timestamp, RAW, status)
        counts.apply()
        done = ProcessingCounts(
            processed=sum(outcome.success for outcome in saved),
            failed=sum(not outcome.success for outcome in saved),
            repaired=sum(outcome.success and bool(outcome.repairs) for outcome in saved),
        )
        renewed = ProcessingRun.objects.filter(
            pk=run.pk, worker=worker, state=RunState.RUNNING
        ).update(
            processed=F("processed") + done.processed,
            failed=F("failed") + done.failed,
            repaired=F("repaired") + done.repaired,
            cursor=cursor,
            lease_until=lease_end(),
            attempts=1,
        )
        if not renewed:
            raise LeaseLost(run)
    return done


def _lock_raw(ids: Collection[str]) -> dict[str, tuple[int, str, datetime | None]]:
    """Lock those of the records that are raw, in the order of their ids: two batches that share
    records then wait for each other instead of blocking each other."""
    records = DataRecord.objects.with_ids(ids).filter(status=RAW).order_by("id")
    return {
        record_id: (version, source, timestamp)
        for record_id, version, source, timestamp in records.select_for_update().values_list(
            "id", "version", "source_id", "timestamp"
        )
    }


def _insert_results(
    run: ProcessingRun, rule_set: RuleSet, outcomes: Iterable[Outcome], now: datetime
) -> None:
    def text(value: Any) -> str:
        return orjson.dumps(value).decode()

    bulk.insert(
        "processing_results",
        (
            "record_id",
            "success",
            "processed_data",
            "error_message",
            "processing_time",
            "errors",
            "repairs",
            "value",
            "category",
            "repaired",
        ),
        (
            (
                o.record_id,
                o.success,
                None if o.processed is None else text(o.processed),
                o.error_message,
                o.seconds,
                text(o.errors) if o.errors else "[]",
                text(o.repairs) if o.repairs else "[]",
                o.value,
                o.category,
                o.repaired,
            )
            for o in outcomes
        ),
        {
            "created_at": bulk.sql_time(now),
            "run_id": run.pk,
            "rule_set_id": rule_set.pk,
            "current": True,
        },
    )


def _set_status(ids: Collection[str], status: str, now: datetime) -> None:
    if ids:
        DataRecord.objects.with_ids(ids).update(status=status, processed_at=now)


# --- changes by hand ---------------------------------------------------------------------------


def edit_record(*, record_id: str, data: dict[str, Any], user: User | None) -> DataRecord:
    """Replace the data of a record; the former data becomes a version and it is raw again.

    Data that is the same leaves everything as it is. Raises RecordNotFound, and InvalidData for
    data that is no object of cells or that a database can't hold.
    """
    check_data(data)
    now = timezone.now()
    with transaction.atomic():
        found = DataRecord.objects.select_for_update().filter(pk=record_id)
        record: DataRecord | None = found.first()
        if record is None:
            raise RecordNotFound(record_id)
        if record.data == data:
            return record
        _supersede([record_id], now, reason=RecordVersion.Reason.EDIT, run=None, user=user)
        counts = CountChanges()
        counts.move(record.source_id, record.timestamp, record.status, RAW)
        record.data = data
        record.status = RAW
        record.processed_at = None
        record.version += 1
        record.save(update_fields=["data", "status", "processed_at", "version"])
        counts.apply()
    return record


def check_data(data: object) -> None:
    """Raise InvalidData, with a sentence, for what a record can't hold as its data."""
    if not isinstance(data, dict):
        raise InvalidData("The data of a record is a JSON object of its cells.")
    try:
        text = orjson.dumps(data)
    except TypeError as error:
        raise InvalidData(f"This data can't be stored: {error}.") from error
    if b"\\u0000" in text and _has_nul(data):
        raise InvalidData("The data holds a NUL character, which the database can't store.")


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_has_nul(key) or _has_nul(item) for key, item in value.items())
    if isinstance(value, list):
        return any(map(_has_nul, value))
    return False


def requeue_records(*, ids: Collection[str]) -> int:
    """Make records raw again, so that they are processed anew; returns how many were not raw."""
    with transaction.atomic():
        records = list(
            DataRecord.objects.with_ids(ids)
            .exclude(status=RAW)
            .order_by("id")
            .select_for_update()
            .only("id", "source_id", "timestamp", "status")
        )
        found = [record.id for record in records]
        _retire_results(found)
        DataRecord.objects.with_ids(found).update(status=RAW, processed_at=None)
        counts = CountChanges()
        for record in records:
            counts.move(record.source_id, record.timestamp, record.status, RAW)
        counts.apply()
    return len(found)


def delete_records(*, ids: Collection[str]) -> int:
    """Delete records with their results and versions; returns how many there were."""
    with transaction.atomic():
        records = list(
            DataRecord.objects.with_ids(ids)
            .order_by("id")
            .select_for_update()
            .only("id", "source_id", "timestamp", "status")
        )
        # Results and versions go with their record: on_delete is CASCADE.
        DataRecord.objects.with_ids([record.id for record in records]).delete()
        counts = CountChanges()
        for record in records:
            counts.add(record.source_id, record.timestamp, record.status, -1)
        counts.apply()
    return len(records)


def _supersede(
    ids: Collection[str],
    now: datetime,
    *,
    reason: RecordVersion.Reason,
    run: IngestionRun | None,
    user: User | None,
) -> dict[str, _Former]:
    """Keep what records hold as versions, and make their results history. Locks the records."""
    records = list(DataRecord.objects.with_ids(ids).order_by("id").select_for_update())
    RecordVersion.objects.bulk_create(
        [
            RecordVersion(
                record=record,
                version=record.version,
                timestamp=record.timestamp,
                data=record.data,
                run_id=record.run_id,
                line=record.line,
                reason=reason,
                replaced_at=now,
                replaced_by_run=run,
                replaced_by_user=user,
            )
            for record in records
        ],
        batch_size=1000,
    )
    _retire_results(ids)
    return {
        record.id: _Former(record.source_id, record.timestamp, record.status) for record in records
    }


def _retire_results(ids: Collection[str]) -> None:
    """A raw record has no current result: the one it had becomes history."""
    ProcessingResult.objects.filter(record_id__in=ids, current=True).update(current=False)


# --- sources and their rules -------------------------------------------------------------------


def save_rule_set(
    *,
    source: Source,
    rules: list[dict[str, Any]],
    note: str = "",
    author: User | None = None,
) -> RuleSet:
    """Make the next version of a source's rules; the versions before it stay as they are."""
    with transaction.atomic():
        Source.objects.select_for_update().get(pk=source.pk)
        newest = source.rule_sets.aggregate(newest=Max("version"))["newest"] or 0
        return RuleSet.objects.create(
            source=source, version=newest + 1, rules=rules, note=note, author=author
        )
