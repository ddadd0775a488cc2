"""Figures over records, from the counters that the store keeps."""

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Sum

from records.models import RecordCount


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
    def success_rate(self) -> float:
        """The share of processed ones among those worked on, in percent; 0 when there are none."""
        worked_on = self.processed + self.failed
        return self.processed / worked_on * 100 if worked_on else 0.0


def totals(source: str | None = None) -> Totals:
    """The totals of one source, or of all of them."""
    counts = RecordCount.objects.all() if source is None else RecordCount.objects.filter(source=source)
    return Totals(**dict(counts.values_list("status").annotate(Sum("count")).order_by()))


def by_source() -> dict[str, Totals]:
    """The totals of every source that has ever had records, by its name."""
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    rows = RecordCount.objects.values_list("source", "status").annotate(Sum("count"))
    for source, status, count in rows.order_by("source"):
        counts[source][status] = count
    return {source: Totals(**by_status) for source, by_status in counts.items()}
