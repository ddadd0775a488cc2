"""Reads batches of records for processing, in one piece, which is faster than row by row."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from records.database import bulk
from records.json_text import parsed
from records.models import ProcessingBatch
from records.models.querysets import SELECTED
from records.no_day import NO_DAY
from records.rows import FormerOutcome, RawRecord

# Each record as a JSON array. One text for a whole batch is one step of the database and one of
# the parser, in which Python's other threads may go on.
_POSTGRESQL_ROWS = f"""
    string_agg('[' || to_json(id)::text || ',' || version || ',"'
    || coalesce(timestamp::date::text, '{NO_DAY}') || '","' || status || '",' || data::text
    || ']', ',')"""
_SQLITE_ROWS = f"""
    group_concat('[' || json_quote(id) || ',' || version || ',"'
    || coalesce(substr(timestamp, 1, 10), '{NO_DAY}') || '","' || status || '",' || data
    || ']', ',')"""
# The current result of each record, in the order of FormerOutcome. SQLite would cut digits off.
_POSTGRESQL_RESULTS = """
    string_agg(json_build_array(record_id, json_build_array(success, error_message, value, category,
    repaired, anomaly), processed_data, errors, repairs)::text, ',')"""
_SQLITE_RESULTS = """
    group_concat('[' || json_quote(record_id) || ',' || json_array(success, error_message,
    CASE WHEN value IS NOT NULL THEN json(printf('%%!.17g', value)) END,
    category, repaired, anomaly) || ',' || coalesce(processed_data, 'null') || ',' || errors || ','
    || repairs || ']', ',')"""


def fingerprint(key: str, mark: str, condition: str = "TRUE") -> str:
    """The SQL that tells rows from others by their keys, each with a mark: a whole number.

    PostgreSQL adds up hashes, as the rows that an UPDATE returns are in no order; SQLite needs the
    rows in the order of their keys.
    """
    total = (
        f"sum(hashtextextended({key}, {mark}))"
        if bulk.is_postgresql()
        else f"group_concat({mark} || json_quote({key}))"
    )
    only = f"FILTER (WHERE {condition})"
    nothing = "0" if bulk.is_postgresql() else "''"
    return f"count(*) {only} || ' ' || coalesce({total} {only}, {nothing})"


# Records are told by their versions, and their current results by success, which is the status.
OF_RECORDS = ("id", "version")
OF_RESULTS = ("record_id", "CASE WHEN success THEN 1 ELSE 0 END")
OF_STATUSES = ("id", "CASE WHEN status = 'processed' THEN 1 ELSE 0 END", "status <> 'raw'")


@dataclass(frozen=True, slots=True)
class Reading:
    """The current records of a batch, in the order of their ids.

    The other columns have an entry for each; a day is the one under which it is counted. By the
    fingerprints it is found out, when results are saved, whether these are still the same records
    in the same versions, with the same current results.
    """

    records: Sequence[RawRecord] = ()
    ids: Sequence[str] = ()
    versions: Sequence[int] = ()
    days: Sequence[str] = ()
    statuses: Sequence[str] = ()
    of_records: str = ""
    of_results: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """What was read, as the database gave it; to be made a Reading by any thread."""

    rows: str
    of_records: str
    of_results: str

    def reading(self) -> Reading:
        if not self.rows:
            return Reading()
        ids, versions, days, statuses, data = zip(*parsed(f"[{self.rows}]"), strict=True)
        records = list(map(RawRecord, ids, versions, data))
        return Reading(records, ids, versions, days, statuses, self.of_records, self.of_results)


def selected(selection: str) -> str:
    """The SQL condition for the records that a run of this selection processes."""
    statuses, is_open = SELECTED[selection], "closed_by_id IS NULL"
    if statuses is None:
        return is_open
    return f"status IN ({', '.join(repr(status) for status in statuses)}) AND {is_open}"


def read(batch: ProcessingBatch) -> Text:
    """What a batch holds; no more records than it did when it was handed out."""
    rows = _POSTGRESQL_ROWS if bulk.is_postgresql() else _SQLITE_ROWS
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {rows}, {fingerprint(*OF_RECORDS)}, {fingerprint(*OF_STATUSES)} FROM ("  # noqa: S608 (words of ours)
            "SELECT id, version, timestamp, status, data FROM data_records "
            f"WHERE id BETWEEN %s AND %s AND {selected(batch.run.selection)} "
            "ORDER BY id LIMIT %s) AS found",
            [batch.first, batch.last, batch.records],
        )
        text, of_records, of_results = cursor.fetchone()
    return Text(text or "", of_records, of_results)


@dataclass(frozen=True, slots=True)
class FormerText:
    """Current results as the database gave them."""

    rows: str

    def outcomes(self) -> dict[str, FormerOutcome]:
        """What they say, by the ids of their records."""
        found = map(FormerOutcome._make, parsed(f"[{self.rows}]"))
        return {former.record_id: former for former in found}


def read_results(batch: ProcessingBatch) -> FormerText:
    """The current results of the records of a batch."""
    rows = _POSTGRESQL_RESULTS if bulk.is_postgresql() else _SQLITE_RESULTS
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {rows} FROM processing_results WHERE current "  # noqa: S608 (words of ours)
            "AND record_id BETWEEN %s AND %s",
            [batch.first, batch.last],
        )
        (text,) = cursor.fetchone()
    return FormerText(text or "")
