"""One-table reads, by name."""

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

    def with_source(self) -> Self:
        return self.select_related("source", "user")


class RecordQuerySet(models.QuerySet[Any]):
    """Reads of records."""

    def of_source(self, source: str) -> Self:
        """The records of one source, as a range of the primary key."""
        return self.filter(key_range(source))

    def after(self, cursor: str) -> Self:
        """The records whose id comes behind the cursor."""
        return self.filter(id__gt=cursor) if cursor else self
