"""Runs: one loading of one input into one source, or one pass of processing."""

from datetime import datetime
from enum import StrEnum, auto

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Greatest
from django.utils import timezone

from records.database.clock import now
from records.models.feeds import Feed
from records.models.querysets import RunManager, RunQuerySet
from records.models.sources import Source
from web.links import HasPage


class RunState(models.TextChoices):
    # Waits for a person to look at its preview and say "load".
    DRAFT = "draft"
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNDONE = "undone"


class Selection(models.TextChoices):
    """Which records a processing run processes."""

    RAW = "raw", "Waiting records"
    ALL = "all", "All records"
    FAILED = "failed", "Failed records"
    # Those that have a result and would get another one; the others stay as they are.
    CHANGED = "changed", "Records whose result changes"


class RowsFrom(StrEnum):
    """Where the rows of an ingestion run come from."""

    FILE = auto()
    API = auto()
    # The rejected rows of its parent: a replay.
    REJECTED = auto()


class Run(models.Model):
    """What both kinds of run share: who started it, how it stands, and the lease of its worker.

    A run is worked on by the one worker whose name stands in ``worker`` while ``lease_until`` lies
    ahead. Each batch renews the lease in the transaction that commits its rows; a worker that is
    gone lets it lapse, and any other takes the run over where the last commit was.
    """

    state = models.CharField(
        max_length=10, choices=RunState.choices, default=RunState.QUEUED, db_index=True
    )
    # What started it: upload, page, api, command, schedule, worker or sample.
    trigger = models.CharField(max_length=20, db_column="how")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=100, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    # How often it was attempted since it last made progress.
    attempts = models.PositiveSmallIntegerField(default=0)
    woken_at = models.DateTimeField(null=True, blank=True)
    # Where the environment is at fault (a full disk, a missing folder) the run waits: for what, as
    # a sentence, until when, and how often in a row since it last made progress.
    waits_for = models.TextField(blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)
    pauses = models.PositiveSmallIntegerField(default=0)

    objects = RunManager()

    class Meta:
        abstract = True
        ordering = ["-id"]

    @property
    def is_active(self) -> bool:
        return self.state in (RunState.QUEUED, RunState.RUNNING)

    @property
    def is_waiting(self) -> bool:
        """Whether it waits until its environment is as it should be."""
        return self.state == RunState.QUEUED and self.retry_at is not None

    @property
    def is_held(self) -> bool:
        """Whether a worker is at work on it: one that is gone lets its lease lapse."""
        return (
            self.state == RunState.RUNNING
            and self.lease_until is not None
            and self.lease_until > now()
        )

    @property
    def waiting(self) -> str:
        """What it waits for, as a person reads it; "" where it does not."""
        if not self.is_active or self.is_held:
            return ""
        if self.is_waiting:
            return "Waiting"
        return (
            "Waiting for a worker"
            if self.state == RunState.QUEUED
            else "Interrupted, waiting for a worker"
        )

    @property
    def seconds(self) -> float | None:
        """How long the work took, from its first start; None before it has ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()

    @property
    def elapsed(self) -> float:
        """Seconds since its first start, until it ended or until now; 0 before it has started."""
        if self.started_at is None:
            return 0.0
        return ((self.finished_at or timezone.now()) - self.started_at).total_seconds()

    # A run belongs to one worker. ProcessingRun is shared: there each worker has parts of it.

    def held_by(self, worker: str) -> RunQuerySet:
        """A query for this run that finds it only while the worker may work on it."""
        running: RunQuerySet = type(self).objects.filter(pk=self.pk, state=RunState.RUNNING)
        return running.filter(worker=worker)

    def renew_parts(self, worker: str, lease_end: datetime) -> None:
        """Renew the leases of the worker's parts."""

    def give_back_parts(self, worker: str) -> bool:
        """Release the worker's parts; return whether other workers still have some."""
        return False

    def drop_parts(self) -> None:
        """Delete all parts, since the run has ended; their workers notice when they save."""


class IngestionRun(HasPage, Run):
    """One loading of one input into one source, with its ledger."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="ingestion_runs")
    file_name = models.CharField(max_length=255)
    path = models.CharField(max_length=1000)
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.PositiveBigIntegerField(default=0, help_text="bytes")
    encoding = models.CharField(max_length=40, blank=True)
    dialect = models.JSONField(default=dict, blank=True)
    columns = models.JSONField(default=list, blank=True)
    mapping = models.JSONField(default=dict, blank=True)
    notes = models.JSONField(default=list, blank=True)
    bytes_read = models.PositiveBigIntegerField(default=0)
    # What the user said about how to read it; the source's own where it is empty.
    reading = models.JSONField(default=dict, blank=True)
    # "500" or "2%": with more rejected rows the run stops.
    max_rejects = models.CharField(max_length=20, blank=True)
    # A replay retries rejected rows of its parent: those in ``selection`` (ids), else all that
    # are open; or, if it has a file, the rows that were repaired in that.
    parent = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="replays"
    )
    selection = models.JSONField(null=True, blank=True)
    feed = models.ForeignKey(
        Feed, on_delete=models.SET_NULL, null=True, blank=True, related_name="runs"
    )
    # The pages that were fetched from an API: [{"url": .., "rows": ..}, ...].
    pages = models.JSONField(default=list, blank=True)
    # Why the input ends before its end: the run fails once everything before that has landed.
    cut_short = models.TextField(blank=True)
    # What is done for it before there are bytes and rows to count, as a sentence.
    activity = models.TextField(blank=True)

    read = models.PositiveBigIntegerField(default=0)
    created = models.PositiveBigIntegerField(default=0)
    updated = models.PositiveBigIntegerField(default=0)
    unchanged = models.PositiveBigIntegerField(default=0)
    rejected = models.PositiveBigIntegerField(default=0)

    class Meta(Run.Meta):
        db_table = "ingestion_runs"
        constraints = [
            models.CheckConstraint(
                condition=Q(read=F("created") + F("updated") + F("unchanged") + F("rejected")),
                name="ledger_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(state__in=RunState.values), name="ingestion_run_state"
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.pk}: {self.file_name}"

    @property
    def landed_nothing(self) -> bool:
        """Whether it went through its input to the end, and could use no row of it."""
        return self.state == RunState.FINISHED and 0 < self.read == self.rejected

    @property
    def known_size(self) -> int | None:
        """How many bytes its input has; None before anybody knows."""
        return self.size if self.path or self.size else None

    @property
    def doing(self) -> str:
        """What is done for it now, as a person reads it; "" once it has ended."""
        if not self.is_held:
            return self.waiting
        if not (self.path or self.parent_id):
            return self.activity or "Fetching"
        return f"{'Reading' if self.columns else 'Inspecting'} {self.file_name}"

    @property
    def rows_from(self) -> "RowsFrom":
        """Where the rows come from; this decides which job loads them."""
        if self.pages or (self.feed_id and not self.path):
            return RowsFrom.API
        return RowsFrom.REJECTED if self.parent_id and not self.path else RowsFrom.FILE

    @property
    def done(self) -> int:
        """How many rows have been worked on."""
        return self.read

    @property
    def share_read(self) -> float:
        """How much of the input has been read, 0 to 1."""
        if self.state == RunState.FINISHED:
            return 1.0
        return min(self.bytes_read / self.size, 1.0) if self.size else 0.0

    @property
    def share_rejected(self) -> float:
        """The part of ``share_read`` that was rejected, as its rows are to all rows read."""
        return self.share_read * self.rejected / self.read if self.read else 0.0

    @property
    def share_landed(self) -> float:
        """The part of ``share_read`` that was not rejected."""
        return self.share_read - self.share_rejected

    @property
    def rate(self) -> float | None:
        """Rows a second; None before the first have been read."""
        return self.read / self.elapsed if self.read and self.elapsed else None

    @property
    def seconds_left(self) -> float | None:
        """How long the rest will take at the rate so far, by bytes; None when nobody can tell."""
        if self.state != RunState.RUNNING or not (self.bytes_read and self.elapsed):
            return None
        return max(self.size - self.bytes_read, 0) * self.elapsed / self.bytes_read


class ProcessingRun(HasPage, Run):
    """One pass over records, of one source or (``source`` is null) of all.

    Any number of workers share it: each takes batches of its own (see ProcessingBatch). ``worker``
    is the one that was heard of last, and the lease lasts as long as that of any of them.
    """

    source = models.ForeignKey(
        Source, on_delete=models.CASCADE, null=True, blank=True, related_name="processing_runs"
    )
    selection = models.CharField(max_length=10, choices=Selection.choices, default=Selection.RAW)
    limit = models.PositiveBigIntegerField(null=True, blank=True)
    # The last id that has been handed out, and how many records up to it.
    cursor = models.CharField(max_length=255, blank=True)
    handed_out = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(default=0, help_text="records at the start")

    processed = models.PositiveBigIntegerField(default=0)
    failed = models.PositiveBigIntegerField(default=0)
    repaired = models.PositiveBigIntegerField(default=0, help_text="processed with repairs")
    unchanged = models.PositiveBigIntegerField(
        default=0, help_text="checked, with the same result as before"
    )

    class Meta(Run.Meta):
        db_table = "processing_runs"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=RunState.values), name="processing_run_state"
            ),
            models.CheckConstraint(
                condition=Q(selection__in=Selection.values), name="processing_run_selection"
            ),
        ]

    def __str__(self) -> str:
        return f"processing run {self.pk}"

    @property
    def doing(self) -> str:
        """What is done for it now, as a person reads it; "" once it has ended."""
        return "Processing" if self.is_held else self.waiting

    @property
    def done(self) -> int:
        """How many records have been worked on."""
        return self.processed + self.failed + self.unchanged

    def held_by(self, worker: str) -> RunQuerySet:
        """A query for this run that finds it while it is running: any worker may join."""
        running: RunQuerySet = ProcessingRun.objects.filter(pk=self.pk, state=RunState.RUNNING)
        return running

    def renew_parts(self, worker: str, lease_end: datetime) -> None:
        self.batches.filter(worker=worker).update(lease_until=lease_end)

    def give_back_parts(self, worker: str) -> bool:
        mine = self.batches.filter(worker=worker)
        mine.update(worker="", lease_until=now(), attempts=Greatest(F("attempts") - 1, 0))
        return self.batches.exclude(worker="").exists()

    def drop_parts(self) -> None:
        self.batches.all().delete()

    @property
    def is_counted(self) -> bool:
        """Whether ``total`` is known: its first worker counts."""
        return bool(self.total) or not self.is_active

    @property
    def share_done(self) -> float:
        """How much of what there was at the start has been worked on, 0 to 1."""
        if self.state == RunState.FINISHED:
            return 1.0
        return min(self.done / self.total, 1.0) if self.total else 0.0

    @property
    def share_failed(self) -> float:
        """The part of ``share_done`` that failed."""
        return self.share_done * self.failed / self.done if self.done else 0.0

    @property
    def share_processed(self) -> float:
        """The part of ``share_done`` that did not fail."""
        return self.share_done - self.share_failed

    @property
    def rate(self) -> float | None:
        """Records a second; None before the first."""
        return self.done / self.elapsed if self.done and self.elapsed else None

    @property
    def seconds_left(self) -> float | None:
        """How long the rest will take at the rate so far; None when nobody can tell."""
        if self.state != RunState.RUNNING or not (self.done and self.elapsed):
            return None
        return max(self.total - self.done, 0) * self.elapsed / self.done


class DryRun(Run):
    """One reading of the input of a draft that lands nothing: what would happen, and a profile.

    ``report`` is what ingestion.loading.dry_runs makes of it.
    """

    run = models.ForeignKey(IngestionRun, on_delete=models.CASCADE, related_name="dry_runs")
    bytes_read = models.PositiveBigIntegerField(default=0)
    read = models.PositiveBigIntegerField(default=0)
    report = models.JSONField(default=dict, blank=True)

    class Meta(Run.Meta):
        db_table = "dry_runs"
        constraints = [
            models.CheckConstraint(condition=Q(state__in=RunState.values), name="dry_run_state"),
        ]

    def __str__(self) -> str:
        return f"dry run {self.pk} of {self.run}"


class RuleDryRun(HasPage, Run):
    """A dry run of draft rules on all records of a source ("test on all records"); writes nothing.

    ``report`` is what processing.jobs.rule_report makes of it.
    """

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="rule_dry_runs")
    rules = models.JSONField()
    total = models.PositiveBigIntegerField(default=0, help_text="records at the start")
    done = models.PositiveBigIntegerField(default=0)
    report = models.JSONField(default=dict, blank=True)

    class Meta(Run.Meta):
        db_table = "rehearsals"
        verbose_name = "rule test"
        constraints = [
            models.CheckConstraint(condition=Q(state__in=RunState.values), name="rehearsal_state"),
        ]

    def __str__(self) -> str:
        return f"rule test {self.pk} on {self.source}"

    @property
    def doing(self) -> str:
        """What is done for it now, as a person reads it; "" once it has ended."""
        return "Testing rules" if self.is_held else self.waiting


class Undo(Run):
    """The taking back of an ingestion run: a piece of work like a run, resumable like one."""

    run = models.ForeignKey(IngestionRun, on_delete=models.CASCADE, related_name="undos")
    cursor = models.CharField(max_length=255, blank=True)
    deleted = models.PositiveBigIntegerField(default=0, help_text="records that the run created")
    restored = models.PositiveBigIntegerField(default=0, help_text="records that the run updated")
    kept = models.PositiveBigIntegerField(
        default=0, help_text="records changed later by another run or a user"
    )
    # The first of the kept ones, by id.
    kept_ids = models.JSONField(default=list, blank=True)

    class Meta(Run.Meta):
        db_table = "undos"
        constraints = [
            models.CheckConstraint(condition=Q(state__in=RunState.values), name="undo_state"),
        ]

    def __str__(self) -> str:
        return f"undo of {self.run}"
