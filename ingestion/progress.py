"""The progress of a run on a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from ingestion.runs import Progress as OnProgress
from records.models import IngestionRun


@contextmanager
def terminal_progress(*, enabled: bool) -> Iterator[OnProgress | None]:
    """A bar on standard error that a run moves; None where no terminal is there to show it."""
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

        def on_progress(run: IngestionRun) -> None:
            elapsed = progress.tasks[0].elapsed or 0
            progress.update(
                task,
                description=run.file_name,
                total=run.size,
                completed=run.bytes_read,
                rows=run.read,
                rate=run.read / elapsed if elapsed else 0.0,
            )

        yield on_progress
