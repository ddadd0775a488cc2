"""Jobs: one class for each kind of background work, one row for each piece of it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar

from records.jobs import leases
from records.models import Run

Row = TypeVar("Row", bound=Run)

# Called with the row whenever it has made progress.
OnProgress = Callable[[Any], None]


class Job(Generic[Row]):
    """One kind of background work: a subclass does it in ``run()``, on one row of a table.

    The apps register their jobs by name (see records.jobs.registry). records.jobs.runner does what
    is common to all: it claims the row for a worker, runs the job, and ends the row with the work.
    A subclass can change the methods below ``run`` where its kind of work is different.
    """

    # Errors whose message is shown on the page of the row. For any other error, the page refers to
    # the log.
    refusals: ClassVar[tuple[type[Exception], ...]] = ()
    # After this time a worker of the queue lets other rows go first, if the job can be interrupted.
    turn_seconds: ClassVar[float | None] = None

    def __init__(
        self,
        row: Row,
        worker: str,
        on_progress: OnProgress | None = None,
        *,
        seconds: float | None = None,
    ) -> None:
        self.row = row
        self.worker = worker
        self.on_progress = on_progress
        self.seconds = seconds

    def run(self) -> None:
        """Do the work and finish the row. After an interruption this continues where it was."""
        raise NotImplementedError

    @classmethod
    def claim(cls, row: Row, worker: str) -> Row | None:
        """Claim a row for a worker. None if another worker has it, or there is nothing to do."""
        return leases.claim(type(row), row.pk, worker)

    @classmethod
    def is_next(cls, row: Row) -> bool:
        """Whether the row may start now; if not, it is not worth waking a worker for it."""
        return True

    def guard(self, retry_seconds: float | None) -> AbstractContextManager[None]:
        """A context in which an error ends the row, or lets it wait, instead of the worker."""
        return leases.working_on(self.row, self.worker, self.refusals, retry_seconds=retry_seconds)

    def after_run(self) -> None:
        """Called when the worker is done with the row, whether it ended or not."""

    @classmethod
    def start_due(cls) -> None:
        """Queue rows for work that is due. Called every few seconds."""

    @classmethod
    def tidy(cls) -> None:
        """Delete expired rows and leftover files. Called every hour."""

    @cached_property
    def still_here(self) -> Callable[[], None]:
        """Renews the lease during work that saves nothing. Call it often. Raises LeaseLost."""
        return leases.renewing(self.row, self.worker)

    def record_progress(self, **changes: object) -> None:
        """Save the progress of the row and renew its lease. Raises LeaseLost."""
        leases.write(self.row, self.worker, **{"lease_until": leases.lease_end(), **changes})

    def report_progress(self) -> None:
        """Call ``on_progress``, if there is one, with the row as it is in the database."""
        if self.on_progress is not None:
            self.row.refresh_from_db()
            self.on_progress(self.row)

    def finish(self, **changes: object) -> None:
        """End the row as finished. Raises LeaseLost."""
        leases.finish(self.row, self.worker, **changes)
