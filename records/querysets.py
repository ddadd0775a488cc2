"""One-table reads, by name."""

from collections.abc import Collection
from datetime import UTC, date, datetime, time
from typing import Any, Self

from django.db import models
from django.db.models import Q, Sum
from django.utils import timezone


def key_range(source: str, field: str = "id") -> Q:
    """The ids of a source: every key behind ``<source>:``. ";" is the byte after ":"."""
    return Q((f"{field}__gte", f"{source}:"), (f"{field}__lt", f"{source};"))


class SourceQuerySet(models.QuerySet[Any]):
    """Reads of sources."""


class RunQuerySet(models.QuerySet[Any]):
    """Reads of ingestion runs and processing runs."""

    def active(self) -> Self:
        return self.filter(state__in=["queued", "running"])

    def claimable(self, *, now: datetime | None = None) -> Self:
        """Runs that no living worker holds."""
        now = now or timezone.now()
        return self.filter(
            Q(state="queued") | Q(state="running", lease_until__lt=now),
        )

    def unwoken(self, since: datetime) -> Self:
        """Runs for which no wake-up call has been enqueued since then."""
        return self.filter(Q(woken_at=None) | Q(woken_at__lt=since))

    def with_source(self) -> Self:
        return self.select_related("source", "user")


class RecordQuerySet(models.QuerySet[Any]):
    """Reads of records."""

    def of_source(self, source: str) -> Self:
        """The records of one source, as a range of the primary key."""
        return self.filter(key_range(source))

    def with_ids(self, ids: Collection[str]) -> Self:
        """The records with these ids: a batch of them, as SQLite takes 32,766 parameters."""
        return self.filter(id__in=ids)

    def after(self, cursor: str) -> Self:
        """The records whose id comes behind the cursor."""
        return self.filter(id__gt=cursor) if cursor else self


class CountQuerySet(models.QuerySet[Any]):
    """Reads of the counters of records."""

    def of_source(self, source: str | None) -> Self:
        """The counters of one source; of all without one."""
        return self if source is None else self.filter(source=source)

    def between(self, first: date, last: date) -> Self:
        """The counters of these days, both included."""
        return self.filter(day__range=(first, last))

    def per_status(self, *keys: str) -> Self:
        """Rows of {keys.., status, records}: the counts added up over everything else."""
        return self.order_by().values(*keys, "status").annotate(records=Sum("count"))


class ResultQuerySet(models.QuerySet[Any]):
    """Reads of results."""

    def current(self) -> Self:
        """The one result of each record that counts today."""
        return self.filter(current=True)

    def of_source(self, source: str | None) -> Self:
        """The results of one source's records, as a range of their ids; of all without one."""
        return self if source is None else self.filter(key_range(source, "record_id"))

    def dated(self, first: date, last: date) -> Self:
        """The results of records whose timestamp lies on these days (UTC), both included."""
        start = datetime.combine(first, time.min, UTC)
        return self.filter(
            record__timestamp__gte=start,
            record__timestamp__lte=datetime.combine(last, time.max, UTC),
        )

    def with_value(self, *, repaired: bool = False) -> Self:
        """Successful results with a value that can be drawn and averaged.

        Repaired values are left out unless asked for. So are values beyond 1e300, of which a
        database can't form a sum.
        """
        found = self.filter(success=True, value__range=(-1e300, 1e300))
        return found if repaired else found.filter(repaired=False)
