"""Batches of records, read for processing: in one piece, which is quicker than row by row."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from records import bulk
from records.json_text import parsed
from records.models import ProcessingBatch
from records.querysets import SELECTED
from records.rows import RawRecord

# Each record as a JSON array. One text for a whole batch is one step of the database and one of
# the parser, in which Python's other threads may go on.
_POSTGRESQL_ROWS = """
    string_agg('[' || to_json(id)::text || ',' || version || ',"'
    || coalesce(timestamp::date::text, '0001-01-01') || '","' || status || '",' || data::text
    || ']', ',')"""
_SQLITE_ROWS = """
    group_concat('[' || json_quote(id) || ',' || version || ',"'
    || coalesce(substr(timestamp, 1, 10), '0001-01-01') || '","' || status || '",' || data
    || ']', ',')"""
# What tells records, versions and statuses from others. PostgreSQL adds up hashes, as rows that
# an UPDATE returns are in no order.
_POSTGRESQL_FINGERPRINT = (
    "count(*) || ' ' || coalesce(sum(hashtextextended(status || id, version)), 0)"
)
_SQLITE_FINGERPRINT = (
    "count(*) || ' ' || coalesce(group_concat(version || status || json_quote(id)), '')"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """The records of a batch as they stand, in the order of their ids.

    The other columns have an entry for each; a day is the one under which it is counted. By the
    ``fingerprint`` it is found out, when results are saved, whether these are still the same
    records in the same versions.
    """

    records: Sequence[RawRecord] = ()
    ids: Sequence[str] = ()
    versions: Sequence[int] = ()
    days: Sequence[str] = ()
    statuses: Sequence[str] = ()
    fingerprint: str = ""
    # How much text they are.
    characters: int = 0


def fingerprint() -> str:
    """The SQL that tells rows with id, version and status, in this order on SQLite, from others."""
    return _POSTGRESQL_FINGERPRINT if bulk.is_postgresql() else _SQLITE_FINGERPRINT


def selected(selection: str) -> str:
    """The SQL of which records a run of this selection takes up."""
    statuses = SELECTED[selection]
    if statuses is None:
        return "TRUE"
    return f"status IN ({', '.join(repr(status) for status in statuses)})"


def read(batch: ProcessingBatch) -> Reading:
    """What a batch holds; no more records than it did when it was handed out."""
    rows = _POSTGRESQL_ROWS if bulk.is_postgresql() else _SQLITE_ROWS
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {rows}, {fingerprint()} FROM ("  # noqa: S608 (words of ours)
            "SELECT id, version, timestamp, status, data FROM data_records "
            f"WHERE id BETWEEN %s AND %s AND {selected(batch.run.selection)} "
            "ORDER BY id LIMIT %s) AS found",
            [batch.first, batch.last, batch.records],
        )
        text, mark = cursor.fetchone()
    if not text:
        return Reading()
    ids, versions, days, statuses, data = zip(*parsed(f"[{text}]"), strict=True)
    records = list(map(RawRecord, ids, versions, data))
    return Reading(records, ids, versions, days, statuses, mark, len(text))
