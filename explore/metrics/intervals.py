"""Groups days into the steps of a time axis: days, weeks, months or years."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import accumulate

from django.conf import settings

from explore.metrics.record_counts import Days, Span, Totals, add_up

# Days that can have a bar each.
MOST_BARS = 100
# So many days at most can be shown by each of these steps.
LONGEST = {"day": MOST_BARS, "week": 750, "month": 366 * 15}
# As many records may be left out of the drawing: a share of all, or so few.
FEW_SHARE = 1 / 20
FEW = 5
# How many times longer than what is drawn the whole must be for that.
MANY_TIMES = 10


@dataclass(frozen=True, slots=True)
class Drawn:
    """The days that a chart shows, and those before and after them that it only counts."""

    days: Days
    before: Days = field(default_factory=Days)
    after: Days = field(default_factory=Days)


def where_most_lie(days: Days) -> Drawn:
    """The days without the few that lie so far off that they would press all others together.

    A wrong date such as 0001-01-01 is found by its distance from the middle half of the records.
    """
    span = days.span
    if span is None or span.days <= MOST_BARS:
        return Drawn(days)
    ordered = sorted(days.dated)
    reached = list(accumulate(days.dated[day].total for day in ordered))
    total = reached[-1]
    low = next(d for d, n in zip(ordered, reached, strict=True) if n > total // 4)
    high = next(d for d, n in zip(ordered, reached, strict=True) if n >= total - total // 4)
    reach = max(MOST_BARS, MANY_TIMES * Span(low, high).days)
    near = days.within(
        Span(
            date.fromordinal(max(low.toordinal() - reach, date.min.toordinal())),
            date.fromordinal(min(high.toordinal() + reach, date.max.toordinal())),
        )
    )
    core = near.span
    left_out = total - near.totals.total
    if (
        core is None
        or span.days <= MANY_TIMES * core.days
        or left_out > max(FEW, total * FEW_SHARE)
    ):
        return Drawn(days)
    return Drawn(
        near,
        before=Days({day: t for day, t in days.dated.items() if day < core.first}),
        after=Days({day: t for day, t in days.dated.items() if day > core.last}),
    )


def unit_of(span: Span) -> str:
    """The step by which a chart can show a span: day, week, month or year."""
    for unit, most_days in LONGEST.items():
        if span.days <= most_days:
            return unit
    return "year"


def in_steps(days: Days) -> tuple[str, dict[date, Totals]]:
    """The days in as many steps as a chart can show."""
    unit = unit_of(days.span) if days.span else "day"
    parts: dict[date, list[Totals]] = defaultdict(list)
    for day, totals in days.dated.items():
        parts[_start(day, unit)].append(totals)
    return unit, {start: add_up(found) for start, found in sorted(parts.items())}


def _start(day: date, unit: str) -> date:
    if unit == "week":
        return day - timedelta(days=min(_day_of_week(day), day.toordinal() - 1))
    if unit == "month":
        return day.replace(day=1)
    return day.replace(month=1, day=1) if unit == "year" else day


def week_start() -> int:
    """How many days after Sunday weeks begin: 1 for Monday, 0 for Sunday."""
    return int(settings.WEEK_STARTS_ON == "monday")


def _day_of_week(day: date) -> int:
    """How many days its week has before a day."""
    return (day.isoweekday() - week_start()) % 7


def end_of(start: date, unit: str) -> date:
    """The last day of a step."""
    if unit == "day":
        return start
    if unit == "week":
        # The first week of the calendar may be a short one.
        length = 6 - _day_of_week(start)
        return start + timedelta(days=min(length, date.max.toordinal() - start.toordinal()))
    if unit == "year" or start.month == 12:
        return start.replace(month=12, day=31)
    return start.replace(month=start.month + 1) - timedelta(days=1)
