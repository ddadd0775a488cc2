"""What a record was before a change: kept as a version, its result as history."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Q

from records.database import bulk
from records.models import (
    DataRecord,
    IngestionRun,
    ProcessingResult,
    RecordClosing,
    RecordKey,
    RecordVersion,
)
from records.models.querysets import CLOSED
from records.store import column_log, text_index
from records.store.counters import CountChanges


@dataclass(slots=True)
class Former:
    """What a record was before a change."""

    source: str
    timestamp: datetime | None
    status: str
    version: int
    is_closed: bool

    @property
    def counted_as(self) -> str:
        """The status under which it was counted."""
        return counted_as(self.status, is_closed=self.is_closed)


def counted_as(status: str, *, is_closed: bool) -> str:
    """The status under which counters have a record of this one."""
    return CLOSED if is_closed else status


def supersede(
    ids: Collection[str],
    now: datetime,
    *,
    reason: RecordVersion.Reason,
    run: IngestionRun | None,
    user: User | None,
    counts: CountChanges,
) -> dict[str, Former]:
    """Keep what records hold as versions, and make their results history: they are about to change.

    Locks the records.
    """
    records = DataRecord.objects.with_ids(ids).order_by("id").select_for_update()
    fields = ("id", "source_id", "timestamp", "status", "version", "closed_by_id")
    rows = list(records.values_list(*fields))
    moment = "CAST(%s AS timestamptz)" if bulk.is_postgresql() else "%s"
    condition, among = bulk.among("id", ids)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO record_versions (record_id, version, timestamp, data, run_id, line, "  # noqa: S608
            "reason, replaced_at, replaced_by_run_id, replaced_by_user_id) "
            "SELECT id, version, timestamp, data, run_id, line, CAST(%s AS varchar(10)), "
            f"{moment}, CAST(%s AS bigint), CAST(%s AS bigint) FROM data_records WHERE {condition} "
            # Lists of what a run has changed are in the order of these rows.
            "ORDER BY id",
            [
                reason.value,
                bulk.sql_time(now),
                run.pk if run else None,
                user.pk if user else None,
                among,
            ],
        )
    retire_results(ids, counts)
    text_index.note(ids)
    column_log.note(ids)
    return {
        key: Former(source, timestamp, status, version, closer is not None)
        for key, source, timestamp, status, version, closer in rows
    }


def retire_results(ids: Collection[str], counts: CountChanges) -> None:
    """A raw record has no current result: the one it had becomes history."""
    count_values(ids, counts)
    ProcessingResult.objects.filter(record_id__in=ids, current=True).update(current=False)


def count_values(ids: Collection[str], counts: CountChanges, *, sign: int = -1) -> None:
    """Take the current results of records out of the counts of values, as they are about to go; or
    into them, if the ``sign`` is 1."""
    has_value = Q(value__isnull=False) | Q(unread=True)
    results = ProcessingResult.objects.filter(has_value, record_id__in=ids, current=True)
    # The source is the part of an id before the first colon.
    found = Counter(
        (record_id.partition(":")[0], unread)
        for record_id, unread in results.values_list("record_id", "unread")
    )
    for (source, unread), count in found.items():
        counts.add_values(source, filled=sign * count, unread=sign * count * unread)


def remove(ids: Collection[str], counts: CountChanges) -> None:
    """Delete records with their results and versions. The caller has locked and counts them."""
    count_values(ids, counts)
    results = ProcessingResult.objects.filter(record_id__in=ids)
    # One after the other, as there is an index for each.
    results.filter(current=True).delete()
    results.filter(current=False).delete()
    RecordVersion.objects.filter(record_id__in=ids).delete()
    RecordClosing.objects.filter(record_id__in=ids).delete()
    RecordKey.objects.filter(record_id__in=ids).delete()
    DataRecord.objects.with_ids(ids).delete()
    text_index.note(ids)
    column_log.note(ids)
