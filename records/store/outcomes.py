"""What becomes of each row of a batch, for runs whose sender is told."""

from collections.abc import Sequence
from typing import Any

import orjson

from records.models import IngestionRun, RejectedRow, RowOutcomes
from records.rows import Row, by_column


class Outcomes:
    """Gathers the outcomes of a batch while it lands; saved in the same transaction.

    Nothing is gathered for a run that does not keep them, unless ``told`` is there to get them.
    """

    def __init__(self, run: IngestionRun, told: list[dict[str, Any]] | None = None) -> None:
        self._run = run
        self._found: list[dict[str, Any]] = [] if told is None else told
        self.are_wanted = run.keeps_outcomes or told is not None

    def add(self, outcome: str, line: int, record_id: str) -> None:
        if self.are_wanted:
            self._found.append({"line": line, "outcome": outcome, "id": record_id})

    def add_all(self, outcome: str, rows: Sequence[Row]) -> None:
        if rows and self.are_wanted:
            columns = by_column(rows)
            for line, record_id in zip(columns.lines, columns.ids, strict=True):
                self.add(outcome, line, record_id)

    def add_rejected(self, rejected: Sequence[RejectedRow]) -> None:
        if self.are_wanted:
            self._found += (
                {
                    "line": row.line,
                    "outcome": "rejected",
                    "id": None,
                    "code": row.code,
                    "column": row.column,
                    "message": row.message,
                    "rejected_row": row.pk,
                }
                for row in rejected
            )

    def save(self, position: int) -> None:
        """Write them down, in the order of the input; ``position`` is where the batch begins."""
        self._found.sort(key=lambda found: found["line"])
        if not self._run.keeps_outcomes:
            return
        rows = orjson.dumps(self._found).decode()
        RowOutcomes.objects.create(run=self._run, position=position, rows=rows)
