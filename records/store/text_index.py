"""The index of texts: where a text that is rare among millions of records may stand.

An index of trigrams on the records themselves would cost every row that lands two thirds of its
speed. So texts have a table of their own, and workers fill it when rows have landed and are
processed. What it has yet to follow is noted in the transaction that changes records, and is
looked at besides: what is found is the same at any moment.

It is PostgreSQL's, where its module pg_trgm was there when the database was migrated. Elsewhere
nothing is noted, and every record is looked at.
"""

import re
import time
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

import orjson
from django.db import connection, transaction
from django.db.models import Max

from records.database import bulk
from records.database.clock import now
from records.models import TextChange
from records.store.turns import runs_are_active

# A text that may stand in more records is found soon by looking at one after the other.
FEW = 5_000
# Of how many PostgreSQL may expect a text before it is asked which they are.
EXPECTED = 25_000
# Words that it expects so many times as often as the rarest one do not help to find it.
OFTEN = 20
# So many words of a text, the longest ones, are weighed.
MOST_WORDS = 8
# So many records that the index has yet to follow are looked at one by one.
MOST_NOTED = 25_000
# How many records are noted together where all are.
NOTED_TOGETHER = 20_000
# After so long another worker is called.
WAKE_SECONDS = 60
# Any number, the same for all: one at a time fills the index, else an older text might be put
# in the place of a newer one.
LOCK = 20_261_123
WORD = re.compile(r"[^\W_]+")

# Both ASCII letters and, as far as the database knows them, others.
UPPER = 'upper(upper({} COLLATE "C") COLLATE "default")'
TEXT = UPPER.format("id || chr(10) || jsonb_path_query_array(data, '$.*')::text")
FOLLOW = f"""
    INSERT INTO record_texts (record_id, text)
    SELECT id, {TEXT} FROM data_records WHERE id = ANY(%s)
    ON CONFLICT (record_id) DO UPDATE SET text = EXCLUDED.text
        WHERE record_texts.text <> EXCLUDED.text"""  # noqa: S608 (words of ours)
FORGET = """
    DELETE FROM record_texts WHERE record_id = ANY(%s)
        AND NOT EXISTS (SELECT FROM data_records WHERE id = record_id)"""
LIKE = f"text LIKE {UPPER.format('%s')}"
# Kept from the index, which would also be asked for the words that are everywhere.
LIKE_WHOLE = f"text || '' LIKE {UPPER.format('%s')}"
FIND = "SELECT record_id FROM record_texts WHERE {}"
# Materialized: planned as if all were wanted, which the index gives, though they are not.
FIND_FEW = "WITH found AS MATERIALIZED ({}) SELECT record_id FROM found LIMIT {}"
NOTE_ALL = """
    INSERT INTO text_changes (ids) SELECT jsonb_agg(id)::text FROM (
        SELECT id, row_number() OVER (ORDER BY id) / %s AS part FROM (
            SELECT id FROM data_records UNION SELECT record_id FROM record_texts
        ) AS known
    ) AS parted GROUP BY part"""


def is_kept() -> bool:
    """Whether this database has the index."""
    if not bulk.is_postgresql():
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('record_texts_trigrams') IS NOT NULL")
        return bool(cursor.fetchone()[0])


def note(ids: Collection[str]) -> None:
    """Records of these ids have been made, changed or deleted by this transaction."""
    if ids and is_kept():
        bulk.insert("text_changes", {"ids": [orjson.dumps(list(ids)).decode()]})


def note_all() -> None:
    """Have the index follow every record anew."""
    if is_kept():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(NOTE_ALL, [NOTED_TOGETHER])


def follow(*, seconds: float | None = None) -> None:
    """Have the index follow what is noted, until it has, or for so long; then runs come first."""
    if not is_kept():
        return
    until = None if seconds is None else time.monotonic() + seconds
    while until is None or (time.monotonic() < until and not runs_are_active()):
        if not _follow_one():
            break
    TextChange.objects.exclude(woken_at=None).update(woken_at=None)


def is_unattended() -> bool:
    """Whether changes are to be followed, no run comes first, and no worker was called lately.

    They are marked, so the caller calls one.
    """
    if not is_kept():
        return False
    changes = TextChange.objects.all()
    since = now() - timedelta(seconds=WAKE_SECONDS)
    if not changes.exists() or changes.filter(woken_at__gte=since).exists():
        return False
    if runs_are_active():
        return False
    # The last one that will be followed.
    newest = changes.aggregate(newest=Max("pk"))["newest"]
    changes.filter(pk=newest).update(woken_at=now())
    return True


def candidates(texts: Collection[str]) -> set[str] | None:
    """The ids of all records in which one of the texts may stand, whatever its case.

    None where they may be many, or where the index can't tell.
    """
    if not is_kept():
        return None
    # Before the index is asked: what it follows meanwhile would be neither noted nor found.
    noted = _noted()
    if noted is None:
        return None
    found: set[str] = set()
    with connection.cursor() as cursor:
        for text in texts:
            words = _rare_words(cursor, text)
            condition, patterns = _has_all(words)
            if not words or _expected(cursor, condition, patterns) > EXPECTED:
                return None
            condition, patterns = f"{condition} AND {LIKE_WHOLE}", [*patterns, _pattern(text)]
            cursor.execute(FIND_FEW.format(FIND.format(condition), FEW + 1), patterns)
            found.update(record_id for (record_id,) in cursor.fetchall())
            if len(found) > FEW:
                return None
    return found | noted


def _rare_words(cursor: Any, text: str) -> list[str]:
    """Those words of a text, with what stands around them, by which it is found soonest."""
    # An index of trigrams knows nothing shorter.
    words = {
        part
        for word in WORD.finditer(text)
        if len(part := text[max(word.start() - 1, 0) : word.end() + 1]) >= 3
    }
    longest = sorted(words, key=len, reverse=True)[:MOST_WORDS]
    expected = {word: _expected(cursor, *_has_all([word])) for word in longest}
    least = min(expected.values(), default=0)
    return [word for word, records in expected.items() if records <= OFTEN * max(least, 1)]


def _has_all(words: Sequence[str]) -> tuple[str, list[str]]:
    """The condition that a text has all these words, and its parameters."""
    return " AND ".join([LIKE] * len(words)), [_pattern(word) for word in words]


def _pattern(text: str) -> str:
    return f"%{connection.ops.prep_for_like_query(text)}%"


def _expected(cursor: Any, condition: str, patterns: Sequence[str]) -> int:
    """How many records PostgreSQL expects, going by a sample that it keeps of them."""
    cursor.execute(f"EXPLAIN (FORMAT JSON) {FIND.format(condition)}", patterns)
    [(explained,)] = cursor.fetchall()
    return int(explained[0]["Plan"]["Plan Rows"])


def _noted() -> set[str] | None:
    """The ids of the records that the index has yet to follow; None if they are many."""
    noted: set[str] = set()
    for ids in TextChange.objects.values_list("ids", flat=True).iterator(chunk_size=1):
        noted.update(orjson.loads(ids))
        if len(noted) > MOST_NOTED:
            return None
    return noted


def _follow_one() -> bool:
    """Follow the oldest change; False if there is none, or another worker is at it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return False
        cursor.execute(
            "DELETE FROM text_changes WHERE id = (SELECT min(id) FROM text_changes) RETURNING ids"
        )
        taken = cursor.fetchone()
        if taken:
            ids = orjson.loads(taken[0])
            cursor.execute(FOLLOW, [ids])
            cursor.execute(FORGET, [ids])
    return taken is not None
