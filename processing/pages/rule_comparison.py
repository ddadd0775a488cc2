"""Compares two versions of rules. Pure: no Django, no tables."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from processing.pages.rule_form import to_text, whole
from processing.rules import KINDS, Step
from processing.rules.check import EVERY_STEP
from processing.rules.parameters import Parameter


@dataclass(frozen=True, slots=True)
class Pair:
    """A step of the older version beside the one in its place; ``state`` is one of same, changed,
    added, removed. ``changes`` are (label of a parameter, before, after)."""

    state: str
    old: Step | None
    new: Step | None
    changes: list[tuple[str, str, str]] = field(default_factory=list)


def compare_rules(old: Sequence[Step], new: Sequence[Step]) -> list[Pair]:
    """The steps of two versions in their order, with what is alike beside each other."""
    pairs: list[Pair] = []
    for is_same, before, after in _blocks(old, new, whole):
        if is_same:
            pairs += [Pair("same", x, y) for x, y in zip(before, after, strict=True)]
        else:
            pairs += _changed(before, after)
    return pairs


def _changed(old: Sequence[Step], new: Sequence[Step]) -> Iterator[Pair]:
    """Steps that differ: those of one kind are beside each other."""
    for is_kind, before, after in _blocks(old, new, lambda step: str(step["rule"])):
        if is_kind:
            for x, y in zip(before, after, strict=True):
                yield Pair("changed", x, y, list(_changes(x, y)))
        else:
            yield from (Pair("removed", step, None) for step in before)
            yield from (Pair("added", None, step) for step in after)


def _blocks(
    old: Sequence[Step], new: Sequence[Step], key: Callable[[Step], str]
) -> Iterator[tuple[bool, Sequence[Step], Sequence[Step]]]:
    """Pieces of both that are alike by the key, or are not."""
    matcher = SequenceMatcher(None, list(map(key, old)), list(map(key, new)), autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        yield tag == "equal", old[a:b], new[c:d]


def _changes(before: Step, after: Step) -> Iterator[tuple[str, str, str]]:
    for parameter in (*KINDS[before["rule"]].parameters, *EVERY_STEP):
        was, now = _said(before, parameter), _said(after, parameter)
        if was != now:
            yield parameter.label, was, now


def _said(step: Step, parameter: Parameter) -> str:
    value = step.get(parameter.name, None if parameter.is_required else parameter.default)
    if parameter.choices:
        return dict(parameter.choices).get(str(value), str(value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return to_text(parameter, value) if not isinstance(value, dict) else json.dumps(value)
