"""Outcomes -> results: saves the batches of a processing run."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from records import bulk
from records.counters import CountChanges
from records.errors import LeaseLost
from records.json_text import json_text
from records.models import DataRecord, ProcessingRun, RuleSet, RunState
from records.rows import Outcome, ProcessingCounts
from records.runs import lease_end

Status = DataRecord.Status


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
        for status in (Status.PROCESSED, Status.FAILED):
            ids = [o.record_id for o in saved if o.success is (status == Status.PROCESSED)]
            _set_status(ids, status, now)
            for record_id in ids:
                _, source, timestamp = records[record_id]
                counts.move(source, timestamp, Status.RAW, status)
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
    records = DataRecord.objects.with_ids(ids).filter(status=Status.RAW).order_by("id")
    return {
        record_id: (version, source, timestamp)
        for record_id, version, source, timestamp in records.select_for_update().values_list(
            "id", "version", "source_id", "timestamp"
        )
    }


def _insert_results(
    run: ProcessingRun, rule_set: RuleSet, outcomes: Iterable[Outcome], now: datetime
) -> None:
    saved = list(outcomes)
    bulk.insert(
        "processing_results",
        {
            "record_id": [o.record_id for o in saved],
            "success": [o.success for o in saved],
            "processed_data": [o.processed for o in saved],
            "error_message": [o.error_message for o in saved],
            "processing_time": [o.seconds for o in saved],
            "errors": [json_text(o.errors) if o.errors else "[]" for o in saved],
            "repairs": [json_text(o.repairs) if o.repairs else "[]" for o in saved],
            "value": [o.value for o in saved],
            "category": [o.category for o in saved],
            "repaired": [o.repaired for o in saved],
        },
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
