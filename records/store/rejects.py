"""Rows that no record was made of: how they are written down, and those that the store refuses."""

from collections.abc import Sequence
from datetime import datetime

from records.models import IngestionRun, RejectedRow
from records.rows import Reject, Row


def conflict(row: Row) -> Reject:
    """A row whose key is known with other content, in a source that keeps what came first."""
    key = row.id.partition(":")[2]
    return Reject(
        row.line,
        row.raw,
        "key_conflict",
        f"The key {key!r} is known with other content, and the source keeps what came first.",
    )


def insert_rejects(run: IngestionRun, rejects: Sequence[Reject], now: datetime) -> None:
    RejectedRow.objects.bulk_create(
        [
            RejectedRow(
                run=run,
                line=reject.line,
                raw=reject.raw,
                code=reject.code,
                column=_storable(reject.column)[:255],
                message=_storable(reject.message),
                created_at=now,
            )
            for reject in rejects
        ],
        batch_size=500,
    )


def _storable(text: str) -> str:
    """Text as PostgreSQL can hold it: a message may quote what made its row unfit."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
