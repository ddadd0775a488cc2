"""Rows -> records: lands the batches of an ingestion run."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import Enum, auto
from typing import Any, NamedTuple

import orjson
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import F
from django.utils import timezone

from records.database import bulk
from records.database.faults import has_rolled_back
from records.errors import LeaseLost
from records.jobs.leases import lease_end
from records.models import (
    UPDATING,
    DataRecord,
    IngestionRun,
    OnConflict,
    RunState,
    Source,
)
from records.rows import Ledger, Reject, Row, by_column
from records.store.chains import land_chains
from records.store.closing import note_keys, reopen_rows
from records.store.counters import CountChanges
from records.store.merging import merged_with_records
from records.store.outcomes import Outcomes
from records.store.rejects import conflict, insert_rejects
from records.store.writing import create, fill_landing, update

log = logging.getLogger(__name__)

Status = DataRecord.Status


# So long a batch that has written rows early waits for its turn. Another run that holds the source
# may wait for one of its keys, and the batch before it for the source: the database does not see
# that they wait for each other.
HOLD_SECONDS = 2.0


class Turn(NamedTuple):
    """When a batch lands behind another, which lands at the same time on another connection.

    ``wait`` returns whether its turn has come within so many seconds (None: however long it takes),
    or raises; no id of the batch lies among those of the other if it is ``apart``.
    """

    wait: Callable[[float | None], bool]
    apart: bool


class _NotYet(Exception):
    """The turn of a batch has not come, so what it has written early is taken back."""


def land(
    *,
    run: IngestionRun,
    worker: str,
    rows: Sequence[Row],
    rejects: Sequence[Reject],
    position: int,
    bytes_read: int,
    turn: Turn | None = None,
    hold_seconds: float | None = None,
    told: list[dict[str, Any]] | None = None,
) -> Ledger:
    """Land a batch of a run: rows, rejected rows, counters, ledger and lease, or nothing.

    A key that is new makes a record; one that is known with the same data is unchanged; with
    other data the record is updated: its former content becomes a version and it is raw again.
    Where the source says so, it keeps the cells that the row lacks; or the record is kept as it is,
    and the row counts as unchanged or is rejected. A closed record is reopened, whatever becomes of
    the row.
    ``position`` is how many rows of the input come before the batch: the ledger moves only from
    there, so a batch whose transaction may have been committed, though nobody was told, can't
    count twice. ``bytes_read`` is how far in the input the batch ends. Before its ``turn`` only
    new records are written, which nobody sees yet. The lease is renewed for
    ``hold_seconds``, or the usual time. ``told`` gets what has become of each row (see Outcomes).
    Raises LeaseLost if another worker holds the run, or the run stands elsewhere.
    """
    if turn is not None and turn.apart:
        try:
            return _land(run, worker, rows, rejects, position, bytes_read, turn=turn)
        except (IntegrityError, OperationalError) as error:
            if not has_rolled_back(error):
                raise
            # Another run of the source writes the same keys.
            log.info("%s: a batch is landed again in its turn: %s", run, error)
        except _NotYet:
            log.info("%s: a batch waits for its turn before it is written.", run)
    if turn is not None:
        turn.wait(None)
    return _land(
        run, worker, rows, rejects, position, bytes_read, hold_seconds=hold_seconds, told=told
    )


def _land(
    run: IngestionRun,
    worker: str,
    rows: Sequence[Row],
    rejects: Sequence[Reject],
    position: int,
    bytes_read: int,
    turn: Turn | None = None,
    hold_seconds: float | None = None,
    told: list[dict[str, Any]] | None = None,
) -> Ledger:
    now = timezone.now()
    with transaction.atomic():
        counts = CountChanges()
        ledger = Ledger(rejected=len(rejects))
        reopened = 0
        refused: list[Reject] = []
        outcomes = Outcomes(run, told)
        done = _Done.NOTHING
        if turn is not None:
            done = _do_before(run, rows, counts, now)
            if not turn.wait(HOLD_SECONDS if done == _Done.CREATED else None):
                raise _NotYet
        _hold_source(run, patiently=done != _Done.CREATED)
        if done == _Done.CREATED:
            ledger += Ledger(created=len(rows))
            outcomes.add_all("created", rows)
        else:
            is_filled = done == _Done.FILLED
            reopened = reopen_rows(run, set(by_column(rows).ids), counts)
            if run.source.on_conflict == OnConflict.MERGE:
                rows = merged_with_records(run, rows)
            single, chains = _apart(rows)
            if single:
                ledger += _land_distinct(
                    run, single, counts, now, refused, outcomes, is_filled=is_filled
                )
            if chains:
                ledger += land_chains(run, chains, counts, now, refused, outcomes)
        outcomes.add_rejected(insert_rejects(run, [*rejects, *refused], now))
        outcomes.save(position)
        unknown_keys = note_keys(run, rows, [*rejects, *refused])
        counts.apply()
        moved = IngestionRun.objects.filter(
            pk=run.pk, worker=worker, state=RunState.RUNNING, read=position
        ).update(
            read=position + ledger.read,
            created=F("created") + ledger.created,
            updated=F("updated") + ledger.updated,
            unchanged=F("unchanged") + ledger.unchanged,
            rejected=F("rejected") + ledger.rejected,
            reopened=F("reopened") + reopened,
            unknown_keys=F("unknown_keys") + unknown_keys,
            bytes_read=bytes_read,
            lease_until=lease_end(hold_seconds),
            attempts=1,
            pauses=0,
        )
        if not moved:
            raise LeaseLost(run)
    return ledger


class _Done(Enum):
    """What has been done of a batch before its turn."""

    NOTHING = auto()
    CREATED = auto()
    FILLED = auto()


def _do_before(
    run: IngestionRun, rows: Sequence[Row], counts: CountChanges, now: datetime
) -> _Done:
    """Do what nobody sees before the transaction ends, and what nobody's transaction changes."""
    if not rows or len(set(by_column(rows).ids)) < len(rows):
        return _Done.NOTHING
    if _are_new(rows):
        create(run, rows, counts, now, are_alone=True)
        return _Done.CREATED
    if run.source.on_conflict == OnConflict.MERGE:
        return _Done.NOTHING
    fill_landing(rows)
    return _Done.FILLED


def _hold_source(run: IngestionRun, *, patiently: bool = True) -> None:
    """One writer a source: what is looked up stays as it is until the transaction ends.

    Whoever holds it may wait for a key that has been written here: unless ``patiently``, this
    gives way before that becomes a deadlock. (A source that was deleted took the run along, which
    is found out when the run is updated.)
    """
    with connection.cursor() as cursor:
        if not patiently:
            cursor.execute("SET LOCAL lock_timeout = '200ms'")
        list(Source.objects.select_for_update().filter(pk=run.source_id).values_list("pk"))
        if not patiently:
            cursor.execute("SET LOCAL lock_timeout TO DEFAULT")


def _are_new(rows: Sequence[Row]) -> bool:
    """Whether no record has an id in the range of the rows'."""
    return not DataRecord.objects.filter(id__range=by_column(rows).ends).exists()


def _apart(rows: Sequence[Row]) -> tuple[Sequence[Row], dict[str, list[Row]]]:
    """The rows with a key of their own, and those that share one, in their order."""
    columns = by_column(rows)
    if len(set(columns.ids)) == len(rows):
        return rows, {}
    counts = Counter(columns.ids)
    single: list[Row] = []
    chains: dict[str, list[Row]] = {}
    for row in rows:
        if counts[row.id] == 1:
            single.append(row)
        else:
            chains.setdefault(row.id, []).append(row)
    return single, chains


def _land_distinct(
    run: IngestionRun,
    rows: Sequence[Row],
    counts: CountChanges,
    now: datetime,
    refused: list[Reject],
    outcomes: Outcomes,
    *,
    is_filled: bool,
) -> Ledger:
    """Land rows of which no two have the same key; those that the source refuses are added.

    ``is_filled`` says that the rows are in ``landing`` already.
    """
    if not is_filled:
        if _are_new(rows):
            # Keys that come in order, or a new source: no need to look for each.
            create(run, rows, counts, now, are_alone=True)
            outcomes.add_all("created", rows)
            return Ledger(created=len(rows))
        fill_landing(rows)
    new, changed, moved = _told_apart(*by_column(rows).ends)
    create(run, [row for row in rows if row.id in new] if new else [], counts, now)
    policy = run.source.on_conflict
    updated = moved if policy not in UPDATING else changed | moved
    update(run, [row for row in rows if row.id in updated] if updated else [], counts, now)
    if policy == OnConflict.REJECT and changed:
        rejects = [conflict(row) for row in rows if row.id in changed]
    else:
        rejects = []
    refused += rejects
    is_refused = changed if policy == OnConflict.REJECT else frozenset[str]()
    for row in rows if outcomes.are_wanted else ():
        if row.id not in is_refused:
            outcome = (
                "created" if row.id in new else "updated" if row.id in updated else "unchanged"
            )
            outcomes.add(outcome, row.line, row.id)
    return Ledger(
        created=len(new),
        updated=len(updated),
        unchanged=len(rows) - len(new) - len(updated) - len(rejects),
        rejected=len(rejects),
    )


def _told_apart(first: str, last: str) -> tuple[set[str], set[str], set[str]]:
    """The ids in ``landing`` that are new, those that hold other data than their record, and those
    that only have another time, since the mapping names other columns.

    ``first`` and ``last`` are the ends of their range.
    """
    differs = "IS DISTINCT FROM" if bulk.is_postgresql() else "IS NOT"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT landing.id, landing.data, known.data, "  # noqa: S608 (words of ours)
            f"landing.data <> known.data, landing.timestamp {differs} known.timestamp FROM landing "
            "LEFT JOIN data_records AS known "
            "ON known.id = landing.id AND known.id BETWEEN %s AND %s "
            "WHERE known.id IS NULL OR landing.data <> known.data "
            f"OR landing.timestamp {differs} known.timestamp",
            [first, last],
        )
        rows = cursor.fetchall()
    new = {row[0] for row in rows if row[2] is None}
    # SQLite compares text, in which the order of the columns counts.
    changed = {
        row[0]
        for row in rows
        if row[3] and (bulk.is_postgresql() or orjson.loads(row[1]) != orjson.loads(row[2]))
    }
    moved = {row[0] for row in rows if row[4]} - new - changed
    return new, changed, moved
