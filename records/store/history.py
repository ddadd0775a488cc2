"""What a record was before a change: kept as a version, its result as history."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from records.models import DataRecord, IngestionRun, ProcessingResult, RecordVersion
from records.store import text_index


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
    retire_results(ids)
    text_index.note(ids)
    return {
        record.id: Former(record.source_id, record.timestamp, record.status) for record in records
    }


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
