"""The sort orders of records."""

from typing import NamedTuple

from django.db.models import F

from records.models.querysets import RecordQuerySet


class Order(NamedTuple):
    """By id; with ``time``, the name of a column of moments, by that and then by id."""

    label: str
    descending: bool = False
    time: str | None = None

    def of(self, records: RecordQuerySet) -> RecordQuerySet:
        """The records in this order, those without a moment as the oldest: as pages show them."""
        sign = "-" if self.descending else ""
        if self.time is None:
            return records.order_by(f"{sign}id")
        moment = F(self.time)
        first = moment.desc(nulls_last=True) if self.descending else moment.asc(nulls_first=True)
        return records.order_by(first, f"{sign}id")


ORDERS = {
    "id": Order("ID, ascending"),
    "-id": Order("ID, descending", descending=True),
    "-timestamp": Order("Newest first", descending=True, time="timestamp"),
    "timestamp": Order("Oldest first", time="timestamp"),
}


def in_line_order(records: RecordQuerySet) -> RecordQuerySet:
    """Records in the order in which their inputs hold them, run after run."""
    return records.order_by("run_id", "line", "id")
