"""Keeps the processes of an installation running until it is stopped."""

import contextlib
import logging
import os
import signal
import time
from collections.abc import Sequence
from types import FrameType

from django.db import Error, connection

from dataflow_site.child import Child
from dataflow_site.lifeline import PARENT
from dataflow_site.workers import Workers, drop_old_failures
from explore.export import jobs
from ingestion.loading import inputs
from records.database.faults import is_locked
from records.jobs.liveness import end_forsaken, silent_processes

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.25
LOOK_SECONDS = 2
TIDY_SECONDS = 3600
# So long a child may take to stop in good order.
STOP_SECONDS = 10


class Supervisor:
    """Runs the clusters of some queues and, beside them, other commands (the web server)."""

    def __init__(self, queues: Sequence[str], others: Sequence[Child] = ()) -> None:
        self.workers = [Workers(queue) for queue in queues]
        self.others = list(others)
        self.stopping = False
        self.database_gone = False

    def run(self) -> None:
        """Keep everything running; returns after SIGTERM, SIGINT or SIGHUP, all children gone.

        It also stops when the process that started it, and asked for that by the environment
        (see `lifeline`), is gone.
        """
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop)
        parent = os.environ.get(PARENT)
        next_look = next_tidying = 0.0
        try:
            while not self.stopping and parent in (None, str(os.getppid())):
                for child in self.others:
                    child.keep_running()
                now = time.monotonic()
                if now >= next_look:
                    self._look(tidy=now >= next_tidying)
                    next_look = time.monotonic() + LOOK_SECONDS
                    if now >= next_tidying:
                        next_tidying = now + TIDY_SECONDS
                time.sleep(TICK_SECONDS)
        finally:
            self._stop_children()

    def _look(self, *, tidy: bool) -> None:
        try:
            end_forsaken()
            for workers in self.workers:
                workers.look()
            if tidy:
                drop_old_failures()
                jobs.tidy()
                inputs.drop_unfinished()
        except Error as error:
            if is_locked(error):
                self._unlock()
                return
            if not self.database_gone:
                logger.warning("The database can't be used: %s", str(error).splitlines()[0])
            self.database_gone = True
            connection.close()
            for workers in self.workers:
                workers.excuse()
        else:
            if self.database_gone:
                logger.warning("The database can be used again")
            self.database_gone = False

    def _unlock(self) -> None:
        """SQLite has one writer, and one that is frozen in its transaction stops all others.

        What has waited in vain for the lock was this process: so a worker of this machine whose
        lease has lapsed is ended, or else a cluster that has been silent for too long.
        """
        logger.warning("The database is locked: looking for a frozen worker")
        connection.close()
        for process in silent_processes():
            logger.warning("Process %d is not responding; ending it", process)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        for workers in self.workers:
            workers.end_if_silent()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def _stop_children(self) -> None:
        children = [*self.others, *(workers.child for workers in self.workers)]
        for child in children:
            child.ask_to_stop()
        deadline = time.monotonic() + STOP_SECONDS
        while any(child.running for child in children) and time.monotonic() < deadline:
            time.sleep(0.1)
        for child in children:
            child.kill()
