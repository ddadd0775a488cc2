"""Links with filters: the state of a list of records as the query of a URL."""

from collections.abc import Iterable
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.http import QueryDict

from explore.filters.conditions import Condition
from explore.filters.record_filter import RecordFilter


class Chip(NamedTuple):
    """A value that is filtered by, in words, and the query of the list without it."""

    label: str
    text: str
    query: str


def query_of(parameters: QueryDict, *, without: Iterable[str] = ()) -> QueryDict:
    """The parameters that say something, except some, from the first page on."""
    kept = QueryDict(mutable=True)
    for name, values in parameters.lists():
        filled = [value for value in values if value.strip()]
        if filled and name not in ("cursor", *without):
            kept.setlist(name, filled)
    return kept


def chips_of(found: RecordFilter, parameters: QueryDict) -> list[Chip]:
    """What is filtered by, value by value."""
    chips = []
    for name, values in found.chosen.items():
        for value in values:
            query = query_of(parameters)
            query.setlist(name, [other for other in query.getlist(name) if other != value])
            text = _words(found, name, value)
            chips.append(Chip(found.filters[name].label, text, query.urlencode()))
    return chips


def _words(found: RecordFilter, name: str, value: str) -> str:
    if name not in ("where", "result"):
        return str(dict(found.filters[name].extra.get("choices", ())).get(value, value))
    try:
        return Condition.parse(value).words
    except ValidationError:
        # It can be removed all the same.
        return value
