"""One-table reads, by name."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone


def key_range(source: str) -> Q:
    """The ids of a source: every key behind ``<source>:``. ";" is the byte after ":"."""
    return Q(id__gte=f"{source}:", id__lt=f"{source};")


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
