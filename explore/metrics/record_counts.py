"""Statistics of records from the stored counters; none of them reads a record."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from django.utils import timezone

from records.models import RecordCount
from records.models.querysets import CLOSED
from records.no_day import NO_DAY


@dataclass(frozen=True, slots=True)
class Totals:
    """How many records there are, by status."""

    raw: int = 0
    processing: int = 0
    processed: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        return self.raw + self.processing + self.processed + self.failed

    @property
    def waiting(self) -> int:
        """The records without a result: raw ones, and those that are being worked on."""
        return self.raw + self.processing

    @property
    def worked_on(self) -> int:
        return self.processed + self.failed

    @property
    def success_rate(self) -> float:
        """The share of processed ones among those worked on, in percent; 0 when there are none."""
        return self.processed / self.worked_on * 100 if self.worked_on else 0.0


class Span(NamedTuple):
    """Days of timestamps (UTC), both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def before(self) -> "Span | None":
        """As many days right before it; None where the calendar has not as many."""
        if self.first.toordinal() - self.days <= date.min.toordinal():
            return None
        return Span(self.first - timedelta(days=self.days), self.first - timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Days:
    """The totals of each day (UTC) that has records, and of the records without a timestamp."""

    dated: dict[date, Totals] = field(default_factory=dict)
    undated: Totals = Totals()

    @property
    def span(self) -> Span | None:
        return Span(min(self.dated), max(self.dated)) if self.dated else None

    def last_days(self, number: int) -> Span | None:
        """The last ``number`` days up to the newest record that is not dated in the future.

        Counted from the newest record rather than from today, so that a feed which ended a year
        ago still has a last month.
        """
        today = timezone.now().date()
        newest = max((day for day in self.dated if day <= today), default=None)
        if newest is None:
            newest = max(self.dated, default=None)
        if newest is None:
            return None
        reach = min(number - 1, newest.toordinal() - 2)
        return Span(newest - timedelta(days=reach), newest)

    def within(self, span: Span) -> "Days":
        """Only the days of the span; records without a timestamp lie outside of every span."""
        return Days({day: t for day, t in self.dated.items() if span.first <= day <= span.last})

    @property
    def totals(self) -> Totals:
        return add_up([*self.dated.values(), self.undated])


def add_up(parts: Iterable[Totals]) -> Totals:
    """One total of many."""
    listed = list(parts)
    return Totals(
        raw=sum(part.raw for part in listed),
        processing=sum(part.processing for part in listed),
        processed=sum(part.processed for part in listed),
        failed=sum(part.failed for part in listed),
    )


def totals(source: str | None = None) -> Totals:
    """The totals of one source, or of all of them."""
    rows = RecordCount.objects.of_source(source).open().per_status()
    return Totals(**{row["status"]: row["records"] for row in rows})


def closed(source: str) -> int:
    """How many records of a source are closed."""
    return RecordCount.objects.of_source(source).filter(status=CLOSED).records()


def by_source(span: Span | None = None) -> dict[str, Totals]:
    """The totals of every source that has ever had records, by its name."""
    counters = RecordCount.objects.between(*span) if span else RecordCount.objects.all()
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for row in counters.open().per_status("source"):
        counts[row["source"]][row["status"]] = row["records"]
    return {source: Totals(**counts[source]) for source in sorted(counts)}


def by_day(source: str | None = None) -> Days:
    """The totals of each day, of one source or of all of them."""
    counts: dict[date, dict[str, int]] = defaultdict(dict)
    for row in RecordCount.objects.of_source(source).open().per_status("day"):
        if row["records"]:
            counts[row["day"]][row["status"]] = row["records"]
    undated = Totals(**counts.pop(NO_DAY, {}))
    return Days({day: Totals(**counts[day]) for day in sorted(counts)}, undated)
