"""What rules make of a few rows, cell by cell, before they are saved. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from processing import pipeline
from processing.rules import ABSENT, Step
from processing.rules.base import as_text


@dataclass(frozen=True, slots=True)
class Change:
    """A cell that is not what it was; without ``was_there`` it is new, without ``is_there`` gone.
    ``is_repair`` says that it was not usable."""

    column: str
    before: Any
    after: Any
    was_there: bool
    is_there: bool
    is_repair: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a row: the sentence it fails by, or what became of its cells."""

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
    batch = pipeline.apply(cells, rules, now, ids=ids)
    made = []
    for place, cleaned in enumerate(pipeline.cleaned_rows(batch)):
        errors = batch.errors.get(place, [])
        repaired = {repair["column"] for repair in batch.repairs.get(place, ())}
        made.append(
            Tried(
                record_id=ids[place],
                message=pipeline.failure_message(errors) if errors else None,
                errors=errors,
                changes=[] if errors else _changes(cells[place], cleaned, repaired),
                anomaly=" ".join(batch.anomalies.get(place, ())) or None,
            )
        )
    return made


def _changes(
    before: Mapping[str, Any], after: Mapping[str, Any], repaired: set[str]
) -> list[Change]:
    names = [*before, *(name for name in after if name not in before)]
    return [
        Change(
            name,
            before.get(name),
            after.get(name),
            name in before,
            name in after,
            name in repaired,
        )
        for name in names
        if _differ(before.get(name, ABSENT), after.get(name, ABSENT))
    ]


def _differ(before: Any, after: Any) -> bool:
    """Whether a cell says something else; 100.5 says the same as "100.5"."""
    if before is ABSENT or after is ABSENT:
        return before is not after
    return as_text(before) != as_text(after)
