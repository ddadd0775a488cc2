"""Short ways for tests to have sources, runs and records, through the doors that users take."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ingestion.loading import runs as ingestion_runs
from processing.jobs import process as processing_runs
from records import store
from records.database import bulk
from records.jobs import leases
from records.jobs.runner import work_on
from records.models import DataRecord, IngestionRun, ProcessingRun, RecordCount, Source
from records.rows import Ledger, Reject, Row

WORKER = "test worker"


class Died(BaseException):
    """What stands in for the death of a worker: no code of its own sees to anything any more."""


def row(key: str, data: Mapping[str, Any], *, line: int = 2, at: datetime | None = None) -> Row:
    return Row(key, line, bulk.sql_time(at), json.dumps(data, ensure_ascii=False))


def running(source: str = "s") -> IngestionRun:
    """A run that the tests' worker holds."""
    owner, _ = Source.objects.get_or_create(name=source)
    run = IngestionRun.objects.create(source=owner, path="-", file_name="rows.csv", trigger="test")
    claimed = leases.claim(IngestionRun, run.pk, WORKER)
    assert claimed is not None
    return claimed


def land(
    rows: Sequence[Row], rejects: Sequence[Reject] = (), *, run: IngestionRun | None = None
) -> Ledger:
    run = run or running()
    position = IngestionRun.objects.filter(pk=run.pk).values_list("read", flat=True).first() or 0
    return store.land(
        run=run, worker=WORKER, rows=rows, rejects=rejects, position=position, bytes_read=0
    )


def load(path: Path, source: str | None = None, **roles: Sequence[str]) -> IngestionRun:
    """Load a file as the command does; the run as it ended."""
    run = ingestion_runs.create_run(
        path=path, file_name=path.name, trigger="test", source_name=source, roles=roles
    )
    done = work_on(run, WORKER)
    assert done is not None
    return done


def process(source: str | None = None, limit: int | None = None) -> ProcessingRun:
    """Process as the command does; the run as it ended."""
    run = processing_runs.create_run(trigger="test", source_name=source, limit=limit)
    done = work_on(run, WORKER)
    assert done is not None
    return done


def counted() -> dict[tuple[str, str], int]:
    """Records by source and status, as the counters have it; without those at zero."""
    totals: dict[tuple[str, str], int] = {}
    for count in RecordCount.objects.all():
        key = (count.source, count.status)
        totals[key] = totals.get(key, 0) + count.count
    return {key: total for key, total in totals.items() if total}


def recounted() -> dict[tuple[str, str], int]:
    """Records by source and status, or as closed, counted one by one."""
    totals: dict[tuple[str, str], int] = {}
    fields = ("source__name", "status", "closed_by_id")
    for source, status, closed_by in DataRecord.objects.values_list(*fields):
        status = "closed" if closed_by else status
        totals[source, status] = totals.get((source, status), 0) + 1
    return totals
