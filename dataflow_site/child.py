"""A child process that is kept running: started, restarted when it ends, and stopped."""

import contextlib
import logging
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence

from django.conf import settings

from dataflow_site.lifeline import PARENT

logger = logging.getLogger(__name__)

# A child that keeps ending is started again after 1, 2, 4 .. seconds, at most this many.
LONGEST_PAUSE = 30
# A child that has run for so long is well again: the next pause is a short one.
WELL_SECONDS = 60


class Child:
    """One command, in a process group of its own.

    The group is what is ended in the end, so that none of the processes that the command has
    forked is left behind.
    """

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.command = command
        self.environment = environment or {}
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.start_after = 0.0
        self.ends_in_a_row = 0

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def keep_running(self) -> None:
        """Start the command if it isn't running and its pause is over."""
        if self.running:
            return
        if self.process is not None:
            self._clear_away(f"ended with code {self.process.returncode}")
        if time.monotonic() >= self.start_after:
            self._start()

    def restart(self, reason: str) -> None:
        """End the whole group at once; the next `keep_running` starts the command again."""
        if self.process is not None:
            self._clear_away(reason)

    def _start(self) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - the command is our own
            self.command,
            cwd=settings.BASE_DIR,
            env=os.environ | self.environment | {PARENT: str(os.getpid())},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.started_at = time.monotonic()

    def _clear_away(self, reason: str) -> None:
        self.kill()
        now = time.monotonic()
        if now - self.started_at > WELL_SECONDS:
            self.ends_in_a_row = 0
        pause = min(2**self.ends_in_a_row, LONGEST_PAUSE)
        self.ends_in_a_row += 1
        self.start_after = now + pause
        logger.warning("%s %s; restarting in %d s", self.name, reason, pause)

    def ask_to_stop(self) -> None:
        if self.process is not None and self.running:
            self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End every process of the group, also those that outlived their leader."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None
