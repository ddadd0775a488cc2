"""Records for tests of what shows them: landed in finished runs, and processed."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from processing.jobs.process import create_run
from records.jobs import leases
from records.jobs.runner import work_on
from records.models import IngestionRun, ProcessingRun, Source
from records.rows import Reject
from tests import factories

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
    Source.objects.get_or_create(name=source, defaults={"mapping": MAPPING})
    run = factories.running(source)
    factories.land(
        [
            factories.row(f"{source}:{key}", cells, line=line, at=timestamp)
            for line, (key, cells) in enumerate(rows.items(), start=2)
        ],
        rejects,
        run=run,
    )
    leases.finish(run, factories.WORKER)
    return run


def process_all() -> ProcessingRun:
    """Process everything that is raw."""
    run = work_on(create_run(trigger="test"), factories.WORKER)
    assert run is not None
    return run


def sale(number: int, **cells: Any) -> dict[str, Any]:
    """A row that the default rules accept."""
    return {"id": str(number), "value": f"{number}.5", "category": "Toys", **cells}
