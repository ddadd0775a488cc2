"""Rows -> records: lands the batches of an ingestion run."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import orjson
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from records import bulk
from records.counters import CountChanges
from records.errors import LeaseLost
from records.models import (
    DataRecord,
    IngestionRun,
    RecordVersion,
    RejectedRow,
    RunState,
    Source,
)
from records.rows import Ledger, Reject, Row
from records.runs import lease_end
from records.store.history import supersede

Status = DataRecord.Status


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
        # (A source that was deleted took the run along, which is found out below.)
        list(Source.objects.select_for_update().filter(pk=run.source_id))
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
            "status": Status.RAW.value,
            "version": 1,
            "run_id": run.pk,
            "created_at": bulk.sql_time(now),
        },
    )
    for row in new:
        counts.add(source, row.timestamp, Status.RAW)
    updated = 0
    if known:
        updated = _update(run, [row for row in rows if row.id in known], counts, now)
    return Ledger(created=len(new), updated=updated, unchanged=len(rows) - len(new) - updated)


def _update(run: IngestionRun, rows: list[Row], counts: CountChanges, now: datetime) -> int:
    """Give known records new data where it differs; returns how many it did for."""
    _fill_landing(rows)
    changed = _changed_keys()
    if not changed:
        return 0
    timestamps = {row.id: row.timestamp for row in rows}
    former = supersede(changed, now, reason=RecordVersion.Reason.UPDATE, run=run, user=None)
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
        counts.add(was.source, timestamps[record_id], Status.RAW)
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
    """The ids in ``landing`` that say something else than the record: other data, or, since the
    mapping names other columns, another time."""
    differs = "IS DISTINCT FROM" if bulk.is_postgresql() else "IS NOT"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT landing.id, landing.data, data_records.data, "  # noqa: S608 (words of ours)
            f"landing.timestamp {differs} data_records.timestamp FROM landing "
            "JOIN data_records ON data_records.id = landing.id "
            "WHERE landing.data <> data_records.data "
            f"OR landing.timestamp {differs} data_records.timestamp ORDER BY landing.id"
        )
        rows = cursor.fetchall()
    if bulk.is_postgresql():
        return [row[0] for row in rows]
    # SQLite compares text, in which the order of the columns counts.
    return [row[0] for row in rows if row[3] or orjson.loads(row[1]) != orjson.loads(row[2])]


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
