"""Commands that work on runs: their progress on a terminal, and ends in one clear sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from records.models import IngestionRun, ProcessingRun, RunState, Undo


class RunCommand(BaseCommand):
    """A command that works on runs."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except (OperationalError, ProgrammingError) as error:
            reason = str(error).splitlines()[0]
            raise CommandError(
                f"The database can't be used: {reason}. Does it run, and has `manage.py migrate` "
                "been run on it?"
            ) from error

    def exit_status(self, run: IngestionRun | ProcessingRun | Undo) -> int:
        """0 for a run that finished, 130 for one that Ctrl-C stopped, else 1, and why on stderr."""
        if run.state == RunState.FINISHED:
            return 0
        if run.state == RunState.CANCELLED:
            self.stderr.write(f"Stopped: {run}. What was done stays; start it again for the rest.")
            return 130
        self.stderr.write(run.error or f"{run} is {run.state}.")
        return 1


class Move(Protocol):
    """Moves the bar: ``done`` of ``total`` (in any unit), and how many ``rows`` that is."""

    def __call__(self, *, what: str, done: int, total: int, rows: int) -> None: ...


@contextmanager
def progress_bar(*, enabled: bool) -> Iterator[Move | None]:
    """A bar with rows, rate and time left, on standard error; None where no terminal shows it."""
    console = Console(stderr=True)
    if not (enabled and console.is_terminal):
        yield None
        return
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,.0f}/s"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as progress:
        task = progress.add_task("", rows=0, rate=0.0)

        def move(*, what: str, done: int, total: int, rows: int) -> None:
            elapsed = progress.tasks[0].elapsed or 0
            rate = rows / elapsed if elapsed else 0.0
            progress.update(
                task, description=what, completed=done, total=total, rows=rows, rate=rate
            )

        yield move
