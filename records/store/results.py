"""Outcomes -> results: saves the batches of a processing run."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import repeat
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from records import bulk
from records.counters import CountChanges
from records.errors import BatchLost, LeaseLost
from records.json_text import json_text
from records.models import DataRecord, ProcessingBatch, RuleSet, Selection
from records.querysets import SELECTED
from records.readings import Reading, fingerprint, selected
from records.rows import Outcome, ProcessingCounts
from records.runs import held, lease_end
from records.store.history import retire_results

Status = DataRecord.Status

# The columns of a result, by what an outcome calls them; its id comes beside them.
COLUMNS = {
    "success": "success",
    "processed": "processed_data",
    "error_message": "error_message",
    "errors": "errors",
    "repairs": "repairs",
    "value": "value",
    "category": "category",
    "repaired": "repaired",
    "anomaly": "anomaly",
    "seconds": "processing_time",
}


class _Changed(Exception):
    """The records of a batch are not the ones any more that were read."""


def save_results(
    *,
    batch: ProcessingBatch,
    worker: str,
    reading: Reading,
    outcomes: Sequence[Outcome],
    rule_set: RuleSet,
) -> ProcessingCounts:
    """Save the results of a batch: results, statuses, counters and progress, or nothing.

    ``reading`` is what was read of the batch; a record of it without an outcome keeps the result
    that it has, and counts as unchanged. A record that has been changed, processed or deleted since
    it was read keeps what it is: its outcome is dropped, so each version of a record gets one
    result whoever else is at work. The former results of records become history.

    Raises BatchLost if another worker holds the batch, LeaseLost if the run has been ended.
    """
    try:
        return _save(batch, worker, reading, outcomes, rule_set, as_read=True)
    except _Changed:
        return _save(batch, worker, reading, outcomes, rule_set, as_read=False)


def _save(
    batch: ProcessingBatch,
    worker: str,
    reading: Reading,
    outcomes: Sequence[Outcome],
    rule_set: RuleSet,
    *,
    as_read: bool,
) -> ProcessingCounts:
    now = timezone.now()
    unchanged = len(reading.records) - len(outcomes)
    columns = _columns(outcomes)
    is_whole = columns["record_id"] == reading.ids and columns["version"] == reading.versions
    counts = CountChanges()
    with transaction.atomic():
        if not ProcessingBatch.objects.filter(pk=batch.pk, worker=worker).delete()[0]:
            raise BatchLost(batch)
        if as_read and is_whole:
            _move_all(batch, reading, columns, counts, now)
        else:
            columns = _columns(_move_some(batch, outcomes, counts, now))
        _insert_results(batch, rule_set, columns, now)
        counts.apply()
        succeeded = sum(columns["success"])
        done = ProcessingCounts(
            processed=succeeded,
            failed=len(columns["success"]) - succeeded,
            # What failed has no repairs.
            repaired=sum(map(bool, columns["repairs"])),
        )
        # The other batches that it holds are in good hands as well.
        batch.run.batches.filter(worker=worker).update(lease_until=lease_end())
        renewed = held(batch.run, worker).update(
            processed=F("processed") + done.processed,
            failed=F("failed") + done.failed,
            repaired=F("repaired") + done.repaired,
            unchanged=F("unchanged") + unchanged,
            worker=worker,
            lease_until=lease_end(),
            attempts=0,
        )
        if not renewed:
            raise LeaseLost(batch.run)
    return done


def _columns(outcomes: Sequence[Outcome]) -> dict[str, tuple[Any, ...]]:
    columns = zip(*outcomes, strict=True) if outcomes else repeat(())
    return dict(zip(Outcome._fields, columns, strict=False))


def _move_all(
    batch: ProcessingBatch,
    reading: Reading,
    columns: Mapping[str, Sequence[Any]],
    counts: CountChanges,
    now: datetime,
) -> None:
    """Give the records of the batch their new status, by their range: that writes each once.

    To lock them first, one by one, would write each twice. Raises _Changed, with everything still
    to be rolled back, unless the records are those that were read.
    """
    if not reading.ids:
        return
    successes = columns["success"]
    failed = [i for i, success in zip(reading.ids, successes, strict=True) if not success]
    move = _move_on_postgresql if bulk.is_postgresql() else _move_on_sqlite
    if move(batch, failed, now) != reading.fingerprint:
        raise _Changed
    had_result = [
        i for i, status in zip(reading.ids, reading.statuses, strict=True) if status != Status.RAW
    ]
    if had_result and _retire(batch, had_result) != len(had_result):
        raise _Changed
    moves = Counter(zip(reading.days, reading.statuses, successes, strict=True))
    for (day, before, success), count in moves.items():
        counts.add(batch.source, day, before, -count)
        counts.add(batch.source, day, Status.PROCESSED if success else Status.FAILED, count)


def _move_on_postgresql(batch: ProcessingBatch, failed: Collection[str], now: datetime) -> str:
    """Set the statuses, and tell which records these were."""
    status, parameters = _new_status("moved.id", failed)
    # The same rows once more, as they were: in RETURNING they are as they have become.
    sql = f"""
        WITH moved AS (
            UPDATE data_records AS moved SET status = {status}, processed_at = %s
            FROM data_records AS was
            WHERE was.id = moved.id AND was.version = moved.version AND was.status = moved.status
            AND was.id BETWEEN %s AND %s AND moved.id BETWEEN %s AND %s
            RETURNING moved.id, moved.version, was.status
        ) SELECT {fingerprint()} FROM moved"""  # noqa: S608 (words of ours)
    ends = [batch.first, batch.last] * 2
    statuses = SELECTED[batch.run.selection]
    if statuses is not None and len(statuses) == 1:
        sql = f"""
            WITH moved AS (
                UPDATE data_records AS moved SET status = {status}, processed_at = %s
                WHERE id BETWEEN %s AND %s AND {selected(batch.run.selection)}
                RETURNING id, version, '{statuses[0]}' AS status
            ) SELECT {fingerprint()} FROM moved"""  # noqa: S608 (words of ours)
        ends = ends[:2]
    with connection.cursor() as cursor:
        cursor.execute(sql, [*parameters, bulk.sql_time(now), *ends])
        mark: str = cursor.fetchone()[0]
    return mark


def _move_on_sqlite(batch: ProcessingBatch, failed: Collection[str], now: datetime) -> str:
    """The same in two steps: who writes to SQLite is alone."""
    status, parameters = _new_status("id", failed)
    condition = f"id BETWEEN %s AND %s AND {selected(batch.run.selection)}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {fingerprint()} FROM (SELECT id, version, status FROM data_records "  # noqa: S608
            f"WHERE {condition} ORDER BY id)",
            [batch.first, batch.last],
        )
        mark: str = cursor.fetchone()[0]
        cursor.execute(
            f"UPDATE data_records SET status = {status}, processed_at = %s WHERE {condition}",  # noqa: S608
            [*parameters, bulk.sql_time(now), batch.first, batch.last],
        )
    return mark


def _new_status(column: str, failed: Collection[str]) -> tuple[str, list[Any]]:
    """The SQL of the status that a record gets, and its parameters."""
    if not failed:
        return "'processed'", []
    is_failed, ids = bulk.among(column, failed)
    return f"CASE WHEN {is_failed} THEN 'failed' ELSE 'processed' END", [ids]


def _retire(batch: ProcessingBatch, ids: Sequence[str]) -> int:
    """Make the current results of records history; returns how many these were."""
    if batch.run.selection == Selection.FAILED:
        # They may lie far apart.
        condition, wanted = bulk.among("record_id", ids)
        parameters = [wanted]
    else:
        # What lies in the range is theirs, or else the number tells.
        condition, parameters = "record_id BETWEEN %s AND %s", [batch.first, batch.last]
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE processing_results SET current = FALSE WHERE current AND {condition}",  # noqa: S608
            parameters,
        )
        return int(cursor.rowcount)


def _move_some(
    batch: ProcessingBatch, outcomes: Sequence[Outcome], counts: CountChanges, now: datetime
) -> list[Outcome]:
    """Give records their new status one by one, and return the outcomes that still hold."""
    records = _lock(batch, [outcome.record_id for outcome in outcomes])
    saved = [
        outcome
        for outcome in outcomes
        if outcome.record_id in records and records[outcome.record_id][0] == outcome.version
    ]
    retire_results([o.record_id for o in saved if records[o.record_id][1] != Status.RAW])
    for status in (Status.PROCESSED, Status.FAILED):
        ids = [o.record_id for o in saved if o.success is (status == Status.PROCESSED)]
        if ids:
            DataRecord.objects.with_ids(ids).update(status=status, processed_at=now)
        for record_id in ids:
            _, before, timestamp = records[record_id]
            counts.move(batch.source, timestamp, before, status)
    return saved


def _lock(
    batch: ProcessingBatch, ids: Collection[str]
) -> dict[str, tuple[int, str, datetime | None]]:
    """Lock those of the records that the run takes up, in the order of their ids: two batches that
    share records then wait for each other instead of blocking each other."""
    records = DataRecord.objects.with_ids(ids).selected(batch.run.selection).order_by("id")
    return {
        record_id: (version, status, timestamp)
        for record_id, version, status, timestamp in records.select_for_update().values_list(
            "id", "version", "status", "timestamp"
        )
    }


def _insert_results(
    batch: ProcessingBatch, rule_set: RuleSet, columns: Mapping[str, Sequence[Any]], now: datetime
) -> None:
    ids = columns["record_id"]
    if not ids:
        return
    cells = {COLUMNS[name]: column for name, column in columns.items() if name in COLUMNS}
    for name in ("errors", "repairs"):
        cells[name] = [json_text(found) if found else "[]" for found in cells[name]]
    same = {name: column[0] for name, column in cells.items() if _is_constant(column)}
    bulk.insert(
        "processing_results",
        {"record_id": ids, **{n: column for n, column in cells.items() if n not in same}},
        {
            **same,
            "created_at": bulk.sql_time(now),
            "run_id": batch.run_id,
            "rule_set_id": rule_set.pk,
            "current": True,
        },
    )


def _is_constant(column: Sequence[Any]) -> bool:
    """Whether a column says the same in every row, as most do: it need be said only once."""
    first = column[0]
    # Zeros may differ in their sign.
    return (first != 0 or first is False) and column.count(first) == len(column)
