"""Gives the records of a source the key that other columns make, and takes it back."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from records.database import bulk
from records.errors import LeaseLost
from records.jobs.leases import finish, lease_end
from records.models import (
    DataRecord,
    IngestionRun,
    RecordKey,
    Rekey,
    RunState,
    Source,
    Undo,
)
from records.store.renaming import rename, spare_ids, take_back_batches

if TYPE_CHECKING:
    from django.db.models import QuerySet

# The ids that rows make by their key columns; None for one without a usable key.
IdsOf = Callable[[Sequence[Mapping[str, Any]]], Sequence[str | None]]

# How many records one transaction renames.
BATCH = 5_000
# How many ids of kept records an undo names.
NAMED_KEPT = 1_000


@dataclass(slots=True)
class _Plan:
    """What is to become of records, by their ids so far."""

    moves: dict[str, str] = field(default_factory=dict)
    # Records that make room, and the ids that they get when they come up; until then, ``spare``.
    aside: dict[str, str] = field(default_factory=dict)
    spare: dict[str, str] = field(default_factory=dict)
    # Records whose new id is taken by one that does not make room.
    kept: list[str] = field(default_factory=list)


def rekey_batch(*, run: IngestionRun, worker: str, ids_of: IdsOf, size: int = BATCH) -> bool:
    """Give the next ``size`` records of the source the ids that ``ids_of`` makes of their data.

    If a new id belongs to a record that comes later, that one makes room and waits until the end.
    A record whose new id is taken for good, since something changed after the check, keeps its own.
    Returns whether records are left. Raises LeaseLost if another worker holds the run.
    """
    source = run.source
    with transaction.atomic():
        _hold(source)
        cursor = Rekey.objects.values_list("cursor", flat=True).get(pk=run.pk)
        # Behind all its records (";" is the byte after ":").
        end = f"{source.name};"
        waiting = RecordKey.objects.filter(run=run, is_waiting=True)
        if cursor < end:
            ahead = DataRecord.objects.of_source(source.name).after(cursor).order_by("id")
            rows = list(ahead.texts()[:size])
            found = _to_rename(run, rows, ids_of)
            cursor = rows[-1][0] if len(rows) == size else end
            plan = _plan(found, lambda ids: _leaving(ids, ids_of))
            _rename(plan)
            _write_down(run, plan.moves, plan.moves, is_waiting=False)
        else:
            found = dict(waiting.order_by("pk").values_list("record_id", "new_id")[:size])
            plan = _plan(found, lambda ids: _leaving(ids, ids_of))
            _rename(plan)
            arrived = [*plan.moves.values(), *plan.kept]
            waiting.filter(record_id__in=arrived).update(is_waiting=False)
        _write_down(run, plan.spare, plan.aside, is_waiting=True)
        Rekey.objects.filter(pk=run.pk).update(cursor=cursor, kept=F("kept") + len(plan.kept))
        renewed = run.held_by(worker).update(
            rekeyed=F("rekeyed") + len(plan.moves),
            lease_until=lease_end(),
            attempts=1,
            pauses=0,
        )
        if not renewed:
            raise LeaseLost(run)
        return cursor < end or waiting.exists()


def finish_rekey(*, run: IngestionRun, worker: str, notes: Sequence[str]) -> None:
    """The records have the new key: further inputs of the source are read by it, too.

    Raises LeaseLost if another worker holds the run.
    """
    with transaction.atomic():
        finish(run, worker, notes=list(notes))
        source = Source.objects.get(pk=run.source_id)
        Rekey.objects.filter(pk=run.pk).update(former_mapping=source.mapping)
        _set_mapping(source, _mapping_of(run, source.mapping))


def restore_ids_batch(*, undo: Undo, worker: str, size: int = BATCH) -> bool:
    """Give the next ``size`` records that the run of an undo has renamed their former ids back.

    A record that a later run has renamed again keeps its id, and so does one whose former id
    another record has: they are counted and named as kept. Returns whether records are left.
    Raises LeaseLost if another worker holds the undo.
    """
    run = undo.run
    with transaction.atomic():
        _hold(run.source)
        cursor, named = Undo.objects.values_list("cursor", "kept_ids").get(pk=undo.pk)
        if not cursor:
            _mark_kept(run)
        keys = RecordKey.objects.standing().filter(run=run, pk__gt=int(cursor or 0))
        batch = list(keys.order_by("pk").values_list("pk", "record_id")[:size])
        former, kept = _former_ids(run, dict(batch))
        plan = _plan(former, lambda ids: _returning(run, ids))
        _rename(plan)
        RecordKey.objects.standing().filter(run=run, record_id__in=plan.moves.values()).update(
            undone_at=timezone.now()
        )
        kept += plan.kept
        renewed = Undo.objects.filter(pk=undo.pk, worker=worker, state=RunState.RUNNING).update(
            cursor=str(batch[-1][0]) if batch else cursor,
            restored=F("restored") + len(plan.moves),
            kept=F("kept") + len(kept),
            kept_ids=[*named, *kept][:NAMED_KEPT],
            lease_until=lease_end(),
            attempts=1,
            pauses=0,
        )
        if not renewed:
            raise LeaseLost(undo)
    return len(batch) == size


def restore_mapping(run: IngestionRun) -> None:
    """The source of a run that has been undone gets its former key back, unless it has yet
    another one."""
    former = Rekey.objects.values_list("former_mapping", flat=True).get(pk=run.pk)
    if former is None:
        return
    later = Rekey.objects.filter(run__source=run.source_id, pk__gt=run.pk)
    later = later.exclude(former_mapping=None).exclude(run__state=RunState.UNDONE)
    heir = later.order_by("pk").first()
    if heir is not None:
        Rekey.objects.filter(pk=heir.pk).update(former_mapping=former)
        return
    source = Source.objects.get(pk=run.source_id)
    if source.mapping == _mapping_of(run, former):
        _set_mapping(source, former)
    elif source.mapping.get("id") == run.mapping["id"]:
        _set_mapping(source, {**source.mapping, "id": former.get("id") or []})


def _hold(source: Source) -> None:
    """No run lands in the source, and no worker processes its records, until all is done."""
    list(Source.objects.select_for_update().filter(pk=source.pk))
    take_back_batches(source)


def _mapping_of(run: IngestionRun, former: Mapping[str, Any]) -> dict[str, Any]:
    return {**run.mapping, **former, "id": run.mapping["id"]}


def _set_mapping(source: Source, mapping: Mapping[str, Any]) -> None:
    Source.objects.filter(pk=source.pk).update(mapping=mapping)


def _to_rename(run: IngestionRun, rows: Sequence[tuple[str, str]], ids_of: IdsOf) -> dict[str, str]:
    """The new ids of those of the records that are to get one, by their ids so far.

    A record that can't have one is among them, with the id that it has.
    """
    # Records that were renamed come up again if their new id is a later one.
    ids = [record_id for record_id, _ in rows]
    before = RecordKey.objects.filter(run=run, record_id__in=ids)
    done = set(before.values_list("record_id", flat=True))
    left = [(record_id, orjson.loads(text)) for record_id, text in rows if record_id not in done]
    new_ids = ids_of([data for _, data in left])
    return {
        record_id: new or record_id
        for (record_id, _), new in zip(left, new_ids, strict=True)
        if new != record_id
    }


def _leaving(ids: Collection[str], ids_of: IdsOf) -> dict[str, str]:
    """Those of the records that have yet to be renamed, with their new ids."""
    rows = DataRecord.objects.with_ids(ids).texts()
    records = [(record_id, orjson.loads(text)) for record_id, text in rows]
    new_ids = ids_of([data for _, data in records])
    return {
        record_id: new
        for (record_id, _), new in zip(records, new_ids, strict=True)
        if new is not None and new != record_id
    }


def _mark_kept(run: IngestionRun) -> None:
    """Mark the renamed records whose former id another record has, which keeps it; and those whose
    former id one of these has, and so on."""
    RecordKey.objects.filter(run=run, is_kept=True).update(is_kept=False)
    mine = RecordKey.objects.standing().filter(run=run)
    returning = mine.filter(~Exists(_later_keys()), record_id=OuterRef("former_id"))
    taken = DataRecord.objects.filter(pk=OuterRef("former_id"))
    kept = mine.filter(Exists(taken), ~Exists(returning))
    RecordKey.objects.filter(pk__in=kept.values("pk")).update(is_kept=True)
    holding = mine.filter(is_kept=True).values("record_id")
    while mine.filter(is_kept=False, former_id__in=holding).update(is_kept=True):
        pass


def _later_keys() -> "QuerySet[RecordKey]":
    """The keys that the record of a key got later."""
    found: QuerySet[RecordKey] = RecordKey.objects.standing().filter(
        record_id=OuterRef("record_id"), pk__gt=OuterRef("pk")
    )
    return found


def _former_ids(run: IngestionRun, batch: Mapping[int, str]) -> tuple[dict[str, str], list[str]]:
    """The former ids of those of the records that get theirs back, and the other records.

    What a later run has renamed has its former id from before this run, from now on.
    """
    keys: dict[str, list[RecordKey]] = {}
    for key in RecordKey.objects.standing().filter(record_id__in=batch.values()).order_by("pk"):
        keys.setdefault(key.record_id, []).append(key)
    former: dict[str, str] = {}
    kept: list[str] = []
    for pk, record_id in batch.items():
        of_record = keys[record_id]
        place = next(number for number, key in enumerate(of_record) if key.pk == pk)
        key = of_record.pop(place)
        if key.is_kept:
            kept.append(record_id)
        elif place == len(of_record):
            former[record_id] = key.former_id
        else:
            heir = of_record[place]
            heir.former_id = key.former_id
            RecordKey.objects.filter(pk=heir.pk).update(former_id=heir.former_id)
            RecordKey.objects.filter(pk=pk).update(undone_at=timezone.now())
            kept.append(record_id)
    return former, kept


def _returning(run: IngestionRun, ids: Collection[str]) -> dict[str, str]:
    """Those of the records that have yet to get their former ids back, with these."""
    keys = RecordKey.objects.standing().filter(run=run, record_id__in=ids, is_kept=False)
    found = keys.filter(~Exists(_later_keys())).values_list("record_id", "former_id")
    return dict(found)


def _plan(found: Mapping[str, str], leaving: Callable[[Collection[str]], dict[str, str]]) -> _Plan:
    """What is to become of records that are to have these ids, by their ids so far.

    ``leaving`` tells which of other records get other ids, too, and which.
    """
    plan = _Plan()
    wanting: dict[str, str] = {}
    for record_id, new in found.items():
        if new == record_id or new in wanting:
            plan.kept.append(record_id)
        else:
            plan.moves[record_id] = new
            wanting[new] = record_id
    holders = set(DataRecord.objects.with_ids(wanting).values_list("pk", flat=True))
    others = holders - plan.moves.keys()
    if others:
        plan.aside = leaving(others.difference(plan.kept))
        plan.spare = spare_ids(plan.aside)
        staying = others - plan.aside.keys()
        # A record that stays keeps the one that wants its id, and so on.
        while staying:
            record_id = wanting.get(staying.pop(), "")
            if plan.moves.pop(record_id, None):
                plan.kept.append(record_id)
                staying.add(record_id)
    return plan


def _rename(plan: _Plan) -> None:
    # First those that make room.
    rename(plan.spare)
    rename(plan.moves)


def _write_down(
    run: IngestionRun, now_ids: Mapping[str, str], new_ids: Mapping[str, str], *, is_waiting: bool
) -> None:
    """Keep which ids records had before; ``now_ids`` are those that they have, by these."""
    if not now_ids:
        return
    bulk.insert(
        "record_keys",
        {
            "record_id": list(now_ids.values()),
            "former_id": list(now_ids),
            "new_id": [new_ids[was] for was in now_ids],
        },
        {
            "run_id": run.pk,
            "at": bulk.sql_time(timezone.now()),
            "is_waiting": is_waiting,
            "is_kept": False,
        },
    )
