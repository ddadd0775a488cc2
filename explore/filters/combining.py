"""Combines two queries: the records that both find."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from explore.filters.conditions import Condition
from explore.filters.operators import OPERATORS
from explore.filters.query import RecordQuery
from explore.filters.record_filter import SHOWING, RecordFilter

# Of two bounds the narrower one counts.
BOUNDS: dict[str, Callable[..., Any]] = {
    "time_from": max, "time_to": min, "value_from": max, "value_to": min,
}  # fmt: skip
# A record may have several rules, so two filters by rule can't be written as one.
OF_SEVERAL = ("rule",)
NOTHING = "No record can match both the filter of the question and that of the dashboard."


class CannotCombine(Exception):
    """Two queries that one URL can't express together; the message is for the user."""


def combined(query: RecordQuery, other: RecordQuery) -> RecordQuery:
    """The query that finds what both valid queries find. Raises CannotCombine."""
    found: dict[str, list[str]] = {}
    for name in RecordFilter.base_filters:
        texts, others = query.texts(name), other.texts(name)
        if name in SHOWING:
            continue
        if name == "closed":
            found[name] = _closed(query.closed, other.closed)
        elif not (texts and others) or texts == others:
            found[name] = [*(texts or others)]
        elif name in BOUNDS:
            pick = BOUNDS[name]
            found[name] = [pick((query, other), key=lambda each: each.values[name]).texts(name)[-1]]
        elif name in ("where", "result"):
            found[name] = _conditions(texts, others)
        elif name in RecordFilter.repeatable() and name not in OF_SEVERAL:
            found[name] = _common(query, other, name)
        else:
            label = RecordFilter.base_filters[name].label
            raise CannotCombine(
                f"The question and the dashboard both filter by “{label}”, which can't be combined."
            )
    return RecordQuery.parse(QueryDict(urlencode(found, doseq=True)))


def _closed(one: str, other: str) -> list[str]:
    asked = {one, other} - {"all"} or {"all"}
    if len(asked) > 1:
        raise CannotCombine(NOTHING)
    return [*(asked - {"0"})]


def _common(query: RecordQuery, other: RecordQuery, name: str) -> list[str]:
    """The values that are in both."""
    field, wanted = RecordFilter.base_filters[name].field, other.values[name]
    kept = [text for text in query.texts(name) if field.clean([text])[0] in wanted]
    if not kept:
        raise CannotCombine(NOTHING)
    return kept


def _conditions(texts: tuple[str, ...], others: tuple[str, ...]) -> list[str]:
    """All conditions; of alternatives for a column that both name, the common ones."""
    kept = []
    alternatives = [_alternatives(each) for each in (texts, others)]
    for text in dict.fromkeys((*texts, *others)):
        condition = Condition.parse(text)
        named = [each for each in alternatives if condition.column in each]
        is_alternative = OPERATORS[condition.operator].is_alternative
        if not is_alternative or all(condition.value in each[condition.column] for each in named):
            kept.append(text)
    lost = alternatives[0].keys() | alternatives[1].keys()
    lost -= _alternatives(tuple(kept)).keys()
    if lost:
        raise CannotCombine(NOTHING)
    return kept


def _alternatives(texts: tuple[str, ...]) -> dict[str, set[str]]:
    """By column the values of which it is to be equal to any one."""
    found: dict[str, set[str]] = {}
    for condition in map(Condition.parse, texts):
        if OPERATORS[condition.operator].is_alternative:
            found.setdefault(condition.column, set()).add(condition.value)
    return found
