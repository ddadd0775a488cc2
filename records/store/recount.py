"""The counters of records against the records themselves."""

from dataclasses import dataclass
from datetime import date

from django.db import connection, transaction

from records.database import bulk
from records.models.querysets import CLOSED
from records.no_day import NO_DAY
from records.store.counters import CountChanges

# Any number, the same for all: two repairs at once would both add what is missing.
LOCK = 20_260_301


@dataclass(frozen=True, slots=True)
class WrongCount:
    """A counter that says something else than its records do."""

    source: str
    day: date
    status: str
    stored: int
    counted: int


def check_counts(*, repair: bool = False) -> list[WrongCount]:
    """Compare every counter with a full count; with ``repair`` set those right that are wrong.

    Counters and records are read in one statement and so at one moment. What is wrong is added,
    not overwritten: whoever changes records meanwhile changes their counters by as much.
    """
    with transaction.atomic():
        if bulk.is_postgresql():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        wrong, wrong_values = _wrong_counts(), _wrong_values()
        if repair:
            changes = CountChanges()
            for item in wrong:
                changes.add_day(item.source, item.day, item.status, item.counted - item.stored)
            for item in wrong_values:
                more = {"filled": 0, "unread": 0, item.status: item.counted - item.stored}
                changes.add_values(item.source, **more)
            changes.apply()
    return [*wrong, *wrong_values]


def _wrong_values() -> list[WrongCount]:
    """The wrong counts of values: "filled" and "unread" stand for a status."""
    source = (
        "split_part(record_id, ':', 1)"
        if bulk.is_postgresql()
        else "substr(record_id, 1, instr(record_id, ':') - 1)"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT source, SUM(filled), SUM(has_value), SUM(unread), SUM(is_unread) FROM ("  # noqa: S608 (no values)
            "SELECT source, filled, unread, 0 AS has_value, 0 AS is_unread FROM value_counts "
            f"UNION ALL SELECT {source}, 0, 0, COUNT(*), COUNT(*) FILTER (WHERE unread) "
            "FROM processing_results WHERE current AND (value IS NOT NULL OR unread) GROUP BY 1"
            ") AS counts GROUP BY 1 ORDER BY 1"
        )
        rows = cursor.fetchall()
    compared = [
        (name, status, int(stored), int(counted))
        for name, *filled, unread, is_unread in rows
        for status, stored, counted in [("filled", *filled), ("unread", unread, is_unread)]
    ]
    return [
        WrongCount(name, NO_DAY, status, stored, counted)
        for name, status, stored, counted in compared
        if stored != counted
    ]


def _wrong_counts() -> list[WrongCount]:
    day = "(timestamp AT TIME ZONE 'UTC')::date" if bulk.is_postgresql() else "date(timestamp)"
    none = f"CAST('{NO_DAY}' AS date)" if bulk.is_postgresql() else f"'{NO_DAY}'"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT source, day, status, SUM(stored), SUM(counted) FROM ("  # noqa: S608 (no values)
            "SELECT source, day, status, count AS stored, 0 AS counted FROM record_counts "
            f"UNION ALL SELECT source, COALESCE({day}, {none}), "
            f"CASE WHEN closed_by_id IS NULL THEN status ELSE '{CLOSED}' END, 0, COUNT(*) "
            "FROM data_records GROUP BY 1, 2, 3"
            ") AS counts GROUP BY 1, 2, 3 HAVING SUM(stored) <> SUM(counted) ORDER BY 1, 2, 3"
        )
        rows = cursor.fetchall()
    return [
        WrongCount(
            source,
            day if isinstance(day, date) else date.fromisoformat(day),
            status,
            int(stored),
            int(counted),
        )
        for source, day, status, stored, counted in rows
    ]
