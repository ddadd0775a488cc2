"""Outcomes -> results: saves the batches of a processing run."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import F
from django.utils import timezone

from records.database import bulk
from records.errors import BatchLost, LeaseLost
from records.jobs.leases import lease_end
from records.json_text import json_text
from records.models import DataRecord, ProcessingBatch, ProcessingResult, RuleSet, Selection
from records.rows import Outcome, ProcessingCounts
from records.store import column_log
from records.store.counters import CountChanges
from records.store.history import count_values, retire_results
from records.store.readings import OF_RECORDS, OF_RESULTS, Reading, fingerprint, selected

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
    "unread": "unread",
    "anomaly": "anomaly",
    "seconds": "processing_time",
}

# How many of the results found have a value, and how many a value that could not be read.
OF_VALUES = ", count(*) FILTER (WHERE value IS NOT NULL OR unread), count(*) FILTER (WHERE unread)"
# The id of no rule set.
NO_VERSION = 0


@dataclass(frozen=True, slots=True)
class Results:
    """Outcomes of a batch, made ready to be saved (see prepare_results)."""

    batch: ProcessingBatch
    reading: Reading
    rule_set: RuleSet
    outcomes: Sequence[Outcome]
    now: datetime
    counts: ProcessingCounts
    # The outcomes' columns by their names.
    columns: Mapping[str, Sequence[Any]]
    insert: Callable[[], None]

    @property
    def are_whole(self) -> bool:
        """Whether there is an outcome for each record that was read, in the same order."""
        read = self.reading
        return (self.columns["record_id"], self.columns["version"]) == (read.ids, read.versions)


class _Changed(Exception):
    """The records of a batch are not the ones any more that were read."""


def prepare_results(
    *, batch: ProcessingBatch, reading: Reading, outcomes: Sequence[Outcome], rule_set: RuleSet
) -> Results:
    """Make everything ready for save_results that needs no database, on any thread.

    ``reading`` is what was read of the batch; a record of it without an outcome keeps the result
    that it has, and counts as unchanged.
    """
    now = timezone.now()
    columns = _columns(outcomes)
    succeeded = sum(columns["success"])
    counts = ProcessingCounts(
        processed=succeeded,
        failed=len(outcomes) - succeeded,
        # What failed has no repairs.
        repaired=sum(map(bool, columns["repairs"])),
        filled=_filled(columns),
        unread=sum(columns["unread"]),
    )
    insert = _insertion(batch, rule_set, columns, now)
    return Results(batch, reading, rule_set, outcomes, now, counts, columns, insert)


def _filled(columns: Mapping[str, Sequence[Any]]) -> int:
    """How many outcomes have a value, or would have one if it could have been read."""
    values, unread = columns["value"], columns["unread"]
    filled = len(values) - values.count(None)
    if True not in unread:
        return filled
    pairs = zip(values, unread, strict=True)
    return filled + sum(value is None and is_unread for value, is_unread in pairs)


def save_results(*, results: Results, worker: str) -> ProcessingCounts:
    """Save the results of a batch: results, statuses, counters and progress, or nothing.

    A record that has been changed, processed or deleted since it was read keeps what it is: its
    outcome is dropped, so each version of a record gets one result whoever else is at work. The
    former results of records become history.

    Raises BatchLost if another worker holds the batch, LeaseLost if the run has been ended.
    """
    if results.are_whole:
        try:
            return _save(results, worker, _move_all)
        except _Changed:
            pass
        except OperationalError as error:
            # A range may be written in any order; one by one, records are locked in that of ids.
            if not bulk.is_deadlock(error):
                raise
    return _save(results, worker, _move_some)


def _save(
    results: Results, worker: str, move: Callable[[Results, CountChanges], Results]
) -> ProcessingCounts:
    batch = results.batch
    unchanged = len(results.reading.ids) - len(results.outcomes)
    counts = CountChanges()
    with transaction.atomic():
        if not ProcessingBatch.objects.filter(pk=batch.pk, worker=worker).delete()[0]:
            raise BatchLost(batch)
        saved = move(results, counts)
        saved.insert()
        column_log.note_of_source(batch.source, saved.columns["record_id"])
        counts.add_values(batch.source, filled=saved.counts.filled, unread=saved.counts.unread)
        counts.apply()
        batch.run.renew_parts(worker, lease_end())
        renewed = batch.run.held_by(worker).update(
            processed=F("processed") + saved.counts.processed,
            failed=F("failed") + saved.counts.failed,
            repaired=F("repaired") + saved.counts.repaired,
            filled=F("filled") + saved.counts.filled,
            unread=F("unread") + saved.counts.unread,
            unchanged=F("unchanged") + unchanged,
            worker=worker,
            lease_until=lease_end(),
            attempts=0,
            pauses=0,
        )
        if not renewed:
            raise LeaseLost(batch.run)
    return saved.counts


def _columns(outcomes: Sequence[Outcome]) -> dict[str, tuple[Any, ...]]:
    columns = zip(*outcomes, strict=True) if outcomes else repeat(())
    return dict(zip(Outcome._fields, columns, strict=False))


def _move_all(results: Results, counts: CountChanges) -> Results:
    """Give the records of the batch their new status, by their range: that writes each once.

    To lock them first, one by one, would write each twice. Raises _Changed, with everything still
    to be rolled back, unless the records are those that were read, with the same current results.
    """
    batch, reading, successes = results.batch, results.reading, results.columns["success"]
    if not reading.ids:
        return results
    failed = [i for i, success in zip(reading.ids, successes, strict=True) if not success]
    if _set_statuses(batch, failed, results.now) != reading.of_records:
        raise _Changed
    if batch.run.selection != Selection.RAW and _retire(results, counts) != reading.of_results:
        raise _Changed
    moves = Counter(zip(reading.days, reading.statuses, successes, strict=True))
    for (day, before, success), count in moves.items():
        counts.add(batch.source, day, before, -count)
        counts.add(batch.source, day, Status.PROCESSED if success else Status.FAILED, count)
    return results


def _set_statuses(batch: ProcessingBatch, failed: Collection[str], now: datetime) -> str:
    """Set the statuses of the batch's records; the fingerprint of those that were found."""
    status, parameters = _new_status(failed)
    condition = f"id BETWEEN %s AND %s AND {selected(batch.run.selection)}"
    which = [batch.first, batch.last]
    update = f"UPDATE data_records SET status = {status}, processed_at = %s WHERE {condition}"  # noqa: S608 (words of ours)
    values = [*parameters, bulk.sql_time(now), *which]
    if bulk.is_postgresql():
        return _mark(f"WITH found AS ({update} RETURNING id, version)", OF_RECORDS, values)[0]
    # In two steps: who writes to SQLite is alone.
    found = f"SELECT id, version FROM data_records WHERE {condition} ORDER BY id"  # noqa: S608 (words of ours)
    mark, *_ = _mark(f"WITH found AS ({found})", OF_RECORDS, which)
    _execute(update, values)
    return mark


def _retire(results: Results, counts: CountChanges) -> str:
    """Make the current results of the batch's records history; the fingerprint of those found.

    Where all records are processed anew, what the same version of the rules has made of the same
    version of the record is replaced: else doing it again and again would only fill the disk.
    """
    batch = results.batch
    theirs, which = "current AND record_id BETWEEN %s AND %s", [batch.first, batch.last]
    if batch.run.selection == Selection.FAILED:  # which may lie far apart
        condition, ids = bulk.among("record_id", results.reading.ids)
        theirs, which = f"current AND {condition}", [ids]
    same = results.rule_set.pk if batch.run.selection == Selection.ALL else NO_VERSION
    update = "UPDATE processing_results SET current = FALSE"
    delete = "DELETE FROM processing_results"
    names = "record_id, success, value, unread"
    returning = f"RETURNING {names}"
    if bulk.is_postgresql():
        mark, filled, unread = _mark(
            f"WITH replaced AS ({delete} WHERE {theirs} AND rule_set_id = %s {returning}), "  # noqa: S608 (words of ours)
            f"former AS ({update} WHERE {theirs} AND rule_set_id <> %s {returning}), "
            "found AS (SELECT * FROM replaced UNION ALL SELECT * FROM former)",
            OF_RESULTS,
            [*which, same, *which, same],
            OF_VALUES,
        )
    else:
        found = f"SELECT {names} FROM processing_results WHERE {theirs} ORDER BY record_id"  # noqa: S608 (words of ours)
        mark, filled, unread = _mark(f"WITH found AS ({found})", OF_RESULTS, which, OF_VALUES)
        _execute(f"{delete} WHERE {theirs} AND rule_set_id = %s", [*which, same])
        _execute(f"{update} WHERE {theirs}", which)
    counts.add_values(batch.source, filled=-filled, unread=-unread)
    return mark


def _mark(
    found: str, marks: tuple[str, str], parameters: Sequence[Any], more: str = ""
) -> tuple[Any, ...]:
    """The fingerprint of what was found, and what ``more`` asks about it."""
    with connection.cursor() as cursor:
        cursor.execute(f"{found} SELECT {fingerprint(*marks)}{more} FROM found", parameters)  # noqa: S608 (words of ours)
        mark, *rest = cursor.fetchone()
        return str(mark), *rest


def _execute(sql: str, parameters: Sequence[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def _new_status(failed: Collection[str]) -> tuple[str, list[Any]]:
    """The SQL of the status that a record gets, and its parameters."""
    if not failed:
        return "'processed'", []
    is_failed, ids = bulk.among("id", failed)
    return f"CASE WHEN {is_failed} THEN 'failed' ELSE 'processed' END", [ids]


def _move_some(results: Results, counts: CountChanges) -> Results:
    """Give records their new status one by one, and return the results that still hold."""
    batch, outcomes = results.batch, results.outcomes
    records = _lock(batch, [outcome.record_id for outcome in outcomes])
    saved = [
        outcome
        for outcome in outcomes
        if outcome.record_id in records and records[outcome.record_id][0] == outcome.version
    ]
    had_result = [o.record_id for o in saved if records[o.record_id][1] != Status.RAW]
    if batch.run.selection == Selection.ALL:
        count_values(had_result, counts)
        current = ProcessingResult.objects.filter(record_id__in=had_result, current=True)
        current.filter(rule_set=results.rule_set).delete()
        retire_results(had_result, CountChanges())
    else:
        retire_results(had_result, counts)
    for status in (Status.PROCESSED, Status.FAILED):
        ids = [o.record_id for o in saved if o.success is (status == Status.PROCESSED)]
        if ids:
            DataRecord.objects.with_ids(ids).update(status=status, processed_at=results.now)
        for record_id in ids:
            _, before, timestamp = records[record_id]
            counts.move(batch.source, timestamp, before, status)
    return prepare_results(
        batch=batch, reading=results.reading, outcomes=saved, rule_set=results.rule_set
    )


def _lock(
    batch: ProcessingBatch, ids: Collection[str]
) -> dict[str, tuple[int, str, datetime | None]]:
    """Lock those of the records that the run processes, in the order of their ids: two batches that
    share records then wait for each other instead of blocking each other."""
    records = DataRecord.objects.with_ids(ids).selected(batch.run.selection).order_by("id")
    return {
        record_id: (version, status, timestamp)
        for record_id, version, status, timestamp in records.select_for_update().values_list(
            "id", "version", "status", "timestamp"
        )
    }


def _insertion(
    batch: ProcessingBatch, rule_set: RuleSet, columns: Mapping[str, Sequence[Any]], now: datetime
) -> Callable[[], None]:
    cells = {COLUMNS[name]: column for name, column in columns.items() if name in COLUMNS}
    for name in ("errors", "repairs"):
        cells[name] = [json_text(found) if found else "[]" for found in cells[name]]
    same = {name: column[0] for name, column in cells.items() if _is_constant(column)}
    return bulk.prepared(
        "processing_results",
        {
            "record_id": columns["record_id"],
            **{name: column for name, column in cells.items() if name not in same},
        },
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
    if not column:
        return False
    first = column[0]
    # Zeros may differ in their sign.
    return (first != 0 or first is False) and column.count(first) == len(column)
