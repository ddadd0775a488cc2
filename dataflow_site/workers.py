"""The background workers of a queue: kept running, woken for waiting runs, restarted if silent."""

import sys
import time
from datetime import timedelta

from django.utils import timezone
from django_q.models import Failure, OrmQ, Task
from django_q.tasks import async_task

from dataflow_site.broker import FREE
from dataflow_site.child import Child
from dataflow_site.environment import number
from dataflow_site.tasks import FOLLOWING_QUEUE, tend_columns, tend_texts
from records.jobs.liveness import is_working
from records.jobs.sweep import wake_stalled

BEAT_SECONDS = 10
# After a start, or after a long run, the first beat takes a while: silence until then is no news.
SILENCE_SECONDS = number("DATAFLOW_WORKER_SILENCE_SECONDS", 60)
# It is doubled each time that it was in vain: on a machine that is slow enough, a cluster that is
# always started anew before it can answer would never work.
LONGEST_SILENCE = 10 * SILENCE_SECONDS
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
        self.question: str | None = None
        self.ask_after = 0.0
        self.alive_at = time.monotonic()
        self.silence_allowed: float = SILENCE_SECONDS

    def look(self) -> None:
        """Do what is due. Raises django.db.Error when the database can't be reached."""
        if not self.child.running:
            self._forget()
            self.child.keep_running()
        wake_stalled(self.queue)
        if self.queue == FOLLOWING_QUEUE:
            tend_texts()
            tend_columns()
        if self._has_answered() or is_working(self.queue):
            self.alive_at = time.monotonic()
        else:
            self.end_if_silent()
        self._ask()

    def excuse(self) -> None:
        """The database is out of reach: no worker can show that it is alive."""
        self.alive_at = time.monotonic()

    def end_if_silent(self) -> None:
        """End the cluster if it has given no sign of life for too long."""
        if time.monotonic() - self.alive_at > self.silence_allowed:
            self.child.restart("is not responding")
            self.silence_allowed = min(2 * self.silence_allowed, LONGEST_SILENCE)
            self.alive_at = time.monotonic()

    def _forget(self) -> None:
        """Withdraw the open question, and put back what the cluster that is gone had taken."""
        queued = OrmQ.objects.filter(key=self.queue)
        for task in queued:
            if task.task_id() == self.question:
                task.delete()
        queued.exclude(lock=FREE).update(lock=FREE)
        self.question = None
        self.alive_at = time.monotonic()

    def _ask(self) -> None:
        # One question at a time: while a long run is worked on they would pile up.
        due = self.question is None and time.monotonic() >= self.ask_after
        if due and self.child.running:
            self.question = async_task("dataflow_site.tasks.beat", self.queue, cluster=self.queue)
            self.ask_after = time.monotonic() + BEAT_SECONDS

    def _has_answered(self) -> bool:
        """Whether no question is open. The answer is what the cluster's monitor has saved."""
        if self.question is None:
            return True
        if not Task.objects.filter(id=self.question).delete()[0]:
            return False
        self.question = None
        self.silence_allowed = SILENCE_SECONDS
        return True


def drop_old_failures() -> None:
    """django-q2 keeps every failure for ever; a month is enough to look into one."""
    Failure.objects.filter(stopped__lt=timezone.now() - KEEP_FAILURES).delete()
