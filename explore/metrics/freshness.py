"""How fresh and how healthy sources are."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from statistics import median

from django.utils import timezone

from ingestion.loading.failing import Failing, failing
from records.models import Feed, IngestionRun
from records.models.querysets import RunQuerySet
from records.visible_sources import visible_marks
from web.process_cache import process_cache

# How many of the last runs of a source tell what is usual.
USUAL = 20
# How many runs that takes at least.
FEWEST = 4
# A source is late after so many times its usual gap; files that a person has loaded one after the
# other are no rhythm.
LATE = 2
SOONEST = timedelta(hours=1)
# A volume is unusual beyond so many times the usual one, or below that part of it.
MANY_TIMES = 3
# Seconds for which it is kept who is late.
KEPT = 60


@dataclass(frozen=True, slots=True)
class Freshness:
    """How a source stands: when it was last read, by which run, and how that compares with what
    is usual.

    ``last`` and ``run`` are None before anything has been read; ``rhythm`` and ``usual_rows`` are
    None before there are enough runs to tell.
    """

    source: str
    run: int | None = None
    last: datetime | None = None
    rows: int = 0
    rejected: int = 0
    rhythm: timedelta | None = None
    usual_rows: float | None = None
    failing: Failing | None = None
    # Since when its feed is due without having been started.
    due: datetime | None = None

    @property
    def is_late(self) -> bool:
        if self.last is None:
            return False
        silent = timezone.now() - self.last
        return self.rhythm is not None and silent > max(LATE * self.rhythm, SOONEST)

    @property
    def share_of_usual(self) -> float | None:
        """The rows of the last run, in percent of the usual number."""
        return self.rows / self.usual_rows * 100 if self.usual_rows else None

    @property
    def is_unusual(self) -> bool:
        share = self.share_of_usual
        return share is not None and not 100 / MANY_TIMES <= share <= 100 * MANY_TIMES

    @property
    def is_mostly_rejected(self) -> bool:
        return self.rejected * 2 > self.rows

    @property
    def state(self) -> str:
        """What is wrong with it, in a word or two; empty where nothing is."""
        words = {
            self.failing.state if self.failing else "": self.failing is not None,
            "never imported": self.last is None and self.failing is None,
            "overdue": self.due is not None,
            "late": self.is_late,
            "unusual volume": self.is_unusual,
            "mostly rejected": self.is_mostly_rejected,
        }
        return ", ".join(word for word, applies in words.items() if applies)


def freshness(source: str | None = None) -> list[Freshness]:
    """Every source that was loaded, or is to load itself: those first whose loads fail, then those
    with which something else is wrong.

    Pages ask for it all the time: while no run has ended, it is made once a minute.
    """
    runs, feeds = IngestionRun.objects.all(), Feed.objects.all()
    if source:
        runs, feeds = runs.filter(source__name=source), feeds.filter(source__name=source)
    due = {feed.source.name: feed.overdue_since for feed in feeds.select_related("source")}
    marks = (runs.ended(), due)
    key = f"freshness-{sha256(repr((source, visible_marks())).encode()).hexdigest()}"
    kept = process_cache.get(key)
    if kept and kept[0] == marks:
        listed: list[Freshness] = kept[1]
        return listed
    listed = _listed(source, runs, due)
    process_cache.set(key, (marks, listed), KEPT)
    return listed


def _listed(
    source: str | None, runs: RunQuerySet, due: Mapping[str, datetime | None]
) -> list[Freshness]:
    found: dict[str, list[tuple[datetime, int, int, int]]] = defaultdict(list)
    for name, at, run, read, rejected in runs.last_of_each_source(USUAL + 1).values_list(
        "source__name", "finished_at", "pk", "read", "rejected"
    ):
        if at is not None:
            found[name].append((at, run, read, rejected))
    failed = failing(source)
    listed = [
        replace(_freshness(name, sorted(found[name])), failing=failed.get(name), due=due.get(name))
        for name in sorted({*found, *failed, *due})
    ]
    return sorted(listed, key=lambda item: (item.failing is None, not item.state))


def _freshness(source: str, runs: Sequence[tuple[datetime, int, int, int]]) -> Freshness:
    """``runs`` are (finished, number, read, rejected), the oldest first."""
    if not runs:
        return Freshness(source)
    *former, (last, run, rows, rejected) = runs
    gaps = [(later[0] - earlier[0]).total_seconds() for earlier, later in pairwise(runs)]
    is_known = len(runs) >= FEWEST
    return Freshness(
        source=source,
        run=run,
        last=last,
        rows=rows,
        rejected=rejected,
        rhythm=timedelta(seconds=median(gaps)) if is_known else None,
        usual_rows=median(read for _, _, read, _ in former) if is_known else None,
    )
