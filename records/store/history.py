"""What a record was before a change: kept as a version, its result as history."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Q

from records.models import DataRecord, IngestionRun, ProcessingResult, RecordVersion
from records.store import text_index
from records.store.counters import CountChanges


@dataclass(slots=True)
class Former:
    """What a record was before a change."""

    source: str
    timestamp: datetime | None
    status: str


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
    retire_results(ids, counts)
    text_index.note(ids)
    return {
        record.id: Former(record.source_id, record.timestamp, record.status) for record in records
    }


def retire_results(ids: Collection[str], counts: CountChanges) -> None:
    """A raw record has no current result: the one it had becomes history."""
    count_values(ids, counts)
    ProcessingResult.objects.filter(record_id__in=ids, current=True).update(current=False)


def count_values(ids: Collection[str], counts: CountChanges) -> None:
    """Take the current results of records out of the counts of values; they are about to go."""
    has_value = Q(value__isnull=False) | Q(unread=True)
    results = ProcessingResult.objects.filter(has_value, record_id__in=ids, current=True)
    # The source is the part of an id before the first colon.
    found = Counter(
        (record_id.partition(":")[0], unread)
        for record_id, unread in results.values_list("record_id", "unread")
    )
    for (source, unread), count in found.items():
        counts.add_values(source, filled=-count, unread=-count * unread)


def remove(ids: Collection[str], counts: CountChanges) -> None:
    """Delete records with their results and versions. The caller has locked and counts them."""
    count_values(ids, counts)
    results = ProcessingResult.objects.filter(record_id__in=ids)
    # One after the other, as there is an index for each.
    results.filter(current=True).delete()
    results.filter(current=False).delete()
    RecordVersion.objects.filter(record_id__in=ids).delete()
    DataRecord.objects.with_ids(ids).delete()
    text_index.note(ids)
