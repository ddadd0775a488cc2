"""Records -> outcomes: carries a rule set out on a batch of them. Pure: no Django, no tables."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from processing.rules import ABSENT, RULES, Batch, Step
from records.json_text import json_text
from records.rows import Outcome, RawRecord


def run(
    records: Sequence[RawRecord], rules: Sequence[Step], mapping: Mapping[str, Any], now: float
) -> list[Outcome]:
    """What the rules make of each record, in their order. ``now`` is the moment, in Unix seconds.

    ``mapping`` names the columns whose cleaned cells become the outcome's value and category.
    """
    began = time.perf_counter()
    batch = apply([record.data for record in records], rules, now)
    value = _mapped(batch, mapping.get("value"))
    category = _mapped(batch, mapping.get("category"))
    cleaned = cleaned_rows(batch)
    seconds = (time.perf_counter() - began) / max(len(records), 1)
    outcomes = []
    for place, record in enumerate(records):
        outcome = Outcome(record.id, record.version, not batch.errors[place], seconds=seconds)
        if batch.errors[place]:
            outcome = outcome._replace(
                errors=batch.errors[place], error_message=failure_message(batch.errors[place])
            )
        else:
            repairs = batch.repairs[place]
            outcome = outcome._replace(
                processed=json_text(cleaned[place]),
                repairs=repairs,
                value=_number(value[place]),
                category=category[place] if isinstance(category[place], str) else None,
                repaired=any(
                    repair["column"] in (mapping.get("value") or []) for repair in repairs
                ),
            )
        outcomes.append(outcome)
    return outcomes


def apply(rows: Sequence[dict[str, Any]], rules: Sequence[Step], now: float) -> Batch:
    """Carry the rules out on rows, one after the other."""
    batch = Batch(rows, now)
    for step in rules:
        RULES[step["rule"]](batch, step)
    return batch


def cleaned_rows(batch: Batch) -> list[dict[str, Any]]:
    """The rows with the cells that the rules made, under the columns' own names."""
    cleaned = [dict(row) for row in batch.rows]
    for name, cells in batch.columns.items():
        for row, cell in zip(cleaned, cells, strict=True):
            if cell is not ABSENT:
                row[name] = cell
    return cleaned


def failure_message(errors: Sequence[Mapping[str, Any]]) -> str:
    """The errors of a row as one sentence."""
    names = [f"{error['column']!r}" for error in errors]
    listed = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
    return f"Data validation failed: {listed} {'is' if len(names) == 1 else 'are'} missing."


def _mapped(batch: Batch, columns: Sequence[str] | None) -> Sequence[Any]:
    return list(batch.column(columns[0])) if columns else [None] * len(batch.rows)


def _number(cell: object) -> float | None:
    return cell if isinstance(cell, float) else None
