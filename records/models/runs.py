"""What all pieces of background work share: their state, and the lease of their worker."""

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from records.database.clock import now
from records.models.querysets import RunManager, RunQuerySet


class RunState(models.TextChoices):
    # Waits for a person to look at its preview and say "load".
    DRAFT = "draft"
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNDONE = "undone"


class Run(models.Model):
    """What both kinds of run share: who started it, how it stands, and the lease of its worker.

    A run is worked on by the one worker whose name stands in ``worker`` while ``lease_until`` lies
    ahead. Each batch renews the lease in the transaction that commits its rows; a worker that is
    gone lets it lapse, and any other takes the run over where the last commit was.
    """

    state = models.CharField(
        max_length=10, choices=RunState.choices, default=RunState.QUEUED, db_index=True
    )
    # What started it: upload, page, api, events, command, schedule, worker or sample.
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

    # Whether it changes nothing and gives nothing out, whatever becomes of it.
    is_trial: ClassVar[bool] = False

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

    def hold_source(self) -> None:
        """Keep others from writing to the source of a run that is about to end, if it has one."""

    def drop_parts(self) -> None:
        """Delete all parts, since the run has ended; their workers notice when they save."""
