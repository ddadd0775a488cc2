"""How landed rows are written: as new records, and as new contents of records."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from records.database import bulk
from records.models import DataRecord, IngestionRun, RecordVersion
from records.rows import Row, by_column
from records.store import column_log, text_index
from records.store.counters import CountChanges
from records.store.history import Former, counted_as, supersede

Status = DataRecord.Status


def create(
    run: IngestionRun,
    rows: Sequence[Row],
    counts: CountChanges,
    now: datetime,
    versions: Sequence[int] | None = None,
    *,
    are_alone: bool = False,
) -> None:
    """Make new records; ``versions`` are theirs where the run has updated them already.

    They ``are_alone`` if no other record lies in the range of their ids.
    """
    if not rows:
        return
    source = run.source.name
    columns = _columns(rows)
    text_index.note(columns["id"])
    if are_alone:
        column_log.note_range(source, *by_column(rows).ends, len(rows))
    else:
        column_log.note_of_source(source, columns["id"])
    counts.add_all(source, columns["timestamp"], Status.RAW)
    constants: dict[str, bulk.Value] = {
        "source": source,
        "status": Status.RAW.value,
        "run_id": run.pk,
        "created_at": bulk.sql_time(now),
    }
    if versions is None:
        bulk.insert("data_records", columns, {**constants, "version": 1})
    else:
        bulk.insert("data_records", {**columns, "version": versions}, constants)


def _columns(rows: Sequence[Row]) -> dict[str, Sequence[Any]]:
    columns = by_column(rows)
    return {
        "id": columns.ids,
        "line": columns.lines,
        "timestamp": columns.timestamps,
        "data": columns.data,
    }


def update(
    run: IngestionRun, rows: Sequence[Row], counts: CountChanges, now: datetime
) -> dict[str, Former]:
    """Give known records the data of ``rows``, which differs; the rows are in ``landing``.

    Returns what the records were.
    """
    if not rows:
        return {}
    changed = [row.id for row in rows]
    former = supersede(
        changed, now, reason=RecordVersion.Reason.UPDATE, run=run, user=None, counts=counts
    )
    condition, ids = bulk.among("data_records.id", changed)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE data_records SET data = landing.data, timestamp = landing.timestamp, "  # noqa: S608
            "line = landing.line, run_id = %s, version = version + landing.steps, status = 'raw', "
            f"processed_at = NULL FROM landing WHERE landing.id = data_records.id AND {condition}",
            [run.pk, ids],
        )
    for row in rows:
        was = former[row.id]
        counts.add(was.source, was.timestamp, was.counted_as, -1)
        raw = counted_as(Status.RAW, is_closed=was.is_closed)
        counts.add(was.source, row.timestamp, raw)
    return former


def keep_contents(
    run: IngestionRun, rows: Sequence[Row], versions: Sequence[int], now: datetime
) -> None:
    """Keep rows as versions of records: contents that later rows of the same batch replace."""
    if not rows:
        return
    columns = _columns(rows)
    columns["record_id"] = columns.pop("id")
    bulk.insert(
        "record_versions",
        {**columns, "version": versions},
        {
            "run_id": run.pk,
            "reason": RecordVersion.Reason.UPDATE.value,
            "replaced_at": bulk.sql_time(now),
            "replaced_by_run_id": run.pk,
        },
    )


def fill_landing(rows: Sequence[Row], steps: Sequence[int] | None = None) -> None:
    """Put rows into a temporary table, where the database can compare them with its own.

    ``steps`` is by how many versions each takes its record further: by one if it is not given.
    """
    is_postgresql = bulk.is_postgresql()
    types = (
        ('varchar(255) COLLATE "C"', "timestamptz", "jsonb")
        if is_postgresql
        else ("text", "text", "text")
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE IF NOT EXISTS landing (id "
            f"{types[0]}, line bigint, timestamp {types[1]}, data {types[2]}, steps integer)"
        )
        cursor.execute("TRUNCATE landing" if is_postgresql else "DELETE FROM landing")
    if steps is None:
        bulk.insert("landing", _columns(rows), {"steps": 1})
    else:
        bulk.insert("landing", {**_columns(rows), "steps": steps})
