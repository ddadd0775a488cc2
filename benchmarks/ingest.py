"""How fast rows land, as ratios to what the database itself can do, measured in the same run.

    python -m benchmarks.ingest [--file ordinary] [--rows 1000000] [--others 20000] [--rounds 5]

measures on the database of DATABASE_URL (PostgreSQL or SQLite), which has to be migrated: it lands
generated rows in sources of its own, "bench" and "bench_bulk", and takes them out again. 1.00
is COPY (SQLite: executemany) of ready rows into a bare table of five columns with a primary key. A
machine is not as fast one minute as the next, so each round measures both anew, one right after the
other; the median of the rounds' ratios counts. The files are of these kinds:

    plain     no quotes, times without a zone
    ordinary  quotes in every tenth row, times in UTC, 2 % unreadable values, blanks around cells
    hard      all cells quoted, doubled quotes, letters beyond ASCII, times like 31.12.2026 23:59:59
    wide      60 columns

CPU is given in microseconds a row: of the command, and of a PostgreSQL server on this machine.
"""

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import django
import orjson
import psutil

from benchmarks._inputs import KINDS, Kind

ROOT = Path(__file__).resolve().parent.parent

# What must hold: at least these ratios.
LIMITS = {
    "postgresql": {
        "plain": {"ingest": 0.65, "unchanged": 0.40},
        "ordinary": {"ingest": 0.65},
        "hard": {"ingest": 0.55},
    },
    "sqlite": {"plain": {"ingest": 0.35}, "ordinary": {"ingest": 0.45}},
}


def ready_rows(kind: Kind, rows: int, source: str) -> Iterator[tuple[str, str, str, str, str]]:
    """The rows as the bare table holds them."""
    for moment, cells in kind.rows(rows):
        data = orjson.dumps(dict(zip(kind.header, cells, strict=True))).decode()
        yield f"{source}:{cells[0]}", moment.strftime("%Y-%m-%d %H:%M:%SZ"), source, data, "raw"


def copy_into_bare_table(kind: Kind, rows: int) -> float:
    """Seconds that COPY of ready rows takes, with nothing but a primary key."""
    from django.db import connection

    text = "".join("\t".join(row) + "\n" for row in ready_rows(kind, rows, "bare"))
    ready = io.StringIO(text.replace("\\", "\\\\"))
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bare_records")
        cursor.execute(
            'CREATE TABLE bare_records (id varchar(255) COLLATE "C" PRIMARY KEY, timestamp '
            "timestamptz, source varchar(100), data jsonb, status varchar(10))"
        )
        started = time.perf_counter()
        cursor.copy_expert("COPY bare_records FROM STDIN", ready, size=1 << 16)
        seconds = time.perf_counter() - started
        cursor.execute("DROP TABLE bare_records")
    return seconds


def executemany_into_bare_table(kind: Kind, rows: int) -> float:
    """The same on SQLite: ready tuples, one transaction."""
    from django.db import connection

    ready = list(ready_rows(kind, rows, "bare"))
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bare_records")
        cursor.execute(
            "CREATE TABLE bare_records (id text PRIMARY KEY, timestamp text, source text, "
            "data text, status text)"
        )
    driver = connection.connection
    started = time.perf_counter()
    driver.execute("BEGIN IMMEDIATE")
    driver.executemany("INSERT INTO bare_records VALUES (?,?,?,?,?)", ready)
    driver.execute("COMMIT")
    seconds = time.perf_counter() - started
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE bare_records")
    return seconds


# The kernel counts what a process was before it became the command, too; so the command itself
# says how much memory and CPU it took, as the last line of what it prints.
MEASURED = """
import re, sys, time
from pathlib import Path
from django.core.management import execute_from_command_line
try:
    execute_from_command_line(sys.argv[1:])
finally:
    memory = re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]
    print(memory, time.process_time())
"""


def ingest(path: Path, source: str) -> tuple[dict[str, Any], float, float]:
    """What the command says of the run, its peak memory in MB, and its seconds of CPU."""
    command = ["manage.py", "ingest", str(path), "--source", source, "--id", "id", "--json"]
    done = subprocess.run(  # noqa: S603 (ours)
        [sys.executable, "-c", MEASURED, *command], cwd=ROOT, stdout=subprocess.PIPE, check=False
    )
    *told, used = done.stdout.decode().splitlines()
    if done.returncode:
        raise SystemExit(f"ingest ended with {done.returncode}: {told}")
    kilobytes, seconds = used.split()
    return json.loads("".join(told)), int(kilobytes) / 1024, float(seconds)


def server_seconds() -> float:
    """The seconds of CPU of a PostgreSQL server on this machine so far; 0 without one."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return 0.0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = psutil.Process(cursor.fetchone()[0])
    server = backend.parent()
    ended = server.cpu_times()
    alive = [child.cpu_times() for child in server.children()]
    return ended.children_user + ended.children_system + sum(map(_seconds, [ended, *alive]))


def _seconds(times: Any) -> float:
    return float(times.user + times.system)


def to_sql(path: Path, rows: int) -> float:
    """Rows a second of pandas.to_sql, as its users call it: with an engine of SQLAlchemy."""
    import pandas
    import sqlalchemy
    from django.db import connection

    # The same database as the other measurements, through a connection of its own.
    engine = sqlalchemy.create_engine(
        {"postgresql": "postgresql+psycopg2://", "sqlite": "sqlite://"}[connection.vendor],
        creator=lambda: connection.get_new_connection(connection.get_connection_params()),
    )
    frame = pandas.read_csv(path, nrows=rows)
    started = time.perf_counter()
    frame.to_sql("pandas_rows", engine, if_exists="replace", index=False)
    seconds = time.perf_counter() - started
    with engine.begin() as cursor:
        cursor.execute(sqlalchemy.text("DROP TABLE pandas_rows"))
    engine.dispose()
    return len(frame) / seconds


def bulk_create(rows: int) -> float:
    """Rows a second of Django's bulk_create into the table of records."""
    from django.db import transaction
    from django.utils import timezone

    from records.models import DataRecord, Source

    source, _ = Source.objects.get_or_create(name="bench_bulk")
    started = time.perf_counter()
    with transaction.atomic():
        records = []
        for number, row in enumerate(ready_rows(KINDS["plain"], rows, "bench_bulk")):
            moment = datetime.fromisoformat(row[1])
            records.append(
                DataRecord(
                    id=row[0], timestamp=moment, source=source, data=json.loads(row[3]),
                    created_at=timezone.now(), line=number,
                )
            )  # fmt: skip
        DataRecord.objects.bulk_create(records, batch_size=1000)
        seconds = time.perf_counter() - started
        transaction.set_rollback(True)
    source.delete()
    return rows / seconds


def clear(source: str) -> None:
    """Take the benchmark's rows out again."""
    from django.db import connection

    from records import store
    from records.models import (
        ColumnChange,
        DataRecord,
        RecordCount,
        RecordText,
        Source,
        TextChange,
    )
    from records.models.querysets import key_range
    from records.store import column_log

    found = Source.objects.named(source)
    if found is None:
        return
    DataRecord.objects.of_source(source)._raw_delete(using="default")
    RecordText.objects.filter(key_range(source, "record_id"))._raw_delete(using="default")
    TextChange.objects.all().delete()
    # What is deleted past the store is told to the column store.
    ColumnChange.objects.filter(source=source).delete()
    column_log.note_range(source, f"{source}:", f"{source};", 0)
    RecordCount.objects.filter(source=source).delete()
    store.delete_source(source=found)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # The table is as a new one again; else the index of moments would still know the
            # pages that were there, and each row that comes would be compared with them.
            cursor.execute("VACUUM (FULL, ANALYZE) data_records")


def settle() -> None:
    """Have what was written before written out, so that nobody else pays for it."""
    from django.db import connection

    is_postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT" if is_postgresql else "PRAGMA wal_checkpoint(TRUNCATE)")


class Round(NamedTuple):
    """What a round took: seconds, the peak memory in MB, and seconds of CPU of the first load."""

    limit: float
    ingest: float
    unchanged: float
    memory: float
    memory_unchanged: float
    client: float
    server: float


def measured(kind: Kind, path: Path, rows: int, bare: Callable[[Kind, int], float]) -> Round:
    """One round, whose rows are taken out again. Raises SystemExit where not every row landed."""
    settle()
    limit = bare(kind, rows)
    settle()
    before = server_seconds()
    first, memory, client = ingest(path, "bench")
    server = server_seconds() - before
    settle()
    again, memory_again, _ = ingest(path, "bench")
    clear("bench")
    if not first["created"] == again["unchanged"] == rows:
        raise SystemExit(f"Not every row landed: {first}, {again}")
    return Round(limit, first["seconds"], again["seconds"], memory, memory_again, client, server)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--file", choices=KINDS, default="ordinary")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--others", type=int, default=20_000, help="rows for the other tools")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dataflow_site.settings")
    django.setup()
    from django.db import connection

    connection.ensure_connection()
    bare = (
        copy_into_bare_table if connection.vendor == "postgresql" else executemany_into_bare_table
    )
    kind = KINDS[options.file]
    clear("bench")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.csv"
        kind.write(path, options.rows)
        rounds = [measured(kind, path, options.rows, bare) for _ in range(options.rounds)]
        others = {
            "pandas.to_sql": to_sql(path, options.others),
            "bulk_create": bulk_create(options.others),
        }
    print(
        f"{connection.vendor}, {options.rows:,} rows of {len(kind.header)} columns "
        f"({options.file}), median of {options.rounds} rounds"
    )
    report(rounds, others, options.rows, LIMITS[connection.vendor].get(options.file, {}))


def report(
    rounds: Sequence[Round], others: Mapping[str, float], rows: int, limits: Mapping[str, float]
) -> None:
    """Print the figures. Raises SystemExit if a ratio is below its limit."""
    limit = rows / statistics.median(found.limit for found in rounds)
    print(
        f"{'what':<16}{'rows/s':>12}{'ratio':>8}{'at least':>10}{'from':>8}{'to':>6}{'peak MB':>10}"
    )
    print(f"{'limit':<16}{limit:>12,.0f}{1:>8.2f}")
    missed = []
    for name, memory in (("ingest", "memory"), ("unchanged", "memory_unchanged")):
        rate = rows / statistics.median(getattr(found, name) for found in rounds)
        ratios = [found.limit / getattr(found, name) for found in rounds]
        ratio = statistics.median(ratios)
        least = limits.get(name, 0)
        print(
            f"{name:<16}{rate:>12,.0f}{ratio:>8.2f}{least or '':>10}{min(ratios):>8.2f}"
            f"{max(ratios):>6.2f}{max(getattr(found, memory) for found in rounds):>10.0f}"
        )
        if ratio < least:
            missed.append(name)
    for name, rate in others.items():
        print(f"{name:<16}{rate:>12,.0f}{rate / limit:>8.2f}")
    for name in ("client", "server"):
        seconds = statistics.median(getattr(found, name) for found in rounds)
        print(f"CPU of {name:<9}{seconds / rows * 1e6:>12.1f} us a row")
    if missed:
        raise SystemExit(f"Below the limit: {', '.join(missed)}")


if __name__ == "__main__":
    main()
