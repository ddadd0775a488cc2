"""What the log of a worker says of a run: that it begins, how far it is, and how it ends."""

import logging
import time
from typing import Any

from records.models import Run

log = logging.getLogger(__name__)

# A run that takes longer says how far it is after so many seconds each.
PROGRESS_SECONDS = 30


class RunLog:
    """One line for each event of a run that a worker has claimed."""

    def __init__(self, kind: str, worker: str) -> None:
        self._kind, self._worker = kind, worker
        self._begun_at = self._told_at = time.monotonic()

    def begins(self, row: Any) -> None:
        """The worker has claimed the run."""
        if isinstance(row, Run):
            is_first = row.attempts <= 1 and not _done(row)
            self._tell(row, "begins" if is_first else "goes on")

    def progress(self, row: Any) -> None:
        """The run has got on; told now and then."""
        if time.monotonic() - self._told_at >= PROGRESS_SECONDS:
            self._told_at = time.monotonic()
            self._tell(row, f"is under way, {_done(row):,} done")

    def leaves(self, row: Any) -> None:
        """The worker is done with the run, whether it has ended or goes on later."""
        if not isinstance(row, Run):
            return
        if row.is_active:
            self._tell(row, f"waits: {row.waits_for}" if row.waits_for else "is left to others")
        else:
            reason = f": {row.error}" if row.error else ""
            self._tell(row, f"is {row.state}, {_done(row):,} done{reason}")

    def _tell(self, row: Any, event: str) -> None:
        if isinstance(row, Run):
            fields = {
                "run": row.pk,
                "kind": self._kind,
                "state": row.state,
                "done": _done(row),
                "seconds": round(time.monotonic() - self._begun_at, 3),
                "worker": self._worker,
            }
            log.info("%s %s.", row, event.rstrip("."), extra=fields)


def _done(row: Any) -> int:
    return int(getattr(row, "done", 0))
