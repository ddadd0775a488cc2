"""Statistics of runs: freshness and health of sources, and speed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from statistics import median, quantiles

from django.core.cache import cache
from django.utils import timezone

from records.models import Feed, IngestionRun, ProcessingRun
from records.querysets import RunQuerySet

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
# How many of the last runs tell how fast work goes.
LAST = 200


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


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast the last runs of a kind went.

    ``thousand`` is how many seconds 1,000 rows or records take, ``seconds`` how many a run takes:
    the median and the 95th percentile of all runs.
    """

    kind: str
    runs: int
    items: int
    per_second: float
    thousand: float
    thousand_p95: float
    seconds: float
    seconds_p95: float


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
    key = f"freshness-{sha256(repr(source).encode()).hexdigest()}"
    kept = cache.get(key)
    if kept and kept[0] == marks:
        listed: list[Freshness] = kept[1]
        return listed
    listed = _listed(source, runs, due)
    cache.set(key, (marks, listed), KEPT)
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


def speed(source: str | None = None) -> list[Speed]:
    """How fast rows were read and records processed, by the last finished runs that did any."""
    ingested, processed = IngestionRun.objects.finished(), ProcessingRun.objects.finished()
    if source:
        ingested, processed = (
            ingested.filter(source__name=source),
            processed.filter(source__name=source),
        )
    found = [
        _speed("Rows read", ingested.filter(read__gt=0), ["read"]),
        _speed("Records processed", processed, ["processed", "failed", "unchanged"]),
    ]
    return [item for item in found if item]


def _speed(kind: str, runs: RunQuerySet, counts: Sequence[str]) -> Speed | None:
    work = []
    for started, finished, *numbers in runs.values_list("started_at", "finished_at", *counts)[
        :LAST
    ]:
        if started and finished and finished > started and sum(numbers):
            work.append(((finished - started).total_seconds(), sum(numbers)))
    if not work:
        return None
    seconds = [length for length, _ in work]
    thousand = [length / number * 1000 for length, number in work]
    items = sum(number for _, number in work)
    return Speed(
        kind=kind,
        runs=len(work),
        items=items,
        per_second=items / sum(seconds),
        thousand=median(thousand),
        thousand_p95=_p95(thousand),
        seconds=median(seconds),
        seconds_p95=_p95(seconds),
    )


def _p95(numbers: Sequence[float]) -> float:
    """The 95th percentile."""
    return quantiles(numbers, n=20, method="inclusive")[-1] if len(numbers) > 1 else numbers[0]
