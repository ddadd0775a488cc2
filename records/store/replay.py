"""Rejected rows that are taken up again: each becomes a record, or is rejected anew."""

from collections.abc import Callable, Sequence
from typing import Any

import orjson
from django.db import connection, transaction

from records import bulk
from records.models import DataRecord, IngestionRun, RejectedRow, Source
from records.querysets import RejectedQuerySet
from records.rows import Ledger, Reject, Row
from records.store.landing import land

# A rejected row, if it is known which, and what has become of it.
Taken = tuple[RejectedRow | None, Row | Reject]


def replay_batch(
    *,
    run: IngestionRun,
    worker: str,
    read: Callable[[Sequence[RejectedRow]], Sequence[Row | Reject]],
    size: int,
) -> bool:
    """Take up the next ``size`` open rows that a replay is about, or nothing.

    ``read`` makes of each row what lands, or why it is rejected again. Rows that are taken up are
    open no more, so a replay that is repeated finds nothing left. Returns whether there were any.
    Raises LeaseLost if another worker holds the run.
    """
    with transaction.atomic():
        _lock(run)
        held = list(_rows_for(run).open().order_by("pk").select_related("run")[:size])
        if held:
            taken: list[Taken] = list(zip(held, read(held), strict=True))
            done = run.bytes_read + sum(len(row.raw) for row in held)
            _land(run, worker, taken, min(done, run.size))
            run.bytes_read = done
    return bool(held)


def land_repaired(
    *,
    run: IngestionRun,
    worker: str,
    rows: Sequence[Row],
    rejects: Sequence[Reject],
    bytes_read: int,
    given: Callable[[RejectedRow], dict[str, Any]],
) -> Ledger:
    """Land a batch of a file in which the rejected rows of the run's parent have been repaired.

    A row belongs to the rejected row of its line. ``given`` tells with which cells that one was
    given out: could it not be read, and has it come back as it was given, it stays rejected.
    Raises LeaseLost if another worker holds the run.
    """
    with transaction.atomic():
        _lock(run)
        outcomes: list[Row | Reject] = [*rows, *rejects]
        lines = {outcome.line for outcome in outcomes}
        known: dict[int, list[RejectedRow]] = {}
        # Open ones first; of those that are not, the latest.
        found = _rows_for(run).filter(line__in=lines).select_related("run").order_by("-pk")
        for row in sorted(found, key=lambda row: row.resolved_by_id is not None):
            known.setdefault(row.line, []).append(row)
        taken: list[Taken] = []
        for outcome in outcomes:
            candidates = known.get(outcome.line, [])
            held = candidates[0] if candidates else None
            if held is not None and held.resolved_by_id is None:
                candidates.pop(0)
                if isinstance(outcome, Row) and _untouched(held, outcome, given):
                    outcome = _same_again(held)
            taken.append((held, outcome))
        return _land(run, worker, taken, bytes_read)


def _lock(run: IngestionRun) -> None:
    """One writer a source: what is looked up stays as it is until the transaction commits."""
    list(Source.objects.select_for_update().filter(pk=run.source_id))


def _rows_for(run: IngestionRun) -> RejectedQuerySet:
    parent = run.parent
    if parent is None:
        return RejectedRow.objects.none()
    # Of earlier runs: what this one or a later one rejects anew is not taken up again at once.
    rows = RejectedRow.objects.of_run(parent).filter(run__lt=run.pk)
    return rows if run.selection is None else rows.filter(pk__in=run.selection)


def _same_again(held: RejectedRow) -> Reject:
    return Reject(held.line, bytes(held.raw), held.code, held.message, held.column)


def _untouched(held: RejectedRow, row: Row, given: Callable[[RejectedRow], dict[str, Any]]) -> bool:
    return held.is_unreadable and orjson.loads(row.data) == given(held)


def _land(run: IngestionRun, worker: str, taken: Sequence[Taken], bytes_read: int) -> Ledger:
    if not run.mapping.get("id"):
        taken = _with_free_keys(run, taken)
    newest = _newest(run)
    ledger = land(
        run=run,
        worker=worker,
        rows=[
            outcome if held is None else outcome._replace(raw=bytes(held.raw))
            for held, outcome in taken
            if isinstance(outcome, Row)
        ],
        rejects=[outcome for _, outcome in taken if isinstance(outcome, Reject)],
        bytes_read=bytes_read,
    )
    anew = list(run.rejected_rows.filter(pk__gt=newest))
    lines = {row.line for row in anew}
    _resolve(
        run,
        [
            # Landing may reject a row, too.
            (held.pk, outcome.id if isinstance(outcome, Row) and held.line not in lines else "")
            for held, outcome in taken
            if held is not None and held.resolved_by_id is None
        ],
    )
    _keep_repairs(anew, [held for held, _ in taken if held is not None and held.fixed])
    return ledger


def _newest(run: IngestionRun) -> int:
    newest = run.rejected_rows.order_by("-pk").values_list("pk", flat=True).first()
    return newest or 0


def _with_free_keys(run: IngestionRun, taken: Sequence[Taken]) -> list[Taken]:
    """Keys made of content, with the next numbers that no record has: a row that was held may be
    like one that was not. A row that has become a record before keeps that one's key."""
    used: dict[str, int] = {}
    freed: list[Taken] = []
    for held, outcome in taken:
        if isinstance(outcome, Row):
            stem = outcome.id.rpartition("-")[0]
            if held is not None and held.record_id:
                outcome = outcome._replace(id=held.record_id)
            else:
                if stem not in used:
                    used[stem] = _last_number(stem)
                used[stem] += 1
                outcome = outcome._replace(id=f"{stem}-{used[stem]}")
        freed.append((held, outcome))
    return freed


def _last_number(stem: str) -> int:
    """The greatest number that a record has whose key is made of this content."""
    # "." is the byte after "-".
    ids = DataRecord.objects.filter(id__gt=f"{stem}-", id__lt=f"{stem}.").values_list(
        "id", flat=True
    )
    return max((int(record_id.rpartition("-")[2]) for record_id in ids), default=0)


def _resolve(run: IngestionRun, rows: Sequence[tuple[int, str]]) -> None:
    """Rejected rows have been taken up by the run, and have become these records ("": none)."""
    wanted = (
        "SELECT CAST(value->>0 AS bigint) AS id, value->>1 AS record FROM json_array_elements(%s)"
        if bulk.is_postgresql()
        else "SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS record "
        "FROM json_each(%s)"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE rejected_rows SET resolved_by_id = %s, record_id = wanted.record "  # noqa: S608
            f"FROM ({wanted}) AS wanted WHERE rejected_rows.id = wanted.id",
            [run.pk, orjson.dumps(rows).decode()],
        )


def _keep_repairs(anew: Sequence[RejectedRow], repaired: Sequence[RejectedRow]) -> None:
    """Rows that were repaired and are rejected all the same keep what the person wrote."""
    texts = {row.line: row.fixed for row in repaired}
    changed = [row for row in anew if row.line in texts]
    for row in changed:
        row.fixed = texts[row.line]
    RejectedRow.objects.bulk_update(changed, ["fixed"], batch_size=500)


def fix_row(*, row: RejectedRow, text: str) -> None:
    """Write down how a person repaired a rejected row; a replay reads that."""
    RejectedRow.objects.filter(pk=row.pk).update(fixed=text)
