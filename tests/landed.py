"""Records for tests, landed and processed the way that real ones are."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from processing.runs import create_run, process
from records import runs, store
from records.models import IngestionRun, ProcessingRun, Source
from records.rows import Reject, Row

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MAPPING = {"id": ["id"], "timestamp": [], "value": ["value"], "category": ["category"]}


def land(
    source: str,
    rows: Mapping[str, Mapping[str, Any]],
    *,
    timestamp: datetime | None = NOON,
    rejects: tuple[Reject, ...] = (),
) -> IngestionRun:
    """Land rows, given by their keys, in a finished run of a source."""
    owner, _ = Source.objects.get_or_create(name=source, defaults={"mapping": MAPPING})
    queued = IngestionRun.objects.create(source=owner, file_name=f"{source}.csv", how="test")
    run = runs.claim(IngestionRun, queued.pk, "tests")
    assert run is not None
    store.land(
        run=run,
        worker="tests",
        rows=[
            Row(f"{source}:{key}", line, timestamp, json.dumps(cells, ensure_ascii=False))
            for line, (key, cells) in enumerate(rows.items(), start=2)
        ],
        rejects=rejects,
        bytes_read=0,
    )
    runs.finish(run, "tests")
    return run


def process_all() -> ProcessingRun:
    """Process everything that is raw."""
    run = process(create_run(how="test").pk, "tests")
    assert run is not None
    return run


def sale(number: int, **cells: Any) -> dict[str, Any]:
    """A row that the default rules accept."""
    return {"id": str(number), "value": f"{number}.5", "category": "Toys", **cells}
