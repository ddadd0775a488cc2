"""The preview of rules on a few rows, before they are saved. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from processing.engine import pipeline
from processing.rules import Step
from processing.rules.base import as_text
from processing.rules.size import BatchTooLarge
from records.cell_changes import Change, cell_changes


@dataclass(frozen=True, slots=True)
class Tried:
    """The outcome of a row: the message it fails with, or its changed cells."""

    record_id: str
    message: str | None
    errors: list[dict[str, Any]]
    changes: list[Change]
    anomaly: str | None


def try_out(
    rows: Sequence[tuple[str, Mapping[str, Any]]], rules: Sequence[Step], now: float
) -> list[Tried]:
    """What the rules make of rows, given with the ids of their records.

    Steps that ask about the whole source are carried out without an answer.
    """
    ids, cells = [record_id for record_id, _ in rows], [row for _, row in rows]
    try:
        batch = pipeline.apply(cells, rules, now, ids=ids)
    except BatchTooLarge:
        middle = len(rows) // 2
        return try_out(rows[:middle], rules, now) + try_out(rows[middle:], rules, now)
    made = []
    for place, cleaned in enumerate(pipeline.cleaned_rows(batch)):
        errors = batch.errors.get(place, [])
        repaired = {repair["column"] for repair in batch.repairs.get(place, ())}
        # 100.5 says the same as "100.5".
        changes = cell_changes(cells[place], cleaned, repaired, text=as_text)
        made.append(
            Tried(
                record_id=ids[place],
                message=pipeline.failure_message(errors) if errors else None,
                errors=errors,
                changes=[] if errors else changes,
                anomaly=" ".join(batch.anomalies.get(place, ())) or None,
            )
        )
    return made
