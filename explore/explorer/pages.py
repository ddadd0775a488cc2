"""Pages of the records that a filter finds.

In the order of time, a page would look at every record that there is, as an index of moments
costs every row that lands a fifth of its time. But counters tell in which days the next records
lie, and only those are looked at.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Q

from explore.filters import RecordQuery
from records.models import DataRecord, RecordCount
from records.models.querysets import CLOSED, RecordQuerySet
from records.no_day import NO_DAY
from web.keyset import NO_MOMENT, Page, page_of

# What counters tell of records. Where more is asked of them, a page of so many times as many
# records is likely to hold enough.
COUNTED = {"source", "status"}
ENOUGH = 20


def page_of_records(
    query: RecordQuery, records: RecordQuerySet, *, cursor: str | None, limit: int
) -> Page[DataRecord]:
    """A page of ``records``, which the query has found, in its order. Raises InvalidCursor."""
    order = query.order

    def nearby(moment: datetime | None, towards_newer: bool) -> Q | None:
        return _nearby(query, limit + 1, moment, towards_newer)

    return page_of(
        records,
        cursor=cursor,
        limit=limit,
        descending=order.descending,
        time=order.time,
        nearby=nearby,
    )


def _nearby(
    query: RecordQuery, records: int, moment: datetime | None, towards_newer: bool
) -> Q | None:
    """Where the next records behind a moment lie, from the end of all without one.

    As a condition on their timestamps; None for anywhere.
    """
    chosen = query.chosen
    wanted = records if chosen.keys() <= COUNTED else records * ENOUGH
    counters = RecordCount.objects.all()
    if query.closed == "0":
        counters = counters.open()
    elif query.closed == "1":
        counters = counters.filter(status=CLOSED)
    # Of closed records, counters do not know the status.
    known = COUNTED if query.closed == "0" else COUNTED - {"status"}
    for name in known & chosen.keys():
        counters = counters.filter(**{f"{name}__in": query.values[name]})
    days = counters.per_day(newest_first=not towards_newer)
    if moment is not None:
        start = moment.astimezone(UTC).date()
        days = days.filter(**{"day__gt" if towards_newer else "day__lt": start})
    last = _reached(days, wanted)
    if last is None or last <= NO_DAY or last == date.max:
        return None
    if not towards_newer:
        within = Q(timestamp__gte=_begin(last))
        return within if moment is None else within & Q(timestamp__lte=moment)
    within = Q(timestamp__lt=_begin(last + timedelta(days=1)))
    if moment is None or moment == NO_MOMENT:
        return within | Q(timestamp=None)
    return within & Q(timestamp__gte=moment)


def _reached(days: Iterable[tuple[date, int]], wanted: int) -> date | None:
    """The day by which so many records are counted; None where there are not so many."""
    counted = 0
    for day, records in days:
        counted += records
        if counted >= wanted:
            return day
    return None


def _begin(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
