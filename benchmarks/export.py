"""How fast records come out, and in how much memory.

    python -m benchmarks.export [--records 1000000] [--keep]

measures `manage.py export` in processes of their own, on the database of DATABASE_URL, which has
to be migrated, in a source of its own that is gone afterwards unless it is kept for the next time.
At least 40,000 records/s as CSV, in at most 150 MB.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import django

LEAST_RATE = 40_000
MOST_MB = 150
SOURCE = "benchmark_export"
BATCH = 5_000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--keep", action="store_true", help="leave the records for the next time")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dataflow_site.settings")
    django.setup()
    from explore.metrics.record_counts import totals

    missing = options.records - totals(SOURCE).total
    if missing > 0:
        land(options.records - missing, options.records)
    failed = False
    for arguments in (["csv"], ["csv", "--raw"], ["ndjson"]):
        rate, megabytes = measure(arguments, options.records)
        is_slow = arguments == ["csv"] and rate < LEAST_RATE
        failed |= is_slow or megabytes > MOST_MB
        print(f"{' '.join(arguments):<10} {rate:>9,.0f} records/s, {megabytes:.0f} MB at the most")
    if not options.keep:
        delete()
    if failed:
        raise SystemExit(1)


def measure(arguments: list[str], records: int) -> tuple[float, float]:
    """Records a second, the start of Python included, and the greatest memory so far."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "out"
        started = time.perf_counter()
        subprocess.run(  # noqa: S603 (our own command)
            [sys.executable, "manage.py", "export", "--source", SOURCE, str(path), "--format",
             *arguments],
            check=True,
        )  # fmt: skip
        seconds = time.perf_counter() - started
    kilobytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return records / seconds, kilobytes / 1024


def land(first: int, end: int) -> None:
    from records import store
    from records.jobs import leases
    from records.models import IngestionRun, Source
    from records.rows import Row

    source, _ = Source.objects.get_or_create(name=SOURCE, defaults={"mapping": {"id": ["id"]}})
    columns = ["id", "date", "amount", "kind", "city", "note"]
    made = IngestionRun.objects.create(
        source=source, path="-", file_name="-", trigger="benchmark", columns=columns
    )
    run = leases.claim(IngestionRun, made.pk, "benchmark")
    if run is None:
        raise SystemExit("Another worker took the run of the benchmark.")
    for start in range(first, end, BATCH):
        rows = []
        for n in range(start, min(start + BATCH, end)):
            cells = [str(n), "2026-01-01", f"{n % 997}.5", f"kind {n % 12}", "Paris", f"note {n}"]
            data = json.dumps(dict(zip(columns, cells, strict=True)))
            rows.append(Row(f"{SOURCE}:{n:09}", n, "2026-01-01 00:00:00", data))
        position = start - first
        store.land(
            run=run, worker="benchmark", rows=rows, rejects=[], position=position, bytes_read=0
        )
    leases.finish(run, "benchmark")


def delete() -> None:
    from records import store
    from records.models import DataRecord, Source

    while ids := list(DataRecord.objects.of_source(SOURCE).values_list("id", flat=True)[:BATCH]):
        store.delete_records(ids=ids)
    store.delete_source(source=Source.objects.get(name=SOURCE))


if __name__ == "__main__":
    main()
