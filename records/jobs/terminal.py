"""Base of commands that work on runs: progress on a terminal, and clear final messages."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column

from records.database.clock import now
from records.jobs.job import OnProgress
from records.jobs.leases import AnyRun, stop
from records.jobs.runner import work_on
from records.jobs.workers import worker_name
from records.models import IngestionRun, ProcessingRun, RunState, Undo
from web.control_chars import escape_control_chars
from web.numbers import duration, number, size


class RunCommand(BaseCommand):
    """A command that works on runs."""

    # They would load every page and chart of the project, and keep them in memory.
    requires_system_checks: tuple[str, ...] = ()

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except (OperationalError, ProgrammingError) as error:
            reason = str(error).splitlines()[0]
            raise CommandError(
                f"Can't use the database: {reason}. Is it running, and have you run "
                "`manage.py migrate`?"
            ) from error

    def until_it_ends(self, run: AnyRun, on_progress: OnProgress | None = None) -> AnyRun:
        """Work on a run until it has ended, also where it waits for its environment in between.

        A background worker may take it over meanwhile. Ctrl-C cancels it.
        """
        has_waited = False
        while True:
            done = work_on(run, worker_name(of_queue=False), on_progress)
            if done is None:
                run.refresh_from_db()
                if not has_waited:
                    raise CommandError(f"Another worker took over {run}.")
                if not run.is_active:
                    return run
                seconds = 1.0
            elif not done.is_waiting or done.retry_at is None:
                return done
            else:
                has_waited = True
                seconds = max((done.retry_at - now()).total_seconds(), 0.1)
                again = f"Retrying in {duration(seconds)}; press Ctrl-C to cancel."
                self.stderr.write(f"Waiting: {done.waits_for} {again}")
            try:
                time.sleep(seconds)
            except KeyboardInterrupt:
                stop(run)
                run.refresh_from_db()
                return run

    def exit_status(self, run: IngestionRun | ProcessingRun | Undo) -> int:
        """0 for a run that finished, 130 for one that Ctrl-C stopped, else 1, and why on stderr."""
        if run.state == RunState.FINISHED:
            return 0
        if run.state == RunState.CANCELLED:
            self.stderr.write(f"Cancelled: {run}. Progress is saved.")
            return 130
        self.stderr.write(run.error or f"{run} is {run.state}.")
        return 1


# Shows how a run stands.
Show = Callable[[IngestionRun | ProcessingRun], None]


@contextmanager
def progress_bar(*, enabled: bool) -> Iterator[Show | None]:
    """A bar with what a run's page tells, on standard error; None where no terminal shows it."""
    console = Console(stderr=True)
    if not (enabled and console.is_terminal):
        yield None
        return
    name = Column(no_wrap=True, overflow="ellipsis", max_width=24)
    with Progress(
        TextColumn("{task.description}", markup=False, table_column=name),
        BarColumn(bar_width=16),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[facts]}", markup=False, table_column=Column()),
        console=console,
        transient=True,
    ) as progress:
        task = progress.add_task("", total=1.0, facts="")

        def show(run: IngestionRun | ProcessingRun) -> None:
            what, share = (
                (escape_control_chars(run.file_name), run.share_read)
                if isinstance(run, IngestionRun)
                else ("processing", run.share_done)
            )
            progress.update(task, description=what, completed=share, facts=", ".join(facts(run)))

        yield show


def facts(run: IngestionRun | ProcessingRun) -> Iterator[str]:
    """How far a run is, in words: bytes, rows, rate, what went wrong so far, time left."""
    if isinstance(run, IngestionRun):
        if run.known_size is None:
            yield run.activity
            return
        yield f"{size(run.bytes_read)} of {size(run.known_size)}"
        yield f"{number(run.read)} rows"
        bad, what = run.rejected, "rejected"
    else:
        if run.is_counted:
            yield f"{number(run.done)} of {number(run.total)} records"
        bad, what = run.failed, "failed"
    if run.rate is not None:
        yield f"{number(round(run.rate))}/s"
    if bad:
        yield f"{number(bad)} {what}"
    if run.seconds_left is not None:
        yield f"{duration(run.seconds_left)} left"


class Counter:
    """How many of how many are done, on a terminal if there is one."""

    def __init__(self, progress: Progress | None, what: str) -> None:
        self._progress, self._what = progress, what
        self._began = time.monotonic()
        self._done = self._total = 0
        self._task = progress.add_task("", total=None, facts="") if progress else None

    def expect(self, total: int) -> None:
        """Say how many there are."""
        self._total = total
        self.advance(0)

    def advance(self, count: int) -> None:
        """So many more are done."""
        self._done += count
        if self._progress is None or self._task is None:
            return
        seconds = time.monotonic() - self._began
        self._progress.update(
            self._task,
            total=self._total or None,
            completed=self._done,
            facts=f"{number(self._done)} of {number(self._total)} {self._what}, "
            f"{number(round(self._done / seconds)) if seconds else 0}/s",
        )


@contextmanager
def counting_bar(what: str, *, enabled: bool) -> Iterator[Counter]:
    """A bar that counts, on standard error; nothing is shown where no terminal is."""
    console = Console(stderr=True)
    if not (enabled and console.is_terminal):
        yield Counter(None, what)
        return
    with Progress(
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[facts]}", markup=False),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as progress:
        yield Counter(progress, what)
