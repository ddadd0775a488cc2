"""Changes by hand: edits, requeueing and deletion of records."""

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any

import orjson
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from records.changes import Change, tell
from records.errors import InvalidData, RecordChanged, RecordNotFound
from records.models import DataRecord, RecordVersion
from records.store import column_log
from records.store.counters import CountChanges
from records.store.history import counted_as, remove, retire_results, supersede

Status = DataRecord.Status
# How many records one statement edits; SQLite takes 32,766 parameters, and few of them quickly.
EDITED_AT_ONCE = 100


def edit_record(
    *,
    record_id: str,
    data: dict[str, Any],
    user: User | None,
    is_seen: Callable[[DataRecord], bool] | None = None,
    keeps_others: bool = False,
) -> DataRecord:
    """Replace the data of a record; the former data becomes a version and it is raw again.

    Data that is the same leaves everything as it is. If ``keeps_others``, the cells that ``data``
    lacks stay. ``is_seen`` tells of the locked record whether it is still what the user has seen,
    if that matters. Raises RecordNotFound, RecordChanged, and InvalidData for data that is no
    object of cells or that a database can't hold.
    """
    check_data(data)
    with transaction.atomic():
        record = _held(record_id, is_seen)
        _edit([record], data, user=user, keeps_others=keeps_others)
    return record


def edit_records(*, ids: Collection[str], cells: dict[str, Any], user: User | None) -> int:
    """Set cells of records, as ``edit_record`` does; returns how many were changed by that.

    Raises InvalidData.
    """
    check_data(cells)
    with transaction.atomic():
        records = list(DataRecord.objects.with_ids(ids).order_by("id").select_for_update())
        return _edit(records, cells, user=user, keeps_others=True)


def _held(record_id: str, is_seen: Callable[[DataRecord], bool] | None) -> DataRecord:
    """The record, locked. Raises RecordNotFound and RecordChanged."""
    record: DataRecord | None = DataRecord.objects.select_for_update().filter(pk=record_id).first()
    if record is None:
        raise RecordNotFound(record_id)
    if is_seen is not None and not is_seen(record):
        raise RecordChanged(record_id, record.version)
    return record


def _edit(
    records: Sequence[DataRecord], data: dict[str, Any], *, user: User | None, keeps_others: bool
) -> int:
    """Give locked records this data, or these cells; returns how many were changed by that."""
    wanted = {each.id: {**each.data, **data} if keeps_others else data for each in records}
    changed = [each for each in records if _canonical(each.data) != _canonical(wanted[each.id])]
    if not changed:
        return 0
    counts = CountChanges()
    supersede(
        [record.id for record in changed],
        timezone.now(),
        reason=RecordVersion.Reason.EDIT,
        run=None,
        user=user,
        counts=counts,
    )
    before = {"data": changed[0].data, "version": changed[0].version}
    for record in changed:
        is_closed = record.closed_by_id is not None
        counts.move(
            record.source_id,
            record.timestamp,
            counted_as(record.status, is_closed=is_closed),
            counted_as(Status.RAW, is_closed=is_closed),
        )
        record.data = wanted[record.id]
        record.status = Status.RAW
        record.processed_at = None
        record.version += 1
    fields = ["data", "status", "processed_at", "version"]
    DataRecord.objects.bulk_update(changed, fields, batch_size=EDITED_AT_ONCE)
    counts.apply()
    ids = [record.id for record in changed]
    if len(ids) == 1:
        after = {"data": changed[0].data, "version": changed[0].version}
        _tell_of("record.edited", ids, before=before, after=after)
    else:
        _tell_of("records.edited", ids, after={"data": data})
    return len(changed)


def _canonical(data: dict[str, Any]) -> str:
    """Data as text that tells true from 1 from 1.0, which Python takes for equal.

    PostgreSQL gives 1e20 back as a whole number, which orjson would not write.
    """
    return json.dumps(data, sort_keys=True)


def check_data(data: object) -> None:
    """Raise InvalidData, with a sentence, for what a record can't hold as its data."""
    if not isinstance(data, dict):
        raise InvalidData("The data of a record is a JSON object of its cells.")
    try:
        text = orjson.dumps(data)
        # What is no finite number, orjson writes as null.
        json.dumps(data, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidData(f"This data can't be stored: {error}.") from error
    if b"\\u0000" in text and _has_nul(data):
        raise InvalidData("The data holds a NUL character, which the database can't store.")


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_has_nul(key) or _has_nul(item) for key, item in value.items())
    if isinstance(value, list):
        return any(map(_has_nul, value))
    return False


def requeue_records(*, ids: Collection[str]) -> int:
    """Make records raw again, so that they are processed anew; returns how many were not raw.

    Closed records stay as they are.
    """
    with transaction.atomic():
        records = list(
            DataRecord.objects.with_ids(ids)
            .open()
            .exclude(status=Status.RAW)
            .order_by("id")
            .select_for_update()
            .only("id", "source_id", "timestamp", "status")
        )
        found = [record.id for record in records]
        counts = CountChanges()
        retire_results(found, counts)
        column_log.note(found)
        DataRecord.objects.with_ids(found).update(status=Status.RAW, processed_at=None)
        for record in records:
            counts.move(record.source_id, record.timestamp, record.status, Status.RAW)
        counts.apply()
        _tell_of("records.reprocessed", found)
    return len(found)


def delete_record(*, record_id: str, is_seen: Callable[[DataRecord], bool] | None = None) -> None:
    """Delete a record with its results and versions. ``is_seen`` as for ``edit_record``.

    Raises RecordNotFound and RecordChanged.
    """
    with transaction.atomic():
        _held(record_id, is_seen)
        delete_records(ids=[record_id])


def delete_records(*, ids: Collection[str]) -> int:
    """Delete records with their results and versions; returns how many there were."""
    with transaction.atomic():
        records = list(
            DataRecord.objects.with_ids(ids)
            .order_by("id")
            .select_for_update()
            .only("id", "source_id", "timestamp", "status", "closed_by_id")
        )
        counts = CountChanges()
        remove([record.id for record in records], counts)
        for record in records:
            status = counted_as(record.status, is_closed=record.closed_by_id is not None)
            counts.add(record.source_id, record.timestamp, status, -1)
        counts.apply()
        _tell_of("records.deleted", [record.id for record in records])
    return len(records)


def _tell_of(
    action: str,
    ids: list[str],
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Report what was done to records, if there were any; of several, their ids are reported."""
    if not ids:
        return
    sources = {record_id.partition(":")[0] for record_id in ids}
    is_one = len(ids) == 1
    tell(
        Change(
            action=action,
            kind="record" if is_one else "records",
            object_id=ids[0] if is_one else "",
            label="" if is_one else f"{len(ids)} records",
            source=sources.pop() if len(sources) == 1 else "",
            before=before if is_one else {"ids": ids},
            after=after,
        )
    )
