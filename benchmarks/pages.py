"""How quickly pages answer, at 10,000, 1M and 5M records.

    python -m benchmarks.pages [--sizes 10000,1000000,5000000] [--keep]

measures on the PostgreSQL database of DATABASE_URL, which has to be migrated and should hold
nothing else: it makes processed records in sources of its own, of the same two years whatever
their number, asks two gunicorn workers for each page again and again, as a browser would, and
takes the records out again. The first answers, which fill caches, are not counted.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import urlencode

import django
import urllib3

SIZES = (10_000, 1_000_000, 5_000_000)
SOURCES = {"bench_orders": 0.6, "bench_meters": 0.3, "bench_tickets": 0.1}
# How often each page is asked for, first without being measured; no longer than so many seconds.
WARM, ASKED = 6, 40
LONGEST = 30.0
HTMX = {"HX-Request": "true"}
# At most so many times as slow as with the fewest records.
MOST_SLOWER = 1.5


class Page(NamedTuple):
    """What is asked for, and within how many ms 95 of 100 answers have to come, if within any."""

    path: str
    within: float | None
    headers: Mapping[str, str] = {}
    # Whether it has to be as quick among many records as among few.
    is_flat: bool = True


# Each with its number, then by chance but the same each time: 8 columns, 2 % without a value, 1 %
# with one that is not a number.
ROWS = """
    INSERT INTO data_records
        (id, timestamp, source, data, processed_at, status, created_at, version, run_id, line)
    SELECT %(source)s || ':' || lpad(n::text, 9, '0'), moment, %(source)s,
        jsonb_build_object('id', lpad(n::text, 9, '0'), 'timestamp',
            to_char(moment, 'YYYY-MM-DD"T"HH24:MI:SS'),
            'value', CASE WHEN n %% 50 = 7 THEN '' WHEN n %% 100 = 50 THEN 'n/a'
                ELSE (abs(hashint4(n)) %% 100000 / 100.0)::text END,
            'category', (ARRAY['books', 'games', 'garden', 'toys', 'music', 'tools', 'food', 'wine',
                'shoes', 'coats', 'lamps', 'bikes'])[1 + abs(hashint4(n + 1)) %% 12],
            'region', (ARRAY['north', 'south', 'east', 'west'])[1 + abs(hashint4(n + 2)) %% 4],
            'customer', 'C' || abs(hashint4(n + 3)) %% 5000, 'quantity', (1 + n %% 9)::text,
            'note', 'order ' || n || ' came in'),
        now(), CASE WHEN n %% 50 = 7 THEN 'failed' ELSE 'processed' END, now(), 1, %(run)s, n + 1
    FROM (SELECT n, '2024-01-01'::timestamptz + n * (interval '2 years' / %(rows)s) AS moment
        FROM generate_series(1, %(rows)s) AS n) AS numbered"""
RESULTS = """
    INSERT INTO processing_results (record_id, success, processed_data, error_message,
        processing_time, created_at, run_id, rule_set_id, current, errors, repairs, value,
        category, repaired, unread)
    SELECT id, NOT is_missing, CASE WHEN NOT is_missing THEN data || jsonb_build_object('value',
            number) END,
        CASE WHEN is_missing THEN 'Data validation failed: ''value'' is missing.' END,
        0.00002, now(), %(run)s, NULL, TRUE,
        CASE WHEN is_missing THEN jsonb_build_array(jsonb_build_object('rule', 'required',
            'column', 'value', 'value', read, 'message', 'is missing')) ELSE '[]' END,
        CASE WHEN is_bad THEN jsonb_build_array(jsonb_build_object('rule', 'number', 'column',
            'value', 'before', read, 'after', 0.0)) ELSE '[]' END,
        CASE WHEN NOT is_missing THEN number END,
        CASE WHEN NOT is_missing THEN data->>'category' END, is_bad,
        is_bad
    FROM (SELECT id, data, read, read = '' AS is_missing, read = 'n/a' AS is_bad,
            CASE WHEN read IN ('', 'n/a') THEN 0.0 ELSE read::float8 END AS number
        FROM (SELECT id, data, data->>'value' AS read FROM data_records
            WHERE id >= %(source)s || ':' AND id < %(source)s || ';') AS cut) AS cleaned"""


def fill(records: int) -> None:
    """Make the sources anew, with so many processed records together."""
    from django.db import connection, transaction
    from django.utils import timezone

    from records import store
    from records.models import IngestionRun, ProcessingRun, RunState, Source
    from records.store import text_index

    empty()
    # What was there before is to leave no gaps.
    tidy("FULL, ANALYZE")
    now = timezone.now()
    ended = {
        "state": RunState.FINISHED,
        "trigger": "benchmark",
        "started_at": now,
        "finished_at": now,
    }
    for name, share in SOURCES.items():
        rows = round(records * share)
        columns = ["id", "timestamp", "value", "category", "region", "customer", "quantity", "note"]
        mapping = {role: [role] for role in ("id", "timestamp", "value", "category")}
        source = Source.objects.create(name=name, mapping=mapping, columns=columns)
        landed = IngestionRun.objects.create(
            source=source, path="-", file_name=f"{name}.csv", columns=columns, read=rows,
            created=rows, **ended,
        )  # fmt: skip
        worked = ProcessingRun.objects.create(source=source, processed=rows, **ended)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(ROWS, {"source": name, "rows": rows, "run": landed.pk})
            cursor.execute(RESULTS, {"source": name, "run": worked.pk})
    store.check_counts(repair=True)
    text_index.note_all()
    text_index.follow()
    tidy()


def tidy(command: str = "ANALYZE") -> None:
    """What the database does by itself before long."""
    from django.db import connection

    with connection.cursor() as cursor:
        for table in ("data_records", "processing_results", "record_counts", "record_texts"):
            cursor.execute(f"VACUUM ({command}) {table}")
        cursor.execute("CHECKPOINT")


def empty() -> None:
    from benchmarks.ingest import clear
    from records.models import ProcessingResult, ProcessingRun

    for name in SOURCES:
        ProcessingResult.objects.of_source(name)._raw_delete(using="default")
        ProcessingRun.objects.filter(source__name=name).delete()
        clear(name)


def pages() -> dict[str, Page]:
    """What is asked for, by name: pages as a browser asks for them, then the API."""
    from explore.pages.explorer import PAGE
    from records.models import DataRecord
    from web.keyset import FORWARD, Cursor

    ids = DataRecord.objects.of_source("bench_orders").values_list("id", flat=True).order_by("id")
    deep = ids[100 * PAGE]
    cursor = str(Cursor(FORWARD, ids[min(999 * PAGE, ids.count() - PAGE)]))
    orders = {"source": "bench_orders"}
    return {
        "dashboard": Page("/", 150),
        "its charts": Page("/counted", 150, HTMX),
        "first page": Page("/explore/", 150),
        "1,000th page": Page(f"/explore/?{urlencode(orders | {'cursor': cursor})}", 150),
        "newest first": Page("/explore/?sort=-timestamp", 150),
        "one status": Page("/explore/?status=failed", 150),
        "one category": Page("/explore/?category=toys", 150),
        # The more records there are, the more are found.
        "days": Page("/explore/?time_from=2024-06-01&time_to=2024-06-02", 150, is_flat=False),
        "frequent text": Page("/explore/?q=toys", 150),
        "rare text": Page("/explore/?q=order+4242+came", 150),
        "six facets": Page("/explore/facets?facet=region", 1000, HTMX, is_flat=False),
        "six, filtered": Page("/explore/facets?facet=region&category=toys", 500, HTMX, False),
        "a record": Page(f"/explore/record/{deep}", 150),
        "/stats": Page("/stats", 50),
        "/records": Page("/records", 50),
        "/records, deep": Page(f"/records?{urlencode(orders | {'cursor': cursor})}", 50),
    }


@contextmanager
def served() -> Iterator[tuple[str, str]]:
    """Two gunicorn workers: their URL, and the cookie of somebody who is logged in."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.db import SessionStore

    from dataflow_site.static_files import build_charts_if_missing, collect_if_changed

    build_charts_if_missing()
    collect_if_changed()
    user = User.objects.create_superuser("benchmark")
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settled = {"PORT": str(port), "WEB_WORKERS": "2", "WEB_LOG_LEVEL": "warning"}
    web = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--config", "python:dataflow_site.gunicorn"],
        env=os.environ | settled,
        stdin=subprocess.PIPE,
    )
    try:
        yield f"http://127.0.0.1:{port}", f"{settings.SESSION_COOKIE_NAME}={session.session_key}"
    finally:
        web.terminate()
        web.wait()
        session.delete()
        user.delete()


def measure(url: str, cookie: str) -> dict[str, tuple[float, float]]:
    """The median and the 95th percentile of each page, in ms."""
    # A connection for each question, as questions are then shared out among the workers.
    headers = {"Cookie": cookie, "Connection": "close", "Accept-Encoding": "gzip"}
    found = {}
    with urllib3.PoolManager(retries=urllib3.Retry(40, backoff_factor=0.05)) as client:
        for name, page in pages().items():
            seconds = []
            for number in range(WARM + ASKED):
                if number > WARM + 1 and sum(seconds) > LONGEST:
                    break
                started = time.perf_counter()
                answer = client.request(
                    "GET",
                    f"{url}{page.path}",
                    headers={**headers, **page.headers},
                    redirect=False,
                )
                seconds.append(time.perf_counter() - started)
                if answer.status != 200:
                    raise SystemExit(f"{page.path} answered {answer.status}.")
            measured = [1000 * each for each in seconds[WARM:]]
            found[name] = (
                statistics.median(measured),
                statistics.quantiles(measured, n=20, method="inclusive")[-1],
            )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--keep", action="store_true", help="leave the last records there")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dataflow_site.settings")
    django.setup()
    sizes = [int(size) for size in options.sizes.split(",")]
    measured = []
    for size in sizes:
        fill(size)
        with served() as (url, cookie):
            measured.append(measure(url, cookie))
    asked = pages()
    if not options.keep:
        empty()
    report(sizes, measured, asked)


def report(
    sizes: list[int], measured: list[dict[str, tuple[float, float]]], asked: dict[str, Page]
) -> None:
    print("p50 and p95 in ms; how many times as slow as with the fewest records")
    print(f"{'':<16}" + "".join(f"{size:>22,}" for size in sizes) + f"{'p95 within':>14}")
    missed = []
    for name, page in asked.items():
        line, least = f"{name:<16}", measured[0][name][0]
        for size, found in zip(sizes, measured, strict=True):
            median, slow = found[name]
            line += f"{median:>8.0f}{slow:>7.0f}{median / least:>6.1f}x"
            if page.within and slow > page.within:
                missed.append(f"{name} at {size:,}: {slow:.0f} ms")
            if page.is_flat and median / least > MOST_SLOWER:
                missed.append(f"{name} at {size:,}: {median / least:.1f}x")
        print(f"{line}{page.within or '':>14}")
    if missed:
        raise SystemExit(f"Missed: {'; '.join(missed)}")


if __name__ == "__main__":
    main()
