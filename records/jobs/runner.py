"""How jobs are queued and carried out. django-q2 carries the calls; what is to be done, by whom,
and how far it got stands in our tables."""

from typing import TypeVar

from django.db.models import Model
from django_q.tasks import async_task

from records.database.clock import now
from records.jobs import registry
from records.jobs.job import OnProgress
from records.jobs.registry import Entry
from records.jobs.workers import worker_name

Row = TypeVar("Row", bound=Model)


def queue(row: Model) -> None:
    """Have a worker carry out the job of a row soon."""
    type(row)._default_manager.filter(pk=row.pk).update(woken_at=now())
    wake(row)


def wake(row: Model) -> None:
    """Tell a worker to look at a row."""
    entry = registry.entry_of(row)
    async_task("records.jobs.runner.run_job", entry.kind, row.pk, cluster=entry.queue)


def run_job(kind: str, pk: int) -> None:
    """The one task of the queues: look at a row, and work on it if nobody does.

    It is a wake-up call, which may come twice, or too late. Raises UnknownJob.
    """
    entry = registry.entry_named(kind)
    row = entry.model._default_manager.filter(pk=pk).first()
    if row is not None:
        _run(entry, row, worker_name(), seconds=entry.job.turn_seconds)


def work_on(
    row: Row,
    worker: str,
    on_progress: OnProgress | None = None,
    *,
    patience: float | None = None,
    seconds: float | None = None,
) -> Row | None:
    """Work on a row here and now, until it ends or waits; None if there is nothing to do for it.

    That is so where another worker holds it, or it has ended before. ``on_progress`` is shown the
    row again and again. Where the environment is at fault, the row is queued again, to be tried
    after a pause; see records.jobs.waiting.put_back for ``patience``. A job that lets others go
    first does so after ``seconds``. Returns the row as it stands then, None if it was deleted.
    """
    entry = registry.entry_of(row)
    return _run(entry, row, worker, on_progress, patience=patience, seconds=seconds)


def _run(
    entry: Entry,
    row: Row,
    worker: str,
    on_progress: OnProgress | None = None,
    *,
    patience: float | None = None,
    seconds: float | None = None,
) -> Row | None:
    claimed = entry.job.claim(row, worker)
    if claimed is None:
        return None
    job = entry.job(claimed, worker, on_progress, seconds=seconds)
    with job.guard(patience):
        job.run()
    job.after_run()
    found: Row | None = type(row)._default_manager.filter(pk=row.pk).first()
    return found
