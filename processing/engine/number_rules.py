"""Suggests how rules read numbers, from the rows of a source. Pure: no Django, no tables."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from processing.engine import pipeline
from processing.rules import Step
from processing.rules.base import as_text
from records.complements import complements
from records.number_styles import NumberColumn, Numbers

# Words of what is taken from an account, and of what comes in.
DEBIT = {"debit", "soll", "withdrawal", "withdrawals", "out", "d\u00e9bit", "cargo", "addebiti",
         "dare", "lastschrift", "debet", "charge", "expense", "expenses"}  # fmt: skip
CREDIT = {"credit", "haben", "deposit", "deposits", "in", "cr\u00e9dit", "abono", "accrediti",
          "avere", "gutschrift", "income", "payment", "payments"}  # fmt: skip
Rows = Sequence[Mapping[str, Any]]


def with_numbers(rules: Sequence[Step], rows: Rows, mapping: Mapping[str, Any]) -> list[Step]:
    """Rules whose number steps read by the styles that the rows show, with a step that makes one
    signed value of debit and credit."""
    found = {step["column"]: _numbers(rows, step["column"]) for step in _number_steps(rules)}
    styled = [
        step | found[step["column"]].style.parameters() if step in _number_steps(rules) else step
        for step in rules
    ]
    pair = complements({name: [_text(row, name) for row in rows] for name in found})
    if pair is None:
        return styled
    values = mapping.get("value") or []
    into = values[0] if values and values[0] in pair else "amount"
    last = max(place for place, step in enumerate(styled) if step.get("column") in pair) + 1
    changed = [_not_required(step, pair) for step in styled[:last]]
    kept = [step for step in changed if step["rule"] != "required" or step["columns"]]
    return [*kept, _net(rows, pair, into), *styled[last:]]


def _number_steps(rules: Sequence[Step]) -> list[Step]:
    return [step for step in rules if step["rule"] == "number"]


def _numbers(rows: Rows, column: str) -> Numbers:
    numbers = NumberColumn(always=True)
    numbers.add([_text(row, column) for row in rows])
    return numbers.found()


def _text(row: Mapping[str, Any], column: str) -> str:
    cell = row.get(column)
    return "" if cell is None else as_text(cell)


def _net(rows: Rows, pair: tuple[str, str], into: str) -> Step:
    """The step that makes one value of a pair. What is negative already is added."""
    debit = next((name for name in pair if _words(name) & DEBIT), "")
    credited = next((name for name in pair if _words(name) & CREDIT and name != debit), "")
    debit = debit or next(name for name in pair if name != credited)
    credit = next(name for name in pair if name != debit)
    is_negative = any(_text(row, debit).strip().startswith(("-", "\u2212", "(")) for row in rows)
    if is_negative:
        return {"rule": "net", "columns": [credit, debit], "into": into}
    return {"rule": "net", "columns": [credit], "subtract": [debit], "into": into}


def _words(name: str) -> set[str]:
    return set(re.findall(r"\w+", name.lower()))


def _not_required(step: Step, pair: tuple[str, str]) -> Step:
    """A step that does not ask for both columns of a pair."""
    if step["rule"] != "required":
        return step
    return step | {"columns": [name for name in step["columns"] if name not in pair]}


def still_repaired(rules: Sequence[Step], rows: Rows) -> list[tuple[str, int, str]]:
    """What the rules would still repair: columns, how many cells of each, and the first of them."""
    counts: Counter[str] = Counter()
    first: dict[str, str] = {}
    for start in range(0, len(rows), 1_000):
        batch = pipeline.apply(rows[start : start + 1_000], rules, 0.0)
        for repairs in batch.repairs.values():
            for repair in repairs:
                counts[repair["column"]] += 1
                first.setdefault(repair["column"], as_text(repair["before"])[:60])
    return [(column, count, first[column]) for column, count in counts.most_common()]
