"""The date range of a page, parsed from its URL."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from explore.metrics.record_counts import Days, Span

# How many days each takes in, up to the newest record.
RANGES = {"1d": 1, "7d": 7, "30d": 30, "90d": 90, "1y": 365, "all": None}


class InvalidRange(ValueError):
    """The parameters are no range; the message says why."""


@dataclass(frozen=True, slots=True)
class Range:
    """One of RANGES by its name, or the days from ``first`` to ``last``, open where None."""

    name: str = "all"
    first: date | None = None
    last: date | None = None

    @classmethod
    def picked(cls, parameters: Mapping[str, str]) -> "Range":
        """What ``range``, or ``from`` and ``to``, ask for. Raises InvalidRange."""
        first, last = _day(parameters, "from"), _day(parameters, "to")
        name = parameters.get("range") or ("custom" if first or last else "all")
        if name == "custom" and (first or last):
            if first and last and first > last:
                raise InvalidRange(f"“from” ({first}) is after “to” ({last}).")
            return cls(name, first, last)
        if name not in RANGES:
            raise InvalidRange(
                f"There is no range “{name[:50]}”. Choose one of {', '.join(RANGES)}, "
                "or give the first day as “from” and the last day as “to”."
            )
        if first or last:
            raise InvalidRange("Give either “range” or “from” and “to”.")
        return cls(name)

    def span(self, days: Days) -> Span | None:
        """The days that it takes in of those that there are; None for all records."""
        if self.name == "custom":
            known = days.span
            first = self.first or min(known.first, self.last or date.max) if known else self.first
            last = self.last or max(known.last, self.first or date.min) if known else self.last
            return Span(first or last or date.min, last or first or date.max)
        number = RANGES[self.name]
        return days.last_days(number) if number else None


def _day(parameters: Mapping[str, str], name: str) -> date | None:
    text = parameters.get(name, "").strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidRange(
            f"“{name}” must be a date such as 2026-03-01, not “{text[:50]}”."
        ) from None
