"""Sources whose last loads failed."""

from dataclasses import dataclass
from datetime import datetime

from records.models import IngestionRun


@dataclass(frozen=True, slots=True)
class Failing:
    """That the last loads of a source failed: how many since when, the last of them, and why."""

    times: int
    since: datetime
    run: int
    error: str

    @property
    def state(self) -> str:
        """How many, in words."""
        return "failed" if self.times == 1 else f"failed {self.times:,} times"


def failing(source: str | None = None) -> dict[str, Failing]:
    """The sources, or the one, whose last loads failed, by name."""
    runs = IngestionRun.objects.all()
    if source:
        runs = runs.filter(source__name=source)
    rows = list(runs.failed_since_success())
    if not rows:
        return {}
    errors = dict(runs.filter(pk__in=[row["last"] for row in rows]).values_list("pk", "error"))
    return {
        row["source__name"]: Failing(
            times=row["times"], since=row["since"], run=row["last"], error=errors[row["last"]]
        )
        for row in rows
    }
