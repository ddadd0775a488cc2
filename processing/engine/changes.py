"""Whether the outcome of a record has changed. Pure: no Django, no tables."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Any

from records.json_text import json_text, parsed
from records.rows import FormerOutcome, Outcome

# What Python may take for equal though it is not: true is no 1.
_UNSURE = frozenset((bool, list, dict))
# What FormerOutcome has as ``said``.
_said = attrgetter("success", "error_message", "value", "category", "repaired", "anomaly")


def changed(
    outcomes: Sequence[Outcome], former: Mapping[str, FormerOutcome], now: float
) -> list[Outcome]:
    """Those of the outcomes that differ from the former one of their record, or are its first.

    The moment of processing is no difference: ``now`` is the one that the outcomes were made at.
    """
    processed = cells_of(outcomes)
    moments = columns_with(now, processed)
    return [
        outcome
        for outcome, cells in zip(outcomes, processed, strict=True)
        if differs(outcome, cells, former.get(outcome.record_id), now, moments)
    ]


def cells_of(outcomes: Sequence[Outcome]) -> list[dict[str, Any] | None]:
    """The cleaned cells of outcomes, as a database would give them back."""
    texts = (outcome.processed or "null" for outcome in outcomes)
    cells: list[dict[str, Any] | None] = parsed(f"[{','.join(texts)}]")
    return cells


def columns_with(now: float, processed: Iterable[Mapping[str, Any] | None]) -> list[str]:
    """The columns that hold the moment, by the first of the rows that has any."""
    first = next(filter(None, processed), {})
    return [name for name, cell in first.items() if cell == now]


def differs(
    outcome: Outcome,
    processed: dict[str, Any] | None,
    former: FormerOutcome | None,
    now: float,
    moments: Sequence[str] = (),
) -> bool:
    """Whether an outcome differs from the former one; ``processed`` are its cells.

    Where they hold the moment in columns of ``moments``, the former cells get it as well: most
    rows are then plainly the same.
    """
    if former is None:
        return True
    before, after = former.processed or {}, processed or {}
    for name in moments:
        if after.get(name) == now and type(before.get(name)) in (float, int):
            before[name] = now
    is_plainly_same = _plainly_same(before, after)
    return (
        _said(outcome) != tuple(former.said)
        or (not is_plainly_same and changed_columns(before, after, now) != [])
        or not _is_same(former.errors, _listed(outcome.errors))
        or not _is_same(former.repairs, _listed(outcome.repairs))
    )


def _plainly_same(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return (
        before == after
        and _UNSURE.isdisjoint(map(type, before.values()))
        and _UNSURE.isdisjoint(map(type, after.values()))
    )


def changed_columns(before: Mapping[str, Any], after: Mapping[str, Any], now: float) -> list[str]:
    """The columns that differ, also those that only one of the two has."""
    # Most cells are plainly the same; only the others are looked at one by one.
    unsure = [
        name
        for name, cell in before.items()
        if name not in after or cell != after[name] or isinstance(cell, bool | list | dict)
    ]
    unsure += [name for name in after if name not in before or isinstance(after[name], bool)]
    return [
        name
        for name in dict.fromkeys(unsure)
        if name not in before or name not in after or _is_other(before[name], after[name], now)
    ]


def _is_other(before: Any, after: Any, now: float) -> bool:
    return not _is_same(before, after) and not (after == now and isinstance(before, int | float))


def _is_same(before: Any, after: Any) -> bool:
    """Whether a value says what one says that a database has kept."""
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(_is_same, before, after))
    if isinstance(before, dict) and isinstance(after, dict):
        return before.keys() == after.keys() and all(
            _is_same(value, after[name]) for name, value in before.items()
        )
    if type(before) is int and isinstance(after, float):
        # PostgreSQL gives 1e23 back as a whole number, which no float is.
        return before == after or Decimal(repr(after)) == before
    return bool(before == after) and isinstance(before, bool) is isinstance(after, bool)


def _listed(found: Iterable[Mapping[str, Any]]) -> list[Any]:
    """Errors or repairs as a database gives them back."""
    listed: list[Any] = parsed(json_text(list(found))) if found else []
    return listed
