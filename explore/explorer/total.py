"""How many records a list has in all."""

from datetime import datetime
from typing import NamedTuple

from django.db.models import Sum

from explore.filters import RecordQuery
from explore.questions.answer import NoAnswer, answered, opened
from explore.questions.question import Question
from records.models import RecordCount
from records.models.querysets import CLOSED

# What the counters of the store tell of records. Of closed ones they do not know the status.
COUNTED = {"source", "status", "closed"}
# What people wait for the number, beside a list that is there already.
SECONDS = 3.0


class Total(NamedTuple):
    """The number of matching records; ``as_of`` is the moment of it, None for now."""

    records: int
    as_of: datetime | None = None


def known_total(query: RecordQuery) -> Total | None:
    """The total where counters tell it, which costs next to nothing; None where they don't."""
    if not query.is_valid or not query.chosen.keys() <= COUNTED:
        return None
    counts = RecordCount.objects.all()
    if query.closed == "0":
        counts = counts.open()
    elif query.texts("status"):
        return None
    elif query.closed == "1":
        counts = counts.filter(status=CLOSED)
    for name in ("source", "status"):
        if wanted := query.texts(name):
            counts = counts.filter(**{f"{name}__in": wanted})
    return Total(int(counts.aggregate(records=Sum("count"))["records"] or 0))


def total_of(query: RecordQuery) -> Total | None:
    """The total, counted exactly; None if that takes too long. The query is valid.

    While a large import is not in the column store, it is that of an earlier moment.
    """
    if (known := known_total(query)) is not None:
        return known
    try:
        with opened(query) as (seen, fields):
            found = answered(Question(), query, seen, fields, seconds=SECONDS)
    except NoAnswer:
        return None
    moments = [behind.moment for behind in seen.as_of.behind]
    if None in moments:
        return None
    return Total(found.total.records, min(filter(None, moments), default=None))
