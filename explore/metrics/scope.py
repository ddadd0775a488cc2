"""The records that a statistic covers, and the URL that lists them in the explorer."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from urllib.parse import urlencode

from django.urls import reverse

from explore.metrics.record_counts import Span

Wanted = str | float | list[str] | tuple[str, ...]
# What the filter of records takes: texts up to this length that are not blank.
LONGEST_TEXT = 1_000
# A dashboard has hundreds of links, the same ones each time.
KEPT = 4_096


@dataclass(frozen=True, slots=True)
class Scope:
    """The records of one source or all, dated within a span or whatever their date."""

    source: str | None = None
    span: Span | None = None
    moments: tuple[datetime, datetime] | None = None

    def of(self, source: str) -> "Scope":
        """The same days of one source."""
        return replace(self, source=source)

    def within(self, span: Span) -> "Scope":
        """Only those of the days of a span that are in this scope."""
        if self.span:
            span = Span(max(span.first, self.span.first), min(span.last, self.span.last))
        return replace(self, span=span)

    def between(self, start: datetime, end: datetime) -> "Scope":
        """Only those from a moment on, and before another one."""
        return replace(self, moments=(start, end))

    def url(self, **wanted: Wanted) -> str:
        """Where the explorer lists exactly these records, filtered further by what is wanted."""
        query: dict[str, Wanted] = {"source": self.source} if self.source else {}
        if self.moments:
            query["time_from"], query["time_to"] = (f"{at:%Y-%m-%dT%H:%M}Z" for at in self.moments)
        elif self.span:
            query["time_from"] = _midnight(self.span.first)
            if self.span.last < date.max:
                query["time_to"] = _midnight(self.span.last + timedelta(days=1))
        return url_of(query | wanted)


def url_of(wanted: dict[str, Wanted]) -> str:
    """The explorer with these filters."""
    return _explorer(tuple((name, _exact(value)) for name, value in wanted.items()))


@lru_cache(KEPT)
def _explorer(query: tuple[tuple[str, str | tuple[str, ...]], ...]) -> str:
    return f"{reverse('explorer')}?{urlencode(query, doseq=True)}".removesuffix("?")


def _exact(value: Wanted) -> str | tuple[str, ...]:
    """A value as text, all digits of a number included."""
    if isinstance(value, str):
        return value
    return repr(value) if isinstance(value, float | int) else tuple(value)


def can_be_asked_for(text: str | None) -> bool:
    """Whether the filter of records can be given a text, such as a category."""
    return bool(text and text.strip()) and len(text or "") <= LONGEST_TEXT


def _midnight(day: date) -> str:
    """The counters' days are those of UTC, whatever the time zone of the installation."""
    return f"{day}T00:00Z"
