"""Merges the rows of a batch with the records that they update."""

from collections.abc import Sequence

from records.database import bulk
from records.merging import Content, merged_rows
from records.models import DataRecord, IngestionRun
from records.rows import Row, by_column


def merged_with_records(run: IngestionRun, rows: Sequence[Row]) -> Sequence[Row]:
    """The rows with the cells that they lack: those of their records, or of earlier rows.

    The caller holds the source, so the records stay as they are until the batch has landed.
    """
    if not rows:
        return rows
    ids = by_column(rows).ids
    found = DataRecord.objects.none()
    if DataRecord.objects.filter(id__range=by_column(rows).ends).exists():
        found = DataRecord.objects.with_ids(ids)
    contents = {
        key: Content(data, bulk.sql_time(timestamp))
        for key, data, timestamp in found.values_list("id", "data", "timestamp")
    }
    if not contents and len(set(ids)) == len(rows):
        return rows
    return list(merged_rows(rows, contents, time_columns=run.mapping.get("timestamp") or []))
