"""Days -> the steps of an axis of time: days, weeks, months or years."""

from collections import defaultdict
from datetime import date, timedelta

import altair as alt

from records.stats import Days, Totals, add_up

TIME_UNITS = {
    "day": alt.TimeUnitParams(unit="utcyearmonthdate"),
    "week": alt.TimeUnitParams(unit="utcyearweek"),
    "month": alt.TimeUnitParams(unit="utcyearmonth"),
    "year": alt.TimeUnitParams(unit="utcyear"),
}


def in_steps(days: Days) -> tuple[str, dict[date, Totals]]:
    """The days in as many steps as a chart can show: by day, week, month or year."""
    span = days.span
    length = span.days if span else 0
    unit = "day" if length <= 100 else "week" if length <= 750 else "month"
    if length > 366 * 15:
        unit = "year"
    parts: dict[date, list[Totals]] = defaultdict(list)
    for day, totals in days.dated.items():
        parts[_start(day, unit)].append(totals)
    return unit, {start: add_up(found) for start, found in sorted(parts.items())}


def _start(day: date, unit: str) -> date:
    if unit == "week":
        # Vega's weeks begin on Sunday.
        since_sunday = day.isoweekday() % 7
        return day - timedelta(days=min(since_sunday, day.toordinal() - 1))
    if unit == "month":
        return day.replace(day=1)
    return day.replace(month=1, day=1) if unit == "year" else day


def time_format(unit: str, *, full: bool = False) -> str:
    if unit == "year":
        return "%Y"
    if unit == "day" or full:
        return "%-d %b %Y" if full else "%-d %b"
    return "%b %Y"
