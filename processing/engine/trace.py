"""Applies rules one by one and records what each changed. Pure: no Django, no tables."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from processing.engine.pipeline import carry_out
from processing.rules import ABSENT, Batch, Step
from processing.rules.facts import NO_FACTS, Facts
from processing.rules.size import MAX_BATCH_CHARACTERS, BatchTooLarge
from records.json_text import json_text


@dataclass(frozen=True, slots=True)
class Touch:
    """What a step did to rows: ``number`` is its place in the rule set, from 1.

    ``cells`` holds each column that it wrote or took out: the cells of all rows before and after,
    ABSENT where a row has none. The others are what it added, by the places of rows.
    """

    number: int
    step: Step
    cells: dict[str, tuple[list[Any], list[Any]]]
    errors: dict[int, list[dict[str, Any]]]
    repairs: dict[int, list[dict[str, Any]]]
    anomalies: dict[int, list[str]]


def trace(
    rows: Sequence[Mapping[str, Any]],
    rules: Iterable[Step],
    now: float,
    *,
    facts: Facts = NO_FACTS,
    ids: Sequence[str] = (),
) -> list[Touch]:
    """What each step did to rows, in the order of the steps; without those that are switched off.

    The steps are carried out just as in processing. Raises BatchTooLarge for several rows, if all
    that the steps have made of them is too large together.
    """
    batch = Batch(rows, now, facts, ids)
    touches = []
    for number, step in enumerate(rules, start=1):
        if step.get("off"):
            continue
        before = _Before(batch)
        carry_out(batch, step)
        if len(rows) > 1 and batch.sizes.ever > MAX_BATCH_CHARACTERS:
            raise BatchTooLarge
        touches.append(
            Touch(
                number,
                step,
                {name: (before.cells(name), batch.cells(name)) for name in before.touched()},
                _added(batch.errors, before.errors),
                _added(batch.repairs, before.repairs),
                _added(batch.anomalies, before.anomalies),
            )
        )
    return touches


def is_same_cell(before: Any, after: Any) -> bool:
    """Whether a cell still says what it said; true is not 1, nor 1 the text of it."""
    if before is after:
        return True
    if before is ABSENT or after is ABSENT:
        return False
    return json_text(before) == json_text(after)


class _Before:
    """A batch as it was before a step. Columns are replaced, never written into."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._columns = dict(batch.columns)
        self._made, self._dropped, self._kept = set(batch.made), set(batch.dropped), batch.kept
        self.errors = _lengths(batch.errors)
        self.repairs = _lengths(batch.repairs)
        self.anomalies = _lengths(batch.anomalies)

    def cells(self, name: str) -> list[Any]:
        """The cells that a column had."""
        if name in self._columns:
            return self._columns[name]
        if name in self._dropped or (self._kept is not None and name not in self._kept):
            return [ABSENT] * len(self._batch.rows)
        return [row.get(name, ABSENT) for row in self._batch.rows]

    def touched(self) -> list[str]:
        """The columns that have been written or taken out since."""
        batch = self._batch
        found = dict.fromkeys(
            name for name in batch.made if batch.columns[name] is not self._columns.get(name)
        )
        found.update(dict.fromkeys(self._made - batch.made))
        found.update(dict.fromkeys(batch.dropped - self._dropped))
        if batch.kept != self._kept:
            names = dict.fromkeys(name for row in batch.rows for name in row)
            found.update(dict.fromkeys(n for n in names if n not in (batch.kept or ())))
        return list(found)


def _lengths(found: Mapping[int, Sequence[Any]]) -> dict[int, int]:
    return {place: len(items) for place, items in found.items()}


def _added(found: Mapping[int, list[Any]], before: Mapping[int, int]) -> dict[int, list[Any]]:
    return {
        place: items[before.get(place, 0) :]
        for place, items in found.items()
        if len(items) > before.get(place, 0)
    }
