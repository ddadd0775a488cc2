"""How long an undo takes: a run of many rows with updates, and edits behind it.

    python -m benchmarks.undo [--rows 100000]

measures on the database of DATABASE_URL, which has to be migrated, in a source of its own that is
gone afterwards. At most 30 s for 100,000 rows.
"""

import argparse
import json
import os
import time

import django

LIMIT_SECONDS = 30
SOURCE = "benchmark_undo"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dataflow_site.settings")
    django.setup()
    from ingestion.loading import undo
    from processing.jobs import process as processing_runs
    from records import store
    from records.digests import digest_of
    from records.jobs import leases
    from records.jobs.runner import work_on
    from records.models import DataRecord, IngestionRun, Source
    from records.rows import Row

    at = "2026-01-01 00:00:00"
    source, _ = Source.objects.get_or_create(
        name=SOURCE, defaults={"mapping": {"id": ["id"], "value": ["value"]}}
    )

    def load(numbers: range, value: str) -> IngestionRun:
        made = IngestionRun.objects.create(
            source=source, path="-", file_name="-", trigger="benchmark"
        )
        run = leases.claim(IngestionRun, made.pk, "benchmark")
        if run is None:
            raise SystemExit("Another worker took the run of the benchmark.")
        for start in range(0, len(numbers), 5_000):
            batch = [
                Row(f"{SOURCE}:{n:09}", n, at, json.dumps({"id": str(n), "value": value}))
                for n in numbers[start : start + 5_000]
            ]
            store.land(
                run=run, worker="benchmark", rows=batch, rejects=[], position=start, bytes_read=0
            )
        leases.finish(run, "benchmark")
        return run

    def process() -> None:
        made = processing_runs.create_run(trigger="benchmark", source_name=SOURCE)
        work_on(made, "benchmark")

    load(range(0, rows, 2), "1")
    process()
    before = digest_of(SOURCE)
    run = load(range(rows), "2")
    process()
    started = time.perf_counter()
    work_on(undo.create_undo(run=run, trigger="benchmark"), "benchmark")
    seconds = time.perf_counter() - started
    same = digest_of(SOURCE) == before

    # The same once more, with records that a person has changed behind it.
    run = load(range(rows), "2")
    for n in range(0, rows, max(rows // 100, 1)):
        store.edit_record(
            record_id=f"{SOURCE}:{n:09}", data={"id": str(n), "value": "3"}, user=None
        )
    done = work_on(undo.create_undo(run=run, trigger="benchmark"), "benchmark")
    kept = done.kept if done else 0
    while ids := list(DataRecord.objects.of_source(SOURCE).values_list("id", flat=True)[:5_000]):
        store.delete_records(ids=ids)
    store.delete_source(source=source)
    print(f"undo of {rows:,} rows, half of them updates: {seconds:.1f} s (limit {LIMIT_SECONDS})")
    print(f"digest as before: {same}; edited records kept: {kept} of {min(100, rows)}")
    if not same or seconds > LIMIT_SECONDS:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
