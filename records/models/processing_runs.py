"""Runs that process records, and tests of rules on all of them."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Greatest

from records.database.clock import now
from records.models.querysets import RunQuerySet
from records.models.runs import Run, RunState
from records.models.sources import Source
from web.links import HasPage


class Selection(models.TextChoices):
    """Which records a processing run processes."""

    RAW = "raw", "Waiting records"
    ALL = "all", "All records"
    FAILED = "failed", "Failed records"
    # Those that have a result and would get another one; the others stay as they are.
    CHANGED = "changed", "Records whose result changes"


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
    filled = models.PositiveBigIntegerField(default=0, help_text="processed with a value")
    unread = models.PositiveBigIntegerField(
        default=0, help_text="processed, with a value that could not be read as a number"
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


class RuleDryRun(HasPage, Run):
    """A dry run of draft rules on all records of a source ("test on all records"); writes nothing.

    ``report`` is what processing.jobs.rule_report makes of it.
    """

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="rule_dry_runs")
    rules = models.JSONField()
    total = models.PositiveBigIntegerField(default=0, help_text="records at the start")
    done = models.PositiveBigIntegerField(default=0)
    report = models.JSONField(default=dict, blank=True)

    is_trial = True

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
