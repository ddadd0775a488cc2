"""What a record was before a change: kept as a version, its result as history."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import connection

from records.database import bulk
from records.models import DataRecord, IngestionRun, ProcessingResult, RecordVersion
from records.store import text_index


@dataclass(slots=True)
class Former:
    """What a record was before a change."""

    source: str
    timestamp: datetime | None
    status: str
    version: int


def supersede(
    ids: Collection[str],
    now: datetime,
    *,
    reason: RecordVersion.Reason,
    run: IngestionRun | None,
    user: User | None,
) -> dict[str, Former]:
    """Keep what records hold as versions, and make their results history: they are about to change.

    Locks the records.
    """
    records = DataRecord.objects.with_ids(ids).order_by("id").select_for_update()
    rows = list(records.values_list("id", "source_id", "timestamp", "status", "version"))
    moment = "CAST(%s AS timestamptz)" if bulk.is_postgresql() else "%s"
    condition, among = bulk.among("id", ids)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO record_versions (record_id, version, timestamp, data, run_id, line, "  # noqa: S608
            "reason, replaced_at, replaced_by_run_id, replaced_by_user_id) "
            "SELECT id, version, timestamp, data, run_id, line, CAST(%s AS varchar(10)), "
            f"{moment}, CAST(%s AS bigint), CAST(%s AS bigint) FROM data_records WHERE {condition}",
            [
                reason.value,
                bulk.sql_time(now),
                run.pk if run else None,
                user.pk if user else None,
                among,
            ],
        )
    retire_results(ids)
    text_index.note(ids)
    return {key: Former(*was) for key, *was in rows}


def retire_results(ids: Collection[str]) -> None:
    """A raw record has no current result: the one it had becomes history."""
    ProcessingResult.objects.filter(record_id__in=ids, current=True).update(current=False)


def remove(ids: Collection[str]) -> None:
    """Delete records with their results and versions. The caller has locked and counts them."""
    results = ProcessingResult.objects.filter(record_id__in=ids)
    # One after the other, as there is an index for each.
    results.filter(current=True).delete()
    results.filter(current=False).delete()
    RecordVersion.objects.filter(record_id__in=ids).delete()
    DataRecord.objects.with_ids(ids).delete()
    text_index.note(ids)
