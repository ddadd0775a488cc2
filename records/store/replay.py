"""Replay of rejected rows: each becomes a record, or is rejected again."""

import re
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence

import orjson
from django.db import connection, transaction

from records.changes import Change, tell
from records.database import bulk
from records.models import DataRecord, IngestionRun, RejectedRow, Source
from records.models.querysets import RecordQuerySet, RejectedQuerySet
from records.rows import Ledger, Reject, Row
from records.store.landing import land

# A rejected row, if it is known which, and what has become of it.
Taken = tuple[RejectedRow | None, Row | Reject]
# The cells of a row: the same for a rejected row as it was given out, and as it came back.
CellsOf = Callable[[RejectedRow | Row | Reject], Hashable]
# A repaired row, with the values that its rejected row had in the cells that nobody touched.
Restore = Callable[[RejectedRow, Row], Row | Reject]
# An id whose key is made of content: a digest and a number.
OF_CONTENT = re.compile(r"[^:]+:[0-9a-f]{24}-[0-9]+")


def replay_batch(
    *,
    run: IngestionRun,
    worker: str,
    read: Callable[[Sequence[RejectedRow]], Sequence[Row | Reject]],
    size: int,
) -> bool:
    """Replay the next ``size`` open rows of a replay, if any are left.

    ``read`` makes of each row what lands, or why it is rejected again. Rows that are taken up are
    open no more, so a replay that is repeated finds nothing left. Returns whether there were any.
    Raises LeaseLost if another worker holds the run.
    """
    with transaction.atomic():
        _lock(run)
        # How far the replay is may have been committed without an answer.
        run.refresh_from_db(fields=["read", "bytes_read"])
        held = list(_rows_for(run).open().order_by("pk").select_related("run")[:size])
        if held:
            taken: list[Taken] = list(zip(held, read(held), strict=True))
            done = run.bytes_read + sum(len(row.raw) for row in held)
            _land(run, worker, taken, run.read, min(done, run.size))
    return bool(held)


def land_repaired(
    *,
    run: IngestionRun,
    worker: str,
    rows: Sequence[Row],
    rejects: Sequence[Reject],
    position: int,
    bytes_read: int,
    cells_of: CellsOf,
    restore: Restore,
) -> Ledger:
    """Land a batch of a file in which the rejected rows of the run's parent have been repaired.

    A row belongs to a rejected row of its line. ``cells_of`` gives the cells of either: could the
    rejected row not be read, and has it come back as it was given out, it stays rejected. Else it
    lands as ``restore`` makes it. Raises LeaseLost if another worker holds the run.
    """
    with transaction.atomic():
        _lock(run)
        outcomes: list[Row | Reject] = [*rows, *rejects]
        taken: list[Taken] = []
        for held, outcome in zip(_whose(run, outcomes, cells_of), outcomes, strict=True):
            if held is None or isinstance(outcome, Reject):
                taken.append((held, outcome))
            elif _is_untouched(held, outcome, cells_of):
                taken.append((held, _same_again(held)))
            else:
                taken.append((held, restore(held, outcome)))
        return _land(run, worker, taken, position, bytes_read)


def _whose(
    run: IngestionRun, outcomes: Sequence[Row | Reject], cells_of: CellsOf
) -> list[RejectedRow | None]:
    """The rejected row that each of these rows of a repaired file is; None for one more row."""
    held = _rows_for(run).filter(line__in={outcome.line for outcome in outcomes})
    on_line: dict[int, list[RejectedRow]] = {}
    for row in held.select_related("run").order_by("pk"):
        on_line.setdefault(row.line, []).append(row)
    places: dict[int, list[int]] = {}
    for place, outcome in enumerate(outcomes):
        places.setdefault(outcome.line, []).append(place)
    found: list[RejectedRow | None] = [None] * len(outcomes)
    for line, its_places in places.items():
        its_rows = _pair([outcomes[place] for place in its_places], on_line.get(line, []), cells_of)
        for place, row in zip(its_places, its_rows, strict=True):
            found[place] = row
    return found


def _pair(
    outcomes: Sequence[Row | Reject], rows: Sequence[RejectedRow], cells_of: CellsOf
) -> list[RejectedRow | None]:
    """Who is who on one line: each rejected row, oldest first, is at most one of the outcomes.

    An open row that came back as it was is itself; the other open ones are in their order. What
    is left was loaded before: it is the record of the same key, else the latest.
    """
    found: list[RejectedRow | None] = [None] * len(outcomes)

    def match(
        rows: Sequence[RejectedRow],
        of_row: Callable[[RejectedRow], object],
        of_outcome: Callable[[Row | Reject], object],
    ) -> list[RejectedRow]:
        waiting: dict[object, list[RejectedRow]] = {}
        for row in reversed(rows):
            waiting.setdefault(of_row(row), []).append(row)
        for place, outcome in enumerate(outcomes):
            if found[place] is None and (alike := waiting.get(of_outcome(outcome))):
                found[place] = alike.pop()
        left = {row.pk for alike in waiting.values() for row in alike}
        return [row for row in rows if row.pk in left]

    is_open = [row for row in rows if row.resolved_by_id is None]
    if len(outcomes) > 1 and len(is_open) > 1:
        is_open = match(is_open, cells_of, cells_of)
    match(is_open, lambda row: None, lambda outcome: None)
    closed = [row for row in reversed(rows) if row.resolved_by_id is not None]
    closed = match(closed, lambda row: _stem(row.record_id), _stem_of)
    match(closed, lambda row: None, lambda outcome: None)
    return found


def _stem(record_id: str) -> str:
    """A key that is made of content, without its number."""
    return record_id.rpartition("-")[0]


def _stem_of(outcome: Row | Reject) -> str | None:
    return _stem(outcome.id) if isinstance(outcome, Row) else None


def _lock(run: IngestionRun) -> None:
    """One writer a source: what is looked up stays as it is until the transaction commits."""
    list(Source.objects.select_for_update().filter(pk=run.source_id))


def _rows_for(run: IngestionRun) -> RejectedQuerySet:
    parent = run.parent
    if parent is None:
        return RejectedRow.objects.none()
    # Of earlier runs: what this one or a later one rejects anew is not taken up again at once.
    rows = RejectedRow.objects.of_run(parent).filter(run__lt=run.pk)
    # A file may have repaired any of them.
    return rows if run.path else rows.chosen(run.selection)


def _same_again(held: RejectedRow) -> Reject:
    return Reject(held.line, bytes(held.raw), held.code, held.message, held.column)


def _is_untouched(held: RejectedRow, row: Row, cells_of: CellsOf) -> bool:
    return held.resolved_by_id is None and held.is_unreadable and cells_of(row) == cells_of(held)


def _land(
    run: IngestionRun, worker: str, taken: Sequence[Taken], position: int, bytes_read: int
) -> Ledger:
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
        position=position,
        bytes_read=bytes_read,
    )
    again = _rejected_again(taken, run.rejected_rows.filter(pk__gt=newest).order_by("pk"))
    _resolve(
        run,
        [
            (held.pk, outcome.id if isinstance(outcome, Row) and held.pk not in again else "")
            for held, outcome in taken
            if held is not None and held.resolved_by_id is None
        ],
    )
    _follow(again)
    return ledger


def _rejected_again(taken: Sequence[Taken], anew: Iterable[RejectedRow]) -> dict[int, int]:
    """Which rejected row came of which that was held, by their numbers.

    Landing keeps their order, and puts rows that it refuses itself behind the others.
    """
    waiting = iter(anew)
    again: dict[int, int] = {}
    for held, outcome in taken:
        if isinstance(outcome, Reject):
            row = next(waiting)
            if held is not None:
                again[held.pk] = row.pk
    refused: dict[tuple[int, bytes], list[int]] = {}
    for row in waiting:
        refused.setdefault((row.line, bytes(row.raw)), []).append(row.pk)
    for held, outcome in taken:
        if held is not None and isinstance(outcome, Row):
            alike = refused.get((held.line, bytes(held.raw)))
            if alike:
                again[held.pk] = alike.pop()
    return again


def _newest(run: IngestionRun) -> int:
    newest = run.rejected_rows.order_by("-pk").values_list("pk", flat=True).first()
    return newest or 0


def _with_free_keys(run: IngestionRun, taken: Sequence[Taken]) -> list[Taken]:
    """Keys made of content, with the next numbers that no record has: a row that was held may be
    like one that was not. A row that has become a record before keeps that one's key."""
    used: dict[str, int] = {}
    kept: set[str] = set()
    freed: list[Taken] = []
    for held, outcome in taken:
        # Events may have an ID of their own instead.
        if isinstance(outcome, Row) and OF_CONTENT.fullmatch(outcome.id):
            stem = _stem(outcome.id)
            key = held.record_id if held is not None else ""
            if not key and (held is None or held.resolved_by_id is not None):
                key = _key_of_line(run, stem, outcome.line, kept)
            if not key:
                if stem not in used:
                    used[stem] = _last_number(stem)
                used[stem] += 1
                key = f"{stem}-{used[stem]}"
            kept.add(key)
            outcome = outcome._replace(id=key)
        freed.append((held, outcome))
    return freed


def _key_of_line(run: IngestionRun, stem: str, line: int, kept: Collection[str]) -> str:
    """The key of a record of this content that came of this line before: one of the parts into
    which a person has split it; "" where there is none but those ``kept`` by other rows."""
    before = _with_stem(stem).filter(line=line, run__parent=run.parent_id).exclude(id__in=kept)
    return before.order_by("id").values_list("id", flat=True).first() or ""


def _with_stem(stem: str) -> RecordQuerySet:
    # "." is the byte after "-".
    return DataRecord.objects.filter(id__gt=f"{stem}-", id__lt=f"{stem}.")


def _last_number(stem: str) -> int:
    """The highest number that a record has whose key is made of this content."""
    ids = _with_stem(stem).values_list("id", flat=True)
    return max((int(record_id.rpartition("-")[2]) for record_id in ids), default=0)


def _resolve(run: IngestionRun, rows: Sequence[tuple[int, str]]) -> None:
    """Rejected rows have been replayed by the run, and have become these records ("": none)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE rejected_rows SET resolved_by_id = %s, record_id = wanted.second "  # noqa: S608
            f"FROM ({_pairs('bigint', 'text')}) AS wanted WHERE rejected_rows.id = wanted.first",
            [run.pk, orjson.dumps(rows).decode()],
        )


def _follow(again: Mapping[int, int]) -> None:
    """Rows that were rejected again know which they were, and keep what a person wrote."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE rejected_rows SET former_id = was.id, fixed = was.fixed "  # noqa: S608
            f"FROM ({_pairs('bigint', 'bigint')}) AS wanted "
            "JOIN rejected_rows AS was ON was.id = wanted.first "
            "WHERE rejected_rows.id = wanted.second",
            [orjson.dumps(list(again.items())).decode()],
        )


def _pairs(first: str, second: str) -> str:
    """A list of pairs, as JSON, as a table of these types."""
    if bulk.is_postgresql():
        return (
            f"SELECT CAST(value->>0 AS {first}) AS first, "  # noqa: S608
            f"CAST(value->>1 AS {second}) AS second "
            "FROM json_array_elements(%s)"
        )
    return (
        "SELECT json_extract(value, '$[0]') AS first, json_extract(value, '$[1]') AS second "
        "FROM json_each(%s)"
    )


def fix_row(*, row: RejectedRow, text: str) -> None:
    """Write down how a person repaired a rejected row; a replay reads that."""
    with transaction.atomic():
        RejectedRow.objects.filter(pk=row.pk).update(fixed=text)
        tell(
            Change(
                action="rejected_row.repaired",
                kind="rejected row",
                object_id=row.pk,
                label=f"line {row.line} of run {row.run_id}",
                source=row.run.source.name,
                before={"text": row.fixed or row.text},
                after={"text": text},
            )
        )
