"""Values over time: the median of each step, the half of the values around it, and anomalies.

Ranks within each step tell them, which takes one sort of all values that are looked at: so these
are bounded.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from django.db.models import Count, F, Func, Max, Min, Q, TextField, Window
from django.db.models.functions import RowNumber

from explore.metrics.intervals import unit_of, week_start, where_most_lie
from explore.metrics.record_counts import Days, Span
from records.models.querysets import ResultQuerySet

# As many of the newest records are looked at.
MOST = 500_000
# How the text of a moment is cut to that of its step, and read again.
LENGTHS = {"hour": 13, "day": 10, "month": 7, "year": 4}
FORMATS = {"hour": "YYYY-MM-DD HH24", "day": "YYYY-MM-DD", "month": "YYYY-MM", "year": "YYYY"}
# The day that a week begins on, so many days after Sunday. The first week of the calendar may be
# a short one.
WEEK_IN_POSTGRESQL = (
    "to_char(greatest((%(expressions)s AT TIME ZONE 'UTC')::date - "
    "mod(extract(dow FROM %(expressions)s AT TIME ZONE 'UTC')::int + 7 - {0}, 7), "
    "'0001-01-01'), 'YYYY-MM-DD')"
)
# The last microsecond of a day would be rounded to the next one.
WEEK_IN_SQLITE = "max(date(substr(%(expressions)s, 1, 10), '-6 days', 'weekday {0}'), '0001-01-01')"


@dataclass(frozen=True, slots=True)
class Interval:
    """The values of a step of time that are no anomalies, by rank, and the anomalies beside them.

    Of ``number`` values a quarter lies at or below ``lower``, and three quarters at or below
    ``upper``. ``low`` and ``high`` are the extremes of the ``anomalies`` flagged ones.
    """

    start: datetime
    number: int = 0
    least: float | None = None
    lower: float | None = None
    median: float | None = None
    upper: float | None = None
    greatest: float | None = None
    anomalies: int = 0
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class TimeSeries:
    """The steps in which there are values; ``span`` holds the days that were looked at."""

    unit: str = "day"
    span: Span | None = None
    steps: list[Interval] = field(default_factory=list)
    # Records dated outside of that span, before and after it.
    earlier: int = 0
    later: int = 0


class Moment(Func):
    """The text of a moment (UTC) up to its hour, day, month or year, or the day its week begins."""

    output_field = TextField()

    def __init__(self, name: str, unit: str) -> None:
        super().__init__(F(name))
        self.unit = unit

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = WEEK_IN_POSTGRESQL.format(week_start())
        if self.unit != "week":
            template = f"to_char(%(expressions)s AT TIME ZONE 'UTC', '{FORMATS[self.unit]}')"
        return self.as_sql(compiler, connection, template=template)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = WEEK_IN_SQLITE.format(week_start())
        if self.unit != "week":
            template = f"substr(%(expressions)s, 1, {LENGTHS[self.unit]})"
        return self.as_sql(compiler, connection, template=template)


def time_series(
    results: ResultQuerySet, days: Days, *, by_hour: bool, repaired: bool
) -> TimeSeries:
    """The values among the results of records that lie on ``days``, over time."""
    shown = where_most_lie(_newest(days)).days.span
    if shown is None:
        return TimeSeries()
    unit = "hour" if by_hour else unit_of(shown)
    usable = results.with_value(repaired=repaired).dated(*shown)
    usable = usable.annotate(step=Moment("record__timestamp", unit))
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for step, place, size, value in _ranked(usable.filter(anomaly=None)):
        _place(found[step], place, size, value)
    for row in _flagged(usable.exclude(anomaly=None)):
        found[row.pop("step")].update(row)
    return TimeSeries(
        unit=unit,
        span=shown,
        steps=[Interval(_start(text), **found[text]) for text in sorted(found)],
        earlier=sum(totals.total for day, totals in days.dated.items() if day < shown.first),
        later=sum(totals.total for day, totals in days.dated.items() if day > shown.last),
    )


def _newest(days: Days) -> Days:
    """The newest days, of at most MOST records; of one day all of them."""
    left, first = MOST, None
    for day in sorted(days.dated, reverse=True):
        left -= days.dated[day].total
        if left < 0 and first:
            break
        first = day
    return days.within(Span(first, max(days.dated))) if first else Days()


def _ranked(usable: ResultQuerySet) -> Any:
    """(step, place, size, value) of the values that tell a step: its ends, median and quarters."""
    size = F("size")
    places = (1, size, (size + 1) / 2, (size + 2) / 2, (size + 3) / 4, (size * 3 + 3) / 4)
    wanted = Q()
    for place in places:
        wanted |= Q(place=place)
    ranked = usable.annotate(
        place=Window(RowNumber(), partition_by=F("step"), order_by=F("value").asc()),
        size=Window(Count("pk"), partition_by=F("step")),
    )
    return (
        ranked.filter(wanted)
        .order_by("step", "place")
        .values_list("step", "place", "size", "value")
    )


def _place(step: dict[str, Any], place: int, size: int, value: float) -> None:
    """Take the value at a place (from 1) for what it tells of its step; medians are averaged."""
    step["number"] = size
    if place == (size + 3) // 4:
        step["lower"] = value
    if place == (size * 3 + 3) // 4:
        step["upper"] = value
    if place == (size + 1) // 2:
        step["median"] = value
    if place == (size + 2) // 2:
        step["median"] = (step["median"] + value) / 2
    if place == 1:
        step["least"] = value
    if place == size:
        step["greatest"] = value


def _flagged(usable: ResultQuerySet) -> Any:
    return usable.values("step").annotate(
        anomalies=Count("pk"), low=Min("value"), high=Max("value")
    )


def _start(text: str) -> datetime:
    """The moment at which a step of this text begins."""
    if " " in text:
        return datetime.strptime(text, "%Y-%m-%d %H").replace(tzinfo=UTC)
    day = date.fromisoformat(f"{text}-01-01"[: LENGTHS["day"]])
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
