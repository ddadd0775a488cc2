"""Links from a part of an answer to exactly its records in the explorer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import NamedTuple
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from explore.filters import RecordQuery
from explore.filters.conditions import Condition
from explore.filters.fields import MOST_VALUES
from explore.filters.record_filter import LONGEST_TEXT, SHOWING, RecordFilter


class Asked(NamedTuple):
    """A condition on a cell: of the data ("where") or of the result ("result")."""

    parameter: str
    condition: Condition


class Bound(NamedTuple):
    """A moment, and how a URL says it: as a day, or as the moment."""

    moment: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What a part of an answer asks of records, beside what the question asks.

    ``values`` are the values of parameters of which one has to be met, ``start`` and ``end`` the
    bounds of the timestamp; the end is not part of it.
    """

    conditions: tuple[Asked, ...] = ()
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()
    start: Bound | None = None
    end: Bound | None = None


def from_day(day: date) -> Bound | None:
    """The beginning of a day in the time zone of the installation; None for the first of all."""
    if day == date.min:
        return None
    return Bound(timezone.make_aware(datetime.combine(day, time.min)), day.isoformat())


def before_day(following: date, last: date) -> Bound:
    """The end of a day, by the day that follows it."""
    moment = timezone.make_aware(datetime.combine(following, time.min))
    return Bound(moment, last.isoformat())


def at(moment: datetime) -> Bound:
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat()
    return Bound(moment, f"{text}Z")


class Links:
    """Makes the links of an answer about the records of a query."""

    def __init__(self, query: RecordQuery) -> None:
        self._path = reverse("explorer")
        self._query = query
        self._parameters = {
            name: list(texts)
            for name, texts in query.parameters.items()
            if name in RecordFilter.base_filters and name not in SHOWING
        }
        self._equal = {
            name: [text for text in self._parameters.get(name, ()) if _is_equal(text)]
            for name in ("where", "result")
        }

    def url(self, *narrowings: Narrowing | None) -> str:
        """Where the explorer lists the records; "" where no URL can say which they are."""
        parameters = {name: list(texts) for name, texts in self._parameters.items()}
        for each in narrowings:
            if each is None or not self._narrow(parameters, each):
                return ""
        return f"{self._path}?{urlencode(parameters, doseq=True)}".removesuffix("?")

    def _narrow(self, parameters: dict[str, list[str]], by: Narrowing) -> bool:
        for name, values in by.values:
            known = parameters.get(name)
            kept = [value for value in values if known is None or value in known]
            if not kept or len(kept) > MOST_VALUES:
                return False
            parameters[name] = kept
        for bound, name, sign in ((by.start, "time_from", 1), (by.end, "time_to", -1)):
            if bound is None:
                continue
            known_moment = _moment(name, parameters)
            if known_moment is None or (bound.moment - known_moment).total_seconds() * sign > 0:
                parameters[name] = [bound.text]
        return all(self._ask(parameters, asked) for asked in _one_by_one(by.conditions))

    def _ask(self, parameters: dict[str, list[str]], asked: "tuple[str, list[Condition]]") -> bool:
        name, conditions = asked
        texts = list(map(str, conditions))
        known = parameters.setdefault(name, [])
        if conditions[0].operator == "eq":
            # Several values that a column is to equal are alternatives: this one is meant.
            for text in self._equal[name]:
                if text in known and Condition.parse(text).column == conditions[0].column:
                    known.remove(text)
        known.extend(text for text in texts if text not in known)
        return len(known) <= MOST_VALUES and all(len(text) <= LONGEST_TEXT for text in texts)


def _one_by_one(conditions: Iterable[Asked]) -> "Sequence[tuple[str, list[Condition]]]":
    """Conditions; those that are alternatives to one another together."""
    found: dict[tuple[str, str, int], list[Condition]] = {}
    for place, (name, condition) in enumerate(conditions):
        key = (name, condition.column, -1 if condition.operator == "eq" else place)
        found.setdefault(key, []).append(condition)
    return [(name, alike) for (name, _, _), alike in found.items()]


def _is_equal(text: str) -> bool:
    try:
        return Condition.parse(text).operator == "eq"
    except ValidationError:
        return False


def _moment(name: str, parameters: dict[str, list[str]]) -> datetime | None:
    texts = parameters.get(name)
    if not texts:
        return None
    found: datetime | None = RecordFilter.base_filters[name].field.clean(texts[-1])
    return found
