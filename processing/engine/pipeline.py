"""Applies a rule set to a batch of records. Pure: no Django, no tables."""

import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any

import orjson

from processing.rules import ABSENT, KINDS, Batch, Step, in_force
from processing.rules.base import in_words, listed
from processing.rules.facts import NO_FACTS, Facts
from records.json_text import json_text
from records.rows import Outcome, RawRecord

INF = float("inf")


def run(
    records: Sequence[RawRecord],
    rules: Sequence[Step],
    mapping: Mapping[str, Any],
    now: float,
    facts: Facts = NO_FACTS,
) -> list[Outcome]:
    """What the rules make of each record, in their order. ``now`` is the moment, in Unix seconds.

    ``mapping`` names the columns whose cleaned cells become the outcome's value and category.
    An outcome depends on its record, the rules, ``now`` and ``facts`` alone, whatever records
    are in the same batch.
    """
    if not records:
        return []
    began = time.perf_counter()
    ids, versions, rows = zip(*records, strict=True)
    batch = apply(rows, rules, now, facts=facts, ids=ids)
    values, categories = _mapped(batch, mapping, "value"), _mapped(batch, mapping, "category")
    processed = _texts(cleaned_rows(batch))
    seconds = (time.perf_counter() - began) / len(records)
    columns = (
        ids,
        versions,
        repeat(True),
        processed,
        repeat(None),
        repeat(()),
        repeat(()),
        [cell if isinstance(cell, float) and -INF < cell < INF else None for cell in values],
        [cell if isinstance(cell, str) else None for cell in categories],
        repeat(False),
        repeat(False),
        repeat(None),
        repeat(seconds),
    )
    # Most rows have nothing to tell; only those that have are looked at one by one.
    outcomes = list(map(Outcome._make, zip(*columns, strict=False)))
    value_columns = {
        *(mapping.get("value") or []),
        *map(batch.name_now, mapping.get("value") or []),
    }
    for place, repairs in batch.repairs.items():
        of_value = {repair["rule"] for repair in repairs if repair["column"] in value_columns}
        outcomes[place] = outcomes[place]._replace(
            repairs=repairs, repaired=bool(of_value), unread="number" in of_value
        )
    for place, reasons in batch.anomalies.items():
        outcomes[place] = outcomes[place]._replace(anomaly=" ".join(reasons))
    for place, errors in batch.errors.items():
        outcomes[place] = Outcome(
            ids[place],
            versions[place],
            False,
            errors=errors,
            error_message=failure_message(errors),
            seconds=seconds,
        )
    return outcomes


def apply(
    rows: Sequence[Mapping[str, Any]],
    rules: Iterable[Step],
    now: float,
    *,
    facts: Facts = NO_FACTS,
    ids: Sequence[str] = (),
) -> Batch:
    """Apply the rules to rows, one after the other; rules that are switched off are skipped.

    ``ids`` are those of the records, for steps that compare them with others of the source.
    """
    batch = Batch(rows, now, facts, ids)
    for step in in_force(rules):
        carry_out(batch, step)
    return batch


def carry_out(batch: Batch, step: Step) -> None:
    """Carry one step out."""
    kind = KINDS[step["rule"]]
    batch.rule = kind.code
    kind.apply(batch, kind.complete(step))


def cleaned_rows(batch: Batch) -> list[dict[str, Any]]:
    """The rows with the cells that the rules made, under the columns' own names."""
    kept = batch.kept
    if kept is None:
        cleaned = list(map(dict, batch.rows))
    else:
        cleaned = [{n: cell for n, cell in row.items() if n in kept} for row in batch.rows]
    for name in batch.dropped:
        for row in cleaned:
            row.pop(name, None)
    for name in sorted(batch.made):
        for row, cell in zip(cleaned, batch.cells(name), strict=True):
            if cell is ABSENT:
                row.pop(name, None)
            else:
                row[name] = cell
    return cleaned


def failure_message(errors: Sequence[Mapping[str, Any]]) -> str:
    """The errors of a row as one sentence, which is the same for rows that fail alike."""
    columns: dict[str, list[str]] = {}
    for error in errors:
        columns.setdefault(error["message"], []).append(error["column"])
    said = [_said(names, message) for message, names in columns.items()]
    return f"Data validation failed: {in_words(said)}."


def _said(names: Sequence[str], message: str) -> str:
    if len(names) > 1 and message == "is missing":
        return f"{listed(names)} are missing"
    return in_words([f"{name!r} {message}" for name in names])


def _mapped(batch: Batch, mapping: Mapping[str, Any], role: str) -> Sequence[Any]:
    columns = mapping.get(role)
    if not columns:
        return [None] * len(batch.rows)
    return batch.cells(batch.name_now(columns[0]))


def _texts(rows: Sequence[dict[str, Any]]) -> list[str]:
    try:
        return [text.decode() for text in map(orjson.dumps, rows)]
    except TypeError:
        return list(map(json_text, rows))
