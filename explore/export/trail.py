"""What the audit log is told of exports."""

from accounts import audit
from explore.export.files import ExportFile
from explore.export.request import source_of
from records.models import Export


def record_file(file: ExportFile, *, query: str) -> None:
    """Enter that records are handed out; ``query`` is what found them, as the query of a URL."""
    audit.record(
        audit.Action.RECORDS_EXPORTED,
        kind="records",
        label=f"{file.total:,} {'record' if file.total == 1 else 'records'}",
        source=source_of(query),
        after={"query": query, "file": file.name},
    )


def record_export(action: audit.Action, export: Export) -> None:
    """Enter what is done with an export that a worker makes."""
    audit.record(
        action,
        kind="export",
        object_id=export.pk,
        label=export,
        source=source_of(export.query),
        after={"query": export.query},
    )
