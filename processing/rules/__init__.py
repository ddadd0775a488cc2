"""The kinds of rules: each a small function on columns of cells, in a module of its own.

Pure: no Django, no tables. A rule set is a list of steps in plain JSON, each
``{"rule": code, ...parameters}``. To add a kind, write its module and name it in ``KINDS``.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from processing.rules import (
    allowed,
    anomaly,
    combine,
    dates,
    drop,
    keep,
    length,
    lookup,
    net,
    number,
    pattern,
    rename,
    replace,
    required,
    stamp,
    text,
    unique,
    value_range,
)
from processing.rules.base import ABSENT, Batch, Kind, Step, is_missing
from processing.rules.facts import Reference
from processing.rules.lookup import reference_of
from records.number_text import read_number

KINDS: dict[str, Kind] = {
    module.KIND.code: module.KIND
    for module in (
        required,
        number,
        dates,
        text,
        replace,
        allowed,
        value_range,
        pattern,
        length,
        unique,
        lookup,
        rename,
        drop,
        keep,
        combine,
        net,
        anomaly,
        stamp,
    )
}

__all__ = [
    "ABSENT",
    "KINDS",
    "Batch",
    "Kind",
    "Step",
    "describe",
    "in_force",
    "is_missing",
    "read_number",
    "references_in",
]


def in_force(rules: Iterable[Step]) -> list[Step]:
    """The steps that are not switched off."""
    return [step for step in rules if not step.get("off")]


def references_in(rules: Iterable[Step]) -> list[Reference]:
    """What the steps in force take from other sources."""
    found = [
        reference_of(kind.complete(step))
        for step in in_force(rules)
        if (kind := KINDS[step["rule"]]).facts == "tables"
    ]
    return list(dict.fromkeys(found))


def describe(step: Mapping[str, Any]) -> str:
    """A step in words."""
    kind = KINDS.get(step["rule"])
    if kind is None:
        return f"Unknown rule: {step['rule']!r}"
    words = kind.describe(kind.complete(step))
    return f"Off: {words}" if step.get("off") else words
