"""How fast records are processed, as ratios to the same transform in SQL, measured in the same run.

    python -m benchmarks.process [--rows 1000000]

measures on the database of DATABASE_URL (PostgreSQL or SQLite), which has to be migrated: it fills
a source of its own, "bench_process", and takes it out again. 1.00 is the default transform as one
INSERT .. SELECT and one UPDATE on the same tables: what the database itself can do. A dry run is
measured against carrying the rules out without writing.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import django

from benchmarks import rule_dry_run
from benchmarks._inputs import HEADER, KINDS
from benchmarks.ingest import clear

ROOT = Path(__file__).resolve().parent.parent
SOURCE = "bench_process"
MAPPING = {"id": ["id"], "timestamp": ["timestamp"], "value": ["value"], "category": ["category"]}

# What must hold: at least these ratios, and at most so many MB of a worker.
LIMITS = {
    "postgresql": {"one worker": 0.70, "two workers": 1.2},
    "sqlite": {"one worker": 0.45},
}
# Reprocessing, compared with processing.
AGAIN = 0.8
MEMORY = 300

# The transform as PostgreSQL does it: value and category as columns, what can't be read is
# repaired, what is missing fails.
POSTGRESQL = (
    r"""
    INSERT INTO processing_results (record_id, success, processed_data, error_message,
        processing_time, created_at, run_id, rule_set_id, current, errors, repairs, value,
        category, repaired, unread)
    SELECT id, NOT is_missing,
        CASE WHEN NOT is_missing THEN data || jsonb_build_object('value', number, 'category',
            category, 'processed_timestamp', extract(epoch FROM now())) END,
        CASE WHEN is_missing THEN 'Data validation failed: ''value'' is missing.' END,
        0, now(), NULL, NULL, TRUE,
        CASE WHEN is_missing THEN jsonb_build_array(jsonb_build_object('rule', 'required',
            'column', 'value', 'value', read, 'message', 'is missing')) ELSE '[]' END,
        CASE WHEN is_bad THEN jsonb_build_array(jsonb_build_object('rule', 'number', 'column',
            'value', 'before', read, 'after', 0.0)) ELSE '[]' END,
        CASE WHEN NOT is_missing THEN number END, CASE WHEN NOT is_missing THEN category END,
        is_bad, is_bad
    FROM (SELECT *, CASE WHEN is_missing OR is_bad THEN 0.0 ELSE trim(read)::float8 END AS number
        FROM (SELECT *, coalesce(trim(read), '') = '' AS is_missing,
            trim(read) <> '' AND trim(read) !~
                '^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$' AS is_bad
            FROM (SELECT id, data, data->>'value' AS read, lower(trim(data->>'category'))
                AS category FROM data_records WHERE source = 'bench_process' AND status = 'raw'
            ) AS cut) AS judged) AS cleaned""",
    """
    UPDATE data_records SET processed_at = now(), status =
        CASE WHEN coalesce(trim(data->>'value'), '') = '' THEN 'failed' ELSE 'processed' END
    WHERE source = 'bench_process' AND status = 'raw'""",
)
SQLITE = (
    """
    INSERT INTO processing_results (record_id, success, processed_data, error_message,
        processing_time, created_at, run_id, rule_set_id, current, errors, repairs, value,
        category, repaired, unread)
    SELECT id, NOT is_missing,
        CASE WHEN NOT is_missing THEN json_set(data, '$.value', number, '$.category', category,
            '$.processed_timestamp', unixepoch()) END,
        CASE WHEN is_missing THEN 'Data validation failed: ''value'' is missing.' END,
        0, datetime(), NULL, NULL, TRUE,
        CASE WHEN is_missing THEN json_array(json_object('rule', 'required', 'column', 'value',
            'value', read, 'message', 'is missing')) ELSE '[]' END,
        CASE WHEN is_bad THEN json_array(json_object('rule', 'number', 'column', 'value',
            'before', read, 'after', 0.0)) ELSE '[]' END,
        CASE WHEN NOT is_missing THEN number END, CASE WHEN NOT is_missing THEN category END,
        is_bad, is_bad
    FROM (SELECT *, CASE WHEN is_missing OR is_bad THEN 0.0 ELSE CAST(read AS REAL) END AS number
        FROM (SELECT *, trim(coalesce(read, '')) = '' AS is_missing, trim(read) <> ''
            AND (trim(read) GLOB '*[^0-9.eE+-]*' OR trim(read) NOT GLOB '*[0-9]*') AS is_bad
            FROM (SELECT id, data, data->>'$.value' AS read, lower(trim(data->>'$.category'))
                AS category FROM data_records WHERE source = 'bench_process' AND status = 'raw'
            )))""",
    """
    UPDATE data_records SET processed_at = datetime(), status =
        CASE WHEN trim(coalesce(data->>'$.value', '')) = '' THEN 'failed' ELSE 'processed' END
    WHERE source = 'bench_process' AND status = 'raw'""",
)


def fill(rows: int) -> None:
    """Make the benchmark's source anew, with raw records: a hundredth can't be read as a number,
    two hundredths are missing."""
    from django.db import transaction

    from records.database import bulk
    from records.models import Source
    from records.store.counters import CountChanges

    empty()
    Source.objects.create(name=SOURCE, mapping=MAPPING, columns=list(HEADER))
    made = records(rows)
    constants: dict[str, bulk.Value] = {"source": SOURCE, "status": "raw", "version": 1}
    while part := list(islice(made, 20_000)):
        ids, moments, data = zip(*part, strict=True)
        created = {"created_at": bulk.sql_time(datetime.now(UTC))}
        with transaction.atomic():
            columns = {"id": ids, "timestamp": moments, "data": data}
            bulk.insert("data_records", columns, constants | created)
            counts = CountChanges()
            counts.add_all(SOURCE, moments, "raw")
            counts.apply()
    tidy()


def tidy() -> None:
    """What the database does by itself before long."""
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE data_records")
            cursor.execute("VACUUM ANALYZE processing_results")
            cursor.execute("CHECKPOINT")
        else:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def records(rows: int) -> Iterator[tuple[str, str, str]]:
    for number, (_, cells) in enumerate(KINDS["plain"].rows(rows)):
        row = dict(zip(HEADER, cells, strict=True))
        if number % 100 == 50:
            row["value"] = "n/a"
        elif number % 50 == 7:
            row["value"] = ""
        row["category"] = f" {row['category'].upper()}"
        moment = row["timestamp"].replace("T", " ")
        yield f"{SOURCE}:{row['id']}", moment, json.dumps(row, separators=(",", ":"))


def empty() -> None:
    """Take the benchmark's records, results and runs out."""
    from records.models import ProcessingResult, ProcessingRun

    ProcessingResult.objects.of_source(SOURCE)._raw_delete(using="default")
    ProcessingRun.objects.filter(source__name=SOURCE).delete()
    clear(SOURCE)


def in_sql() -> float:
    """Seconds that the database takes by itself."""
    from django.db import connection, transaction

    started = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in POSTGRESQL if connection.vendor == "postgresql" else SQLITE:
            cursor.execute(statement)
    return time.perf_counter() - started


def by_workers(number: int, selection: str = "raw") -> tuple[float, float]:
    """Seconds that so many workers take for one run, and the greatest memory of one in MB."""
    from processing.jobs.process import create_run
    from records.models import RunState, Selection

    run = create_run(trigger="benchmark", source_name=SOURCE, selection=Selection(selection))
    command = [sys.executable, "-m", "benchmarks.process", "--work", str(run.pk)]
    workers = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 (ours)
        for _ in range(number)
    ]
    for worker in workers:
        worker.stdout.readline()  # type: ignore[union-attr]
    for worker in workers:
        worker.stdin.close()  # type: ignore[union-attr]
    peaks = [os.wait4(worker.pid, 0)[2].ru_maxrss / 1024 for worker in workers]
    run.refresh_from_db()
    if run.state != RunState.FINISHED or run.seconds is None:
        raise SystemExit(f"The run is {run.state}: {run.error}")
    return run.seconds, max(peaks)


def work(run: int) -> None:
    """What each worker does: it gets ready, waits for the start, and works."""
    from records.jobs.runner import work_on
    from records.jobs.workers import worker_name
    from records.models import ProcessingRun

    print("ready", flush=True)
    sys.stdin.read()
    work_on(ProcessingRun.objects.get(pk=run), worker_name())


def figures() -> dict[str, Any]:
    """What the results say, in a few numbers."""
    from django.db.models import Avg, Count, Q

    from records.models import ProcessingResult

    results = ProcessingResult.objects.current().of_source(SOURCE)
    found = results.aggregate(
        results=Count("id"),
        failed=Count("id", filter=Q(success=False)),
        repaired=Count("id", filter=Q(repaired=True)),
        toys=Count("id", filter=Q(category="toys")),
        mean=Avg("value"),
    )
    return found | {"mean": round(found["mean"], 6)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--work", type=int, metavar="RUN", help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dataflow_site.settings")
    django.setup()
    if options.work:
        work(options.work)
        return
    from django.db import connection

    connection.ensure_connection()
    measured: list[tuple[str, float, float]] = []
    found = []
    limit = 0.0
    for name in ("in SQL", "one worker", "again", "two workers", "in SQL"):
        if name == "again":
            tidy()
        else:
            fill(options.rows)
        if name == "in SQL":
            limit = max(limit, options.rows / in_sql())
        else:
            selection = "all" if name == "again" else "raw"
            seconds, peak = by_workers(2 if name == "two workers" else 1, selection)
            measured.append((name, options.rows / seconds, peak))
        found.append(figures())
        if name == "again":
            of_dry_run, missed = rule_dry_run.measured(SOURCE, options.rows)
    empty()
    if any(each != found[0] for each in found):
        raise SystemExit(f"The results differ: {found}")
    missed += report(options.rows, limit, measured)
    print(of_dry_run)
    if missed:
        raise SystemExit(f"Below the limit: {', '.join(missed)}")


def report(rows: int, limit: float, measured: list[tuple[str, float, float]]) -> list[str]:
    """Print what was measured; which limits were missed."""
    from django.db import connection

    limits = LIMITS[connection.vendor]
    rates = {name: rate for name, rate, _ in measured}
    print(f"{connection.vendor}, {rows:,} records of {len(HEADER)} columns")
    print(f"{'what':<16}{'records/s':>12}{'ratio':>8}{'at least':>10}{'peak MB':>10}")
    print(f"{'in SQL':<16}{limit:>12,.0f}{1:>8.2f}")
    for name, rate, peak in measured:
        at_least = limits.get(name, "")
        print(f"{name:<16}{rate:>12,.0f}{rate / limit:>8.2f}{at_least:>10}{peak:>10.0f}")
    again = rates["again"] / rates["one worker"]
    print(f"Reprocessing is {again:.2f} as fast as processing; at least {AGAIN}.")
    missed = [name for name, least in limits.items() if rates[name] / limit < least]
    missed += ["again"] if again < AGAIN else []
    return missed + [f"memory of {name}" for name, _, peak in measured if peak > MEMORY]


if __name__ == "__main__":
    main()
