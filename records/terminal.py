"""The progress of a run on a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


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
