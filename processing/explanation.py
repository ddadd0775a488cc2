"""What each rule did to one record: the rules are applied again, one by one."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from processing.engine.known_facts import KnownFacts, asking
from processing.engine.trace import Touch, is_same_cell, trace
from processing.rules import ABSENT, KINDS, Step, describe, in_force
from processing.rules.facts import NO_FACTS, Facts
from records.cell_changes import Change
from records.models import ProcessingFacts, ProcessingResult

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AppliedRule:
    """What a step of the rules did to the record: ``number`` is its place among them, None where
    only its code is known; ``words`` describe it."""

    number: int | None
    words: str
    changes: list[Change] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    anomalies: list[str] = field(default_factory=list)


def steps_of(result: ProcessingResult, data: Mapping[str, Any]) -> list[AppliedRule] | None:
    """The steps that touched the record when ``result`` was made of ``data``, in their order.

    They find the moment and the facts of then. None if the rules are not known any more, or do not
    come to the errors and repairs of the result: only these are certain then.
    """
    rule_set = result.rule_set
    if rule_set is None or any(step["rule"] not in KINDS for step in rule_set.rules):
        return None
    facts = _facts(result)
    try:
        touches = trace(
            [data], rule_set.rules, _moment(result), facts=facts, ids=[result.record_id]
        )
    except Exception:
        # On rules that break, the record has failed by the reason that its result tells.
        log.debug("The steps of %s can't be told.", result, exc_info=True)
        return None
    steps = [_told(touch) for touch in touches]
    if not _agree(result, touches):
        return None
    return [step for step in steps if step.changes or step.errors or step.anomalies]


def _moment(result: ProcessingResult) -> float:
    """The moment that the rules found: where a column holds it, that; else about when it was."""
    rules: Sequence[Step] = result.rule_set.rules if result.rule_set else []
    for step in in_force(rules):
        cell = (result.processed_data or {}).get(step.get("column", ""))
        if step["rule"] == "stamp" and isinstance(cell, int | float):
            return float(cell)
    return result.created_at.timestamp()


def _facts(result: ProcessingResult) -> Facts:
    """The facts about the source that were gathered for the result's run."""
    if result.rule_set is None or not asking(result.rule_set.rules):
        return NO_FACTS
    kept = ProcessingFacts.objects.filter(run=result.run_id, rule_set=result.rule_set_id).first()
    return KnownFacts.from_json(kept.facts) if kept else NO_FACTS


def _agree(result: ProcessingResult, touches: Sequence[Touch]) -> bool:
    """Whether the steps reproduce the saved result."""
    errors = [error for touch in touches for error in touch.errors.get(0, ())]
    repairs = [repair for touch in touches for repair in touch.repairs.get(0, ())]
    anomalies = [reason for touch in touches for reason in touch.anomalies.get(0, ())]
    if not result.success:
        return _keyed(errors) == _keyed(result.errors)
    return (
        not errors
        and _keyed(repairs) == _keyed(result.repairs)
        and (" ".join(anomalies) or None) == result.anomaly
    )


def _keyed(found: Sequence[Mapping[str, Any]]) -> list[tuple[object, ...]]:
    """Errors or repairs by what tells them apart."""
    return [(item.get("rule"), item.get("column"), item.get("message")) for item in found]


def _told(touch: Touch) -> AppliedRule:
    repaired = {repair["column"] for repair in touch.repairs.get(0, ())}
    changes = [
        Change(
            name,
            None if before is ABSENT else before,
            None if after is ABSENT else after,
            before is not ABSENT,
            after is not ABSENT,
            name in repaired,
        )
        for name, ((before,), (after,)) in touch.cells.items()
        if name in repaired or not is_same_cell(before, after)
    ]
    return AppliedRule(
        touch.number,
        describe(touch.step),
        changes,
        touch.errors.get(0, []),
        touch.anomalies.get(0, []),
    )
