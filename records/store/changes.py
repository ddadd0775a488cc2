"""Changes by hand: edits, requeueing and deletion of records."""

import json
from collections.abc import Collection
from typing import Any

import orjson
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from records.changes import Change, tell
from records.errors import InvalidData, RecordNotFound
from records.models import DataRecord, RecordVersion
from records.store.counters import CountChanges
from records.store.history import counted_as, remove, retire_results, supersede

Status = DataRecord.Status


def edit_record(*, record_id: str, data: dict[str, Any], user: User | None) -> DataRecord:
    """Replace the data of a record; the former data becomes a version and it is raw again.

    Data that is the same leaves everything as it is. Raises RecordNotFound, and InvalidData for
    data that is no object of cells or that a database can't hold.
    """
    check_data(data)
    now = timezone.now()
    with transaction.atomic():
        found = DataRecord.objects.select_for_update().filter(pk=record_id)
        record: DataRecord | None = found.first()
        if record is None:
            raise RecordNotFound(record_id)
        if _canonical(record.data) == _canonical(data):
            return record
        counts = CountChanges()
        supersede(
            [record_id],
            now,
            reason=RecordVersion.Reason.EDIT,
            run=None,
            user=user,
            counts=counts,
        )
        is_closed = record.closed_by_id is not None
        counts.move(
            record.source_id,
            record.timestamp,
            counted_as(record.status, is_closed=is_closed),
            counted_as(Status.RAW, is_closed=is_closed),
        )
        before, record.data = record.data, data
        record.status = Status.RAW
        record.processed_at = None
        record.version += 1
        record.save(update_fields=["data", "status", "processed_at", "version"])
        counts.apply()
        tell(
            Change(
                action="record.edited",
                kind="record",
                object_id=record_id,
                source=record_id.partition(":")[0],
                before={"data": before, "version": record.version - 1},
                after={"data": data, "version": record.version},
            )
        )
    return record


def _canonical(data: dict[str, Any]) -> bytes:
    """Data as text that tells true from 1 from 1.0, which Python takes for equal."""
    return orjson.dumps(data, option=orjson.OPT_SORT_KEYS)


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
        DataRecord.objects.with_ids(found).update(status=Status.RAW, processed_at=None)
        for record in records:
            counts.move(record.source_id, record.timestamp, record.status, Status.RAW)
        counts.apply()
        _tell_of("records.reprocessed", found)
    return len(found)


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


def _tell_of(action: str, ids: list[str]) -> None:
    """Report what was done to records, if there were any: their ids, but not what they hold."""
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
            before=None if is_one else {"ids": ids},
        )
    )
