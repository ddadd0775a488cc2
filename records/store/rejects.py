"""Rows that no record was made of: how they are written down, and those that the store refuses."""

from collections.abc import Sequence
from datetime import datetime

from records.models import IngestionRun, RejectedRow
from records.rows import Reject, Row


def conflict(row: Row) -> Reject:
    """The reject of a row that would change an existing record, in a source that keeps it."""
    key = row.id.partition(":")[2]
    return Reject(
        row.line,
        row.raw,
        "key_conflict",
        f"A record with the key {key!r} exists with different data, and the source keeps it.",
        id=row.id,
    )


def insert_rejects(
    run: IngestionRun, rejects: Sequence[Reject], now: datetime
) -> list[RejectedRow]:
    return RejectedRow.objects.bulk_create(
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
