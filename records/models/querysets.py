"""Named queries on single tables."""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Self

from django.db import models
from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, Sum, Window
from django.db.models.functions import Cast, RowNumber, TruncHour

from records.models.visibility import VisibleManager
from records.no_day import NO_DAY
from records.reject_codes import NO_DATA
from records.visible_sources import check_visible

# The statuses of the records that a processing run processes, by its selection; None: any.
SELECTED: dict[str, tuple[str, ...] | None] = {
    "raw": ("raw",),
    "failed": ("failed",),
    "changed": ("processed", "failed"),
    "all": None,
}


# The status under which counters have records that are closed, whatever theirs is.
CLOSED = "closed"


def key_range(source: str, field: str = "id") -> Q:
    """The ids of a source: every key behind ``<source>:``. ";" is the byte after ":"."""
    return Q((f"{field}__gte", f"{source}:"), (f"{field}__lt", f"{source};"))


def _on_days(field: str, first: date, last: date) -> Q:
    start, end = datetime.combine(first, time.min, UTC), datetime.combine(last, time.max, UTC)
    return Q((f"{field}__gte", start), (f"{field}__lte", end))


# How many sources, the newest, are compared with the columns of an input.
COMPARED = 500


class SourceQuerySet(models.QuerySet[Any]):
    """Reads of sources."""

    def names(self) -> list[str]:
        return list(self.order_by("name").values_list("name", flat=True))

    def named(self, name: str) -> Any:
        """The source of this name; None where there is none. No name holds a NUL."""
        return None if "\0" in name else self.filter(name=name).first()

    def ensured(self, name: str, *, draft: bool = False) -> Any:
        """The source of this name; made if there is none, for drafts only if it is a ``draft``.

        Raises PermissionDenied for a hidden one.
        """
        check_visible(name)
        source, _ = self.get_or_create(name=name, defaults={"is_draft": draft})
        if source.is_draft and not draft:
            self.filter(pk=source.pk).update(is_draft=False)
            source.is_draft = False
        return source

    def with_columns(self, columns: Sequence[str]) -> list[str]:
        """The names of sources whose last input had these columns, in any order."""
        known = self.exclude(columns=[]).order_by("-pk").values_list("name", "columns")[:COMPARED]
        return sorted(name for name, others in known if sorted(others) == sorted(columns))

    def with_rule_version(self) -> Self:
        """With ``rule_version``, the number of the rule set in force, or None."""
        return self.annotate(rule_version=Max("rule_sets__version")).order_by("name")


class RunQuerySet(models.QuerySet[Any]):
    """Reads of ingestion runs and processing runs."""

    def active(self) -> Self:
        return self.filter(state__in=["queued", "running"])

    def claimable(self, *, now: datetime) -> Self:
        """Runs that no living worker holds, and that don't wait for their environment."""
        return self.due(now).filter(Q(state="queued") | Q(state="running", lease_until__lt=now))

    def due(self, now: datetime) -> Self:
        """Runs that need not wait for a later time to be tried again."""
        return self.filter(Q(retry_at=None) | Q(retry_at__lte=now))

    def leased(self, now: datetime) -> Self:
        """Runs that a living worker holds."""
        return self.filter(state="running", lease_until__gte=now)

    def waiting(self) -> Self:
        """Runs that wait until their environment is as it should be."""
        return self.filter(state="queued", retry_at__isnull=False)

    def unwoken(self, since: datetime) -> Self:
        """Runs for which no wake-up call has been enqueued since then."""
        return self.filter(Q(woken_at=None) | Q(woken_at__lt=since))

    def covering(self, source: models.Model) -> Self:
        """Processing runs that take in a source: its own, and those over all sources."""
        return self.filter(Q(source=source) | Q(source=None))

    def with_source(self) -> Self:
        return self.select_related("source", "user")

    def finished(self) -> Self:
        """Runs that went through all there was, the newest first."""
        return self.filter(state="finished").order_by("-id")

    def last_of_each_source(self, number: int) -> Self:
        """The last finished runs of every source that read an input, so many of each."""
        place = Window(RowNumber(), partition_by=F("source_id"), order_by=F("id").desc())
        read = self.finished().filter(read__gt=0, parent=None)
        return read.annotate(place=place).filter(place__lte=number)

    def failed_since_success(self) -> "models.QuerySet[Any, Any]":
        """Rows of {source__name, times, since, last}: loads that failed since one has finished.

        ``last`` is the number of the last of them.
        """
        finished = Window(
            Count("pk", filter=Q(state="finished")),
            partition_by=F("source_id"),
            order_by=F("id").desc(),
        )
        # As a window over all loads: asking for each failed one, what finished before it, would
        # take the square of the time where thousands have failed.
        loads = self.filter(parent=None, state__in=["finished", "failed"])
        failed = loads.annotate(finished_since=finished).filter(finished_since=0)
        since: models.QuerySet[Any, Any] = (
            self.model.objects.filter(pk__in=failed.values("pk"))
            .order_by()
            .values("source__name")
            .annotate(times=Count("pk"), since=Min("finished_at"), last=Max("pk"))
        )
        return since

    def ended(self) -> dict[str, Any]:
        """What changes when a run ends, or is undone."""
        states = {
            state: Count("pk", filter=Q(state=state)) for state in ("finished", "failed", "undone")
        }
        return self.order_by().aggregate(last=Max("finished_at"), **states)

    def standing(self, *counts: str) -> dict[str, Any]:
        """What changes with every batch of every run: how many there are, and their counts."""
        sums = {name: Sum(name) for name in counts}
        undone = Count("pk", filter=Q(state="undone"))
        return self.order_by().aggregate(runs=Max("pk"), undone=undone, **sums)


class RecordQuerySet(models.QuerySet[Any]):
    """Reads of records."""

    def find(self, record_id: str) -> Any:
        """The record with this id, or None. It may hold any character that a URL can."""
        # PostgreSQL takes no NUL character, not even in a question.
        return None if "\0" in record_id else self.filter(pk=record_id).first()

    def of_source(self, source: str) -> Self:
        """The records of one source, as a range of the primary key."""
        return self.filter(key_range(source))

    def open(self) -> Self:
        """The records that are not closed."""
        return self.filter(closed_by=None)

    def closed(self) -> Self:
        """The records whose keys were missing from a snapshot, and have not come again."""
        return self.filter(closed_by__isnull=False)

    def with_ids(self, ids: Collection[str]) -> Self:
        """The records with these ids: a batch of them, as SQLite takes 32,766 parameters."""
        return self.filter(id__in=ids)

    def after(self, cursor: str) -> Self:
        """The records whose id comes behind the cursor."""
        return self.filter(id__gt=cursor) if cursor else self

    def created_by(self, run: models.Model) -> Self:
        """The records that a run has created and nothing has changed since."""
        return self.filter(run=run, version=1)

    def awaiting(self, source: str | None = None) -> Self:
        """The raw records, of one source or all, in the order in which they are processed."""
        found = self if source is None else self.of_source(source)
        return found.open().filter(status="raw").order_by("id")

    def dated(self, first: date, last: date) -> Self:
        """The records whose timestamp lies on these days (UTC), both included."""
        return self.filter(_on_days("timestamp", first, last))

    def per_hour(self) -> "models.QuerySet[Any, Any]":
        """Rows of {hour (UTC), status, records}."""
        hours = self.order_by().values("status", hour=TruncHour("timestamp", tzinfo=UTC))
        counted: models.QuerySet[Any, Any] = hours.annotate(records=Count("pk"))
        return counted

    def selected(self, selection: str) -> Self:
        """The records that a processing run of this selection processes."""
        statuses, found = SELECTED[selection], self.open()
        return found.filter(status__in=statuses) if statuses else found

    def texts(self) -> "models.QuerySet[Any, tuple[str, str]]":
        """Id and data of each record, the data as JSON text: a quick parser may read it."""
        return self.values_list("id", Cast("data", models.TextField()))


class VersionQuerySet(models.QuerySet[Any]):
    """Reads of what records were before."""

    def updated_by(self, run: models.Model) -> Self:
        """What the updates of a run have replaced: one row for each that its ledger counts."""
        return self.filter(replaced_by_run=run, reason="update")

    def created_by(self, run: models.Model) -> Self:
        """The first content of those records that a run has created and others changed since."""
        return self.filter(run=run, version=1)


class RejectedQuerySet(models.QuerySet[Any]):
    """Reads of rejected rows."""

    def open(self) -> Self:
        """Those that have not been replayed, of runs that have not been undone."""
        return self.filter(resolved_by=None).exclude(run__state="undone")

    def in_state(self, state: str) -> Self:
        """Those that are ``open``, those that have been ``resolved`` by a replay, or ``all``."""
        if state == "open":
            return self.open()
        return self.exclude(resolved_by=None) if state == "resolved" else self

    def of_run(self, run: models.Model) -> Self:
        """The rejected rows of a run, and of the replays that took up some of them again."""
        return self.filter(Q(run=run) | Q(run__parent=run))

    def chosen(self, selection: str | list[int] | None) -> Self:
        """Those that a replay takes: with these ids, with this reject code, or all but those that
        are no data."""
        if isinstance(selection, str):
            return self.filter(code=selection)
        if selection is None:
            return self.exclude(code__in=NO_DATA)
        return self.filter(pk__in=selection)

    def newest(self) -> Any:
        """The row that was rejected last, with its reason but not its bytes; None without any."""
        return self.order_by("-id").defer("raw", "fixed").first()

    def of_source(self, source: str) -> Self:
        return self.filter(run__source__name=source)

    def per_code(self) -> "models.QuerySet[Any, Any]":
        """Rows of {code, rows}, the most frequent reason first."""
        counted: models.QuerySet[Any, Any] = (
            self.order_by().values("code").annotate(rows=Count("pk"))
        )
        return counted.order_by("-rows", "code")

    def last_id(self) -> int:
        return int(self.order_by().aggregate(last=Max("pk"))["last"] or 0)


class CountQuerySet(models.QuerySet[Any]):
    """Reads of the counters of records."""

    def of_source(self, source: str | None) -> Self:
        """The counters of one source; of all without one."""
        return self if source is None else self.filter(source=source)

    def open(self) -> Self:
        """The counters of records that are not closed."""
        return self.exclude(status=CLOSED)

    def records(self) -> int:
        """How many records are counted."""
        return int(self.order_by().aggregate(records=Sum("count"))["records"] or 0)

    def selected(self, selection: str, source: str | None = None) -> int:
        """How many records a processing run of this selection would process."""
        found, statuses = self.of_source(source).open(), SELECTED[selection]
        if statuses:
            found = found.filter(status__in=statuses)
        return found.records()

    def sources_with_raw(self) -> "models.QuerySet[Any, Any]":
        """The names of the sources that have records waiting to be processed."""
        raw = self.order_by().filter(status="raw").values("source")
        waiting: models.QuerySet[Any, Any] = raw.annotate(records=Sum("count"))
        return waiting.filter(records__gt=0).values_list("source", flat=True)

    def between(self, first: date, last: date) -> Self:
        """The counters of these days, both included."""
        return self.filter(day__range=(first, last)).exclude(day=NO_DAY)

    def per_day(self, *, newest_first: bool) -> "models.QuerySet[Any, tuple[date, int]]":
        """Each day and its records; those without a timestamp are among the oldest."""
        days = self.values_list("day").annotate(records=Sum("count"))
        return days.order_by("-day" if newest_first else "day")

    def per_status(self, *keys: str) -> Self:
        """Rows of {keys.., status, records}: the counts added up over everything else."""
        counted: Self = self.order_by().values(*keys, "status").annotate(records=Sum("count"))
        return counted


class ClosingQuerySet(models.QuerySet[Any]):
    """Reads of what snapshots have closed and reopened."""

    def standing(self) -> Self:
        """Those of runs that have not been undone."""
        return self.filter(undone_at=None)


class KeyQuerySet(models.QuerySet[Any]):
    """Reads of the ids that records had before runs gave them others."""

    def standing(self) -> Self:
        """Those of records that did not get their former id back."""
        return self.filter(undone_at=None)

    def led_from(self, record_id: str) -> Any:
        """The newest row of a record that had this id before; None if there is none."""
        if "\0" in record_id:
            return None
        return self.standing().filter(former_id=record_id).order_by("-id").first()


class ResultQuerySet(models.QuerySet[Any]):
    """Reads of results."""

    def current(self) -> Self:
        """The one result of each record that counts today."""
        return self.filter(current=True)

    def shown(self, closed: str = "") -> Self:
        """The one result of each record that a list shows: the current one.

        Closed records have none: theirs is the last one, if ``closed`` asks for these ("1"), or
        for all ("all").
        """
        if closed not in ("1", "all"):
            return self.current()
        newer = self.model.objects.filter(
            current=False, record_id=OuterRef("record_id"), pk__gt=OuterRef("pk")
        )
        is_last = Q(~Exists(newer), current=False, record__closed_by__isnull=False)
        is_last &= ~Q(record__status="raw")
        return self.filter(is_last if closed == "1" else Q(current=True) | is_last)

    def last_id(self) -> int:
        return int(self.order_by().aggregate(last=Max("pk"))["last"] or 0)

    def of_record(self, record_id: str) -> Self:
        """All results of a record. Asked for in two halves: each has its partial index."""
        return self.filter(
            Q(record_id=record_id, current=True) | Q(record_id=record_id, current=False)
        )

    def of_source(self, source: str | None) -> Self:
        """The results of one source's records, as a range of their ids; of all without one."""
        return self if source is None else self.filter(key_range(source, "record_id"))

    def dated(self, first: date, last: date) -> Self:
        """The results of records whose timestamp lies on these days (UTC), both included."""
        return self.filter(_on_days("record__timestamp", first, last))

    def with_value(self, *, repaired: bool = False) -> Self:
        """Successful results with a value that can be drawn and averaged.

        Repaired values are excluded by default. So are values beyond 1e300, of which a
        database can't form a sum.
        """
        found = self.filter(success=True, value__range=(-1e300, 1e300))
        return found if repaired else found.filter(repaired=False)


class _KnownSources(VisibleManager):
    """The sources that may be seen, without those that only drafts have so far."""

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(is_draft=False)


# Made here, not by as_manager() in the models, so that types know the methods.
SourceManager = _KnownSources.from_queryset(SourceQuerySet)
EverySourceManager = models.Manager.from_queryset(SourceQuerySet)
RunManager = VisibleManager.from_queryset(RunQuerySet)
RecordManager = VisibleManager.from_queryset(RecordQuerySet)
ResultManager = VisibleManager.from_queryset(ResultQuerySet)
CountManager = VisibleManager.from_queryset(CountQuerySet)
ClosingManager = VisibleManager.from_queryset(ClosingQuerySet)
KeyManager = VisibleManager.from_queryset(KeyQuerySet)
VersionManager = VisibleManager.from_queryset(VersionQuerySet)
RejectedManager = VisibleManager.from_queryset(RejectedQuerySet)
