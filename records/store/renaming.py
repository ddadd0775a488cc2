"""Gives records other ids, in every table that refers to them."""

from collections.abc import Iterable, Mapping
from uuid import uuid4

import orjson
from django.db import connection
from django.db.models import F
from django.db.models.functions import Greatest

from records.database import bulk
from records.database.clock import now
from records.models import ProcessingBatch, ProcessingRun, Source
from records.store import column_log, text_index

# The columns that hold ids of records, and by which of its partial indexes each is searched. The
# keys of snapshots are not among them: they are gone when a run has ended.
REFERENCES = (
    ("data_records", "id", ""),
    ("processing_results", "record_id", " AND current"),
    ("processing_results", "record_id", " AND NOT current"),
    ("record_versions", "record_id", ""),
    ("record_closings", "record_id", ""),
    ("record_keys", "record_id", ""),
    ("rejected_rows", "record_id", " AND record_id <> ''"),
)


def spare_ids(ids: Iterable[str]) -> dict[str, str]:
    """For each of these ids, one of the same source that no record has."""
    return {record: f"{record.partition(':')[0]}:~{uuid4().hex}" for record in ids}


def rename(ids: Mapping[str, str]) -> None:
    """Give records their new ids, by their ids so far.

    A record may get the id that another one of them has so far: that one then goes by way of a
    spare id, as ids are unique at any moment.
    """
    if not ids:
        return
    clashing = spare_ids(record for record in ids.values() if record in ids)
    _rename(clashing)
    _rename({clashing.get(record, record): new for record, new in ids.items()})
    text_index.note([*ids, *ids.values()])
    column_log.note({*ids, *ids.values()})


def _rename(ids: Mapping[str, str]) -> None:
    if not ids:
        return
    pairs = orjson.dumps(list(ids.items())).decode()
    moves = (
        "SELECT value->>0 AS was, value->>1 AS becomes FROM json_array_elements(%s)"
        if bulk.is_postgresql()
        else "SELECT json_extract(value, '$[0]') AS was, json_extract(value, '$[1]') AS becomes "
        "FROM json_each(%s)"
    )
    with connection.cursor() as cursor:
        for table, column, condition in REFERENCES:
            cursor.execute(
                f"UPDATE {table} SET {column} = moves.becomes FROM ({moves}) AS moves "  # noqa: S608 (words of ours)
                f"WHERE {table}.{column} = moves.was{condition}",
                [pairs],
            )


def take_back_batches(source: Source) -> None:
    """Have the records that workers process at the moment read anew, by their new ids.

    Call it before records are renamed: no batch of the source is handed out until the transaction
    ends.
    """
    taken = ProcessingBatch.objects.filter(source=source.name).exclude(worker="")
    give_back = {"worker": "", "lease_until": now(), "attempts": Greatest(F("attempts") - 1, 0)}
    # First without the lock of the runs, for which workers wait that are just saving a batch.
    taken.update(**give_back)
    list(ProcessingRun.objects.covering(source).active().order_by("pk").select_for_update())
    taken.update(**give_back)
