"""The background workers of a queue: kept running, woken for waiting runs, watched for silence."""

import os
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import processing.runs
from django.utils import timezone
from django_q.models import Failure, OrmQ
from django_q.tasks import async_task

import ingestion.runs
from dataflow_site.child import Child
from records.models import Heartbeat
from records.runs import worker_alive

WAKE_STALLED: dict[str, Callable[[], object]] = {
    "ingestion": ingestion.runs.wake_stalled,
    "processing": processing.runs.wake_stalled,
}
BEAT_SECONDS = 10
# After a start, or after a long run, the first beat takes a while: silence until then is no news.
PATIENCE_SECONDS = int(os.environ.get("DATAFLOW_PATIENCE_SECONDS", "30"))
KEEP_FAILURES = timedelta(days=30)


class Workers:
    """One queue's cluster.

    A cluster can look alive and yet do nothing for ever: when its idle worker, which holds the
    lock of the queue between its processes, or its monitor is killed. So it is asked for a sign
    of life, and started anew when none comes.
    """

    def __init__(self, queue: str) -> None:
        self.queue = queue
        self.child = Child(
            f"The worker of {queue}", [sys.executable, "-m", "dataflow_site.cluster", queue]
        )
        self.asked_at: datetime | None = None
        self.alive_at = time.monotonic()

    def look(self) -> None:
        """Do what is due. Raises django.db.Error when the database can't be reached."""
        if not self.child.running:
            self._forget()
            self.child.keep_running()
        WAKE_STALLED[self.queue]()
        self._ask_for_a_beat()
        if worker_alive(self.queue):
            self.alive_at = time.monotonic()
        elif time.monotonic() - self.alive_at > PATIENCE_SECONDS:
            self.child.restart("gives no sign of life")
            self._forget()

    def excuse(self) -> None:
        """The database is out of reach: nobody can show that he is alive."""
        self.alive_at = time.monotonic()

    def _forget(self) -> None:
        """Start counting anew, and put back what the cluster that is gone had taken."""
        self.asked_at = None
        self.alive_at = time.monotonic()
        OrmQ.objects.filter(key=self.queue, lock__gt=timezone.now()).update(lock=timezone.now())

    def _ask_for_a_beat(self) -> None:
        now = timezone.now()
        if self.asked_at is None or (
            now - self.asked_at >= timedelta(seconds=BEAT_SECONDS)
            # One question at a time: while a long run is worked on they would pile up.
            and Heartbeat.objects.filter(queue=self.queue, seen_at__gte=self.asked_at).exists()
        ):
            async_task("dataflow_site.tasks.beat", self.queue, cluster=self.queue, save=False)
            self.asked_at = now


def drop_old_failures() -> None:
    """django-q2 keeps every failure for ever; a month is enough to look into one."""
    Failure.objects.filter(stopped__lt=timezone.now() - KEEP_FAILURES).delete()
