"""Notes which records a transaction has made, changed or deleted, for the column store.

It is noted in the transaction itself, so whoever reads the segments of the column store at any
moment knows which of their records are no longer what they were.
"""

from collections.abc import Collection
from itertools import groupby

import orjson
from django.utils import timezone

from records.database import bulk

# How many ids are noted together at the most.
NOTED_TOGETHER = 20_000


def note(ids: Collection[str]) -> None:
    """Records of these ids have been made, changed or deleted by this transaction.

    That includes what belongs to a record: its current result, and whether it is closed.
    """
    for source, of_source in groupby(sorted(ids), lambda record_id: record_id.partition(":")[0]):
        found = list(of_source)
        for start in range(0, len(found), NOTED_TOGETHER):
            part = found[start : start + NOTED_TOGETHER]
            _insert(source, orjson.dumps(part).decode(), "", "", len(part))


def note_of_source(source: str, ids: Collection[str]) -> None:
    """The same for many ids of one source, which need not be looked at."""
    if ids:
        _insert(source, orjson.dumps(list(ids)).decode(), "", "", len(ids))


def note_range(source: str, first: str, last: str, records: int) -> None:
    """All records of a source from one id up to and with another may have been changed.

    ``records`` is how many there are.
    """
    _insert(source, "", first, last, records)


def _insert(source: str, ids: str, first: str, last: str, records: int) -> None:
    bulk.insert(
        "column_changes",
        {"ids": [ids]},
        {
            "source": source,
            "first": first,
            "last": last,
            "records": records,
            "noted_at": bulk.sql_time(timezone.now()),
        },
    )
