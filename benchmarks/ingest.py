"""How fast rows land, as ratios to what the database itself can do, measured in the same run.

    python -m benchmarks.ingest [--rows 1000000] [--others 20000] [--rounds 5]

measures on the database of DATABASE_URL (PostgreSQL or SQLite), which has to be migrated: it lands
generated rows in sources of its own, "bench" and "bench_bulk", and takes them out again. 1.00
is COPY (SQLite: executemany) of ready rows into a bare table with a primary key. A machine is not
as fast one minute as the next, so each round measures both anew, one right after the other; the
median of the rounds' ratios counts.
"""

import argparse
import io
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import django

ROOT = Path(__file__).resolve().parent.parent
HEADER = ("id", "timestamp", "value", "category", "region", "note")
START = datetime(2026, 1, 1, tzinfo=UTC)

# What must hold: at least these ratios.
LIMITS = {
    "postgresql": {"ingest": 0.65, "unchanged": 0.40},
    "sqlite": {"ingest": 0.35},
}


def cells(number: int, randomly: random.Random) -> tuple[str, ...]:
    moment = START + timedelta(seconds=7 * number)
    return (
        f"{number:09}",
        moment.strftime("%Y-%m-%dT%H:%M:%S"),
        f"{randomly.uniform(0, 1000):.2f}",
        randomly.choice(("books", "games", "garden", "toys")),
        randomly.choice(("north", "south", "east", "west")),
        f"order {number} came in",
    )


def write_file(path: Path, rows: int) -> None:
    randomly = random.Random(7)
    with path.open("w") as file:
        file.write(",".join(HEADER) + "\n")
        for number in range(rows):
            file.write(",".join(cells(number, randomly)) + "\n")


def ready_rows(path: Path, source: str) -> Iterator[tuple[Any, ...]]:
    """The rows of the file as the table holds them."""
    now = START.strftime("%Y-%m-%d %H:%M:%S")
    with path.open() as file:
        next(file)
        for line, text in enumerate(file, start=2):
            row = dict(zip(HEADER, text.rstrip("\n").split(","), strict=True))
            moment = row["timestamp"].replace("T", " ")
            data = json.dumps(row, separators=(",", ":"))
            yield (f"{source}:{row['id']}", moment, source, data, "raw", now, 1, 1, line)


BARE = "id, timestamp, source, data, status, created_at, version, run_id, line"


def copy_into_bare_table(path: Path) -> float:
    """Seconds that COPY of ready rows takes, with nothing but a primary key."""
    from django.db import connection

    text = "".join("\t".join(map(str, row)) + "\n" for row in ready_rows(path, "bare"))
    ready = io.StringIO(text.replace("\\", "\\\\"))
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bare_records")
        cursor.execute(
            'CREATE TABLE bare_records (id varchar(255) COLLATE "C" PRIMARY KEY, timestamp '
            "timestamptz, source varchar(100), data jsonb, status varchar(10), created_at "
            "timestamptz, version int, run_id bigint, line bigint)"
        )
        started = time.perf_counter()
        cursor.copy_expert(f"COPY bare_records ({BARE}) FROM STDIN", ready, size=1 << 16)
        seconds = time.perf_counter() - started
        cursor.execute("DROP TABLE bare_records")
    return seconds


def executemany_into_bare_table(path: Path) -> float:
    """The same on SQLite: ready tuples, one transaction."""
    from django.db import connection

    rows = list(ready_rows(path, "bare"))
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bare_records")
        cursor.execute(
            "CREATE TABLE bare_records (id text PRIMARY KEY, timestamp text, source text, "
            "data text, status text, created_at text, version int, run_id int, line int)"
        )
    driver = connection.connection
    started = time.perf_counter()
    driver.execute("BEGIN IMMEDIATE")
    driver.executemany("INSERT INTO bare_records VALUES (?,?,?,?,?,?,?,?,?)", rows)
    driver.execute("COMMIT")
    seconds = time.perf_counter() - started
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE bare_records")
    return seconds


# The kernel counts what a process was before it became the command, too; so the command itself
# says how much it took, as the last line of what it prints.
MEASURED = """
import re, sys
from pathlib import Path
from django.core.management import execute_from_command_line
try:
    execute_from_command_line(sys.argv[1:])
finally:
    print(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
"""


def ingest(path: Path, source: str) -> tuple[dict[str, Any], float]:
    """What the command says of the run, and its peak memory in MB."""
    command = ["manage.py", "ingest", str(path), "--source", source, "--id", "id", "--json"]
    done = subprocess.run(  # noqa: S603 (ours)
        [sys.executable, "-c", MEASURED, *command], cwd=ROOT, stdout=subprocess.PIPE, check=False
    )
    *told, kilobytes = done.stdout.decode().splitlines()
    if done.returncode:
        raise SystemExit(f"ingest ended with {done.returncode}: {told}")
    return json.loads("".join(told)), int(kilobytes) / 1024


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


def bulk_create(path: Path, rows: int) -> float:
    """Rows a second of Django's bulk_create into the table of records."""
    from django.db import transaction
    from django.utils import timezone

    from records.models import DataRecord, Source

    source, _ = Source.objects.get_or_create(name="bench_bulk")
    started = time.perf_counter()
    with transaction.atomic():
        records = []
        for number, row in zip(range(rows), ready_rows(path, "bench_bulk"), strict=False):
            moment = datetime.fromisoformat(row[1]).replace(tzinfo=UTC)
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
    from records.models import DataRecord, RecordCount, RecordText, Source, TextChange
    from records.models.querysets import key_range

    found = Source.objects.named(source)
    if found is None:
        return
    DataRecord.objects.of_source(source)._raw_delete(using="default")
    RecordText.objects.filter(key_range(source, "record_id"))._raw_delete(using="default")
    TextChange.objects.all().delete()
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
    """What a round took: seconds, and the peak memory of the ingestions in MB."""

    limit: float
    ingest: float
    unchanged: float
    memory: float
    memory_unchanged: float


def measured(path: Path, rows: int, bare: Callable[[Path], float]) -> Round:
    """One round, whose rows are taken out again. Raises SystemExit where not every row landed."""
    settle()
    limit = bare(path)
    settle()
    first, memory = ingest(path, "bench")
    settle()
    again, memory_again = ingest(path, "bench")
    clear("bench")
    if not first["created"] == again["unchanged"] == rows:
        raise SystemExit(f"Not every row landed: {first}, {again}")
    return Round(limit, first["seconds"], again["seconds"], memory, memory_again)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--others", type=int, default=20_000, help="rows for the other tools")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dataflow_site.settings")
    django.setup()
    from django.db import connection

    connection.ensure_connection()
    bare: Callable[[Path], float] = (
        copy_into_bare_table if connection.vendor == "postgresql" else executemany_into_bare_table
    )
    clear("bench")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.csv"
        write_file(path, options.rows)
        rounds = [measured(path, options.rows, bare) for _ in range(options.rounds)]
        others = {"pandas.to_sql": to_sql, "bulk_create": bulk_create}
        rates = {name: measure(path, options.others) for name, measure in others.items()}
    limit = options.rows / statistics.median(found.limit for found in rounds)
    print(
        f"{connection.vendor}, {options.rows:,} rows of {len(HEADER)} columns, "
        f"median of {options.rounds} rounds"
    )
    print(
        f"{'what':<16}{'rows/s':>12}{'ratio':>8}{'at least':>10}{'from':>8}{'to':>6}{'peak MB':>10}"
    )
    print(f"{'limit':<16}{limit:>12,.0f}{1:>8.2f}")
    missed = []
    for name, memory in (("ingest", "memory"), ("unchanged", "memory_unchanged")):
        rate = options.rows / statistics.median(getattr(found, name) for found in rounds)
        ratios = [found.limit / getattr(found, name) for found in rounds]
        ratio = statistics.median(ratios)
        least = LIMITS[connection.vendor].get(name, 0)
        print(
            f"{name:<16}{rate:>12,.0f}{ratio:>8.2f}{least or '':>10}{min(ratios):>8.2f}"
            f"{max(ratios):>6.2f}{max(getattr(found, memory) for found in rounds):>10.0f}"
        )
        if ratio < least:
            missed.append(name)
    for name, rate in rates.items():
        print(f"{name:<16}{rate:>12,.0f}{rate / limit:>8.2f}")
    if missed:
        raise SystemExit(f"Below the limit: {', '.join(missed)}")


if __name__ == "__main__":
    main()
