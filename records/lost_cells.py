"""The cells that records have lost by the updates of a run, whose input lacks their columns."""

import orjson
from django.db import connection

from records.database import bulk
from records.models import IngestionRun


def lost_cells(run: IngestionRun) -> dict[str, int]:
    """How many updated contents had a cell in a column that the input of the run does not have."""
    cells, columns = (
        ("jsonb_object_keys(data) AS cell(key)", "jsonb_array_elements_text(%s)")
        if bulk.is_postgresql()
        else ("json_each(data) AS cell", "json_each(%s)")
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT cell.key, COUNT(*) FROM record_versions, {cells} "  # noqa: S608 (words of ours)
            "WHERE replaced_by_run_id = %s AND reason = 'update' "
            f"AND cell.key NOT IN (SELECT value FROM {columns}) GROUP BY cell.key",
            [run.pk, orjson.dumps(run.columns).decode()],
        )
        return {column: int(count) for column, count in cursor.fetchall()}
