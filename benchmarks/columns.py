"""How fast records are folded into the column store, and how fast questions are answered from it.

    python -m benchmarks.columns [--records 1000000] [--keep]

measures on the PostgreSQL database of DATABASE_URL, which has to be migrated and should hold
nothing else: it makes processed records in sources of its own, folds them, asks the same of the
column store, of DuckDB over the same files, and of PostgreSQL over JSON, and takes the records out
again.
"""

import argparse
import os
import resource
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import django

REPEATED = 7


class Question(NamedTuple):
    """The same question to DuckDB and to PostgreSQL."""

    name: str
    duckdb: str
    postgresql: str


QUESTIONS = (
    Question(
        "group",
        'SELECT "data.region", count(*), sum("result.value") FROM records GROUP BY 1',
        """SELECT data->>'region', count(*), sum((processed_data->>'value')::float8)
        FROM both_ GROUP BY 1""",
    ),
    Question(
        "filtered group",
        """SELECT "data.category", count(*), sum("result.value") FROM records
        WHERE "data.region" = 'north' GROUP BY 1""",
        """SELECT data->>'category', count(*), sum((processed_data->>'value')::float8) FROM both_
        WHERE data->>'region' = 'north' GROUP BY 1""",
    ),
    Question(
        "month x category, medians",
        """SELECT date_trunc('month', timestamp), "data.category", median("result.value")
        FROM records GROUP BY 1, 2""",
        """SELECT date_trunc('month', timestamp), data->>'category', percentile_cont(0.5)
        WITHIN GROUP (ORDER BY (processed_data->>'value')::float8) FROM both_ GROUP BY 1, 2""",
    ),
    Question(
        "top 10 of 5,000",
        """SELECT "data.customer", sum("result.value") AS total FROM records GROUP BY 1
        ORDER BY total DESC NULLS LAST LIMIT 10""",
        """SELECT data->>'customer', sum((processed_data->>'value')::float8) AS total FROM both_
        GROUP BY 1 ORDER BY total DESC NULLS LAST LIMIT 10""",
    ),
    Question(
        "top 50 records",
        """SELECT id, "result.value" FROM records ORDER BY 2 DESC NULLS LAST LIMIT 50""",
        """SELECT id, (processed_data->>'value')::float8 FROM both_
        ORDER BY 2 DESC NULLS LAST LIMIT 50""",
    ),
)
BOTH = """(SELECT r.id, r.timestamp, r.data, p.processed_data FROM data_records AS r
    LEFT JOIN processing_results AS p ON p.record_id = r.id AND p.current) AS both_"""


def milliseconds(ask: Callable[[], Any]) -> float:
    """The median time of an answer; the first one is not counted."""
    ask()
    times = []
    for _ in range(REPEATED):
        started = time.perf_counter()
        ask()
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1000


def folded(records: int) -> None:
    from benchmarks.pages import SOURCES
    from explore.columns import folding
    from records.models import ColumnChange, ColumnSegment
    from records.store import column_log

    ColumnChange.objects.all().delete()
    for name in SOURCES:
        column_log.note_range(name, f"{name}:", f"{name};", records)
    before = resource.getrusage(resource.RUSAGE_SELF)
    started = time.perf_counter()
    folding.fold()
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    sizes = ColumnSegment.objects.filter(replaced_at=None).values_list("size", flat=True)
    print(
        f"folded {records:,} records: {records / seconds:,.0f} a second "
        f"({cpu / records * 1e6:.2f} µs of this process each), {sum(sizes):,} bytes in "
        f"{len(sizes)} files, peak memory {after.ru_maxrss // 1024} MB (before: "
        f"{before.ru_maxrss // 1024} MB)"
    )


def asked() -> None:
    import duckdb
    from django.db import connection

    from benchmarks.pages import SOURCES
    from explore.columns import files
    from explore.columns.snapshot import snapshot
    from records.models import ColumnSegment

    digests = ColumnSegment.objects.filter(replaced_at=None).values_list("digest", flat=True)
    paths = [str(files.found(digest)) for digest in digests]
    plain = duckdb.connect(config={"threads": 2})
    plain.execute(f"CREATE VIEW records AS FROM read_parquet({paths})")
    print(f"{'ms':26} {'snapshot':>9} {'DuckDB':>9} {'SQL':>9}")

    def ours(sql: str) -> Any:
        with snapshot(sources=list(SOURCES)) as found:
            return found.connection.execute(sql).fetchall()

    def theirs(sql: str) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    for question in QUESTIONS:
        sql = question.postgresql.replace("both_", BOTH, 1)
        times = (
            milliseconds(lambda question=question: ours(question.duckdb)),
            milliseconds(lambda question=question: plain.execute(question.duckdb).fetchall()),
            milliseconds(lambda sql=sql: theirs(sql)),
        )
        print(f"{question.name:26} " + " ".join(f"{each:9.1f}" for each in times))
    print(f"{'snapshot alone':26} {milliseconds(lambda: ours('SELECT 1')):9.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--keep", action="store_true", help="leave the records in the database")
    arguments = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dataflow_site.settings")
    django.setup()
    from benchmarks.pages import empty, fill

    fill(arguments.records)
    try:
        folded(arguments.records)
        asked()
    finally:
        if not arguments.keep:
            empty()


if __name__ == "__main__":
    main()
