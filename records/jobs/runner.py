"""Queues and runs jobs. django-q2 delivers the calls; the state of each job is in our tables."""

from collections.abc import Callable
from typing import TypeVar

from django.db.models import Model
from django_q.tasks import async_task

from records.database.clock import now
from records.jobs import registry
from records.jobs.job import OnProgress
from records.jobs.registry import Entry
from records.jobs.run_log import RunLog
from records.jobs.workers import worker_name

Row = TypeVar("Row", bound=Model)


def queue(row: Model) -> None:
    """Queue the job of a row."""
    type(row)._default_manager.filter(pk=row.pk).update(woken_at=now())
    wake(row)


def wake(row: Model) -> None:
    """Send the call that makes a worker check a row."""
    entry = registry.entry_of(row)
    async_task("records.jobs.runner.run_job", entry.kind, row.pk, cluster=entry.queue)


def run_job(kind: str, pk: int) -> None:
    """The one task of the queues: run the job of a row, unless another worker does.

    The call may come twice, or too late; then there is nothing to claim. Raises UnknownJob.
    """
    entry = registry.entry_named(kind)
    row = entry.model._default_manager.filter(pk=pk).first()
    if row is None:
        return
    worker = worker_name()
    told = RunLog(kind, worker)
    found = _run(
        entry,
        row,
        worker,
        told.progress,
        on_claim=told.begins,
        seconds=entry.job.turn_seconds,
    )
    if found is not None:
        told.leaves(found)


def work_on(
    row: Row,
    worker: str,
    on_progress: OnProgress | None = None,
    *,
    retry_seconds: float | None = None,
    seconds: float | None = None,
) -> Row | None:
    """Run the job of a row in this process; return the row as it is afterwards.

    Returns None if another worker has the row, or if it has ended before, or was deleted.
    ``on_progress`` is called with the row as it makes progress. If the environment is at fault,
    the row is queued again and retried after a pause; for ``retry_seconds`` see
    records.jobs.waiting.put_back. After ``seconds`` some jobs let other rows go first.
    """
    entry = registry.entry_of(row)
    return _run(entry, row, worker, on_progress, retry_seconds=retry_seconds, seconds=seconds)


def _run(
    entry: Entry,
    row: Row,
    worker: str,
    on_progress: OnProgress | None = None,
    *,
    on_claim: Callable[[Row], None] = lambda row: None,
    retry_seconds: float | None = None,
    seconds: float | None = None,
) -> Row | None:
    claimed = entry.job.claim(row, worker)
    if claimed is None:
        return None
    on_claim(claimed)
    job = entry.job(claimed, worker, on_progress, seconds=seconds)
    with job.guard(retry_seconds):
        job.run()
    job.after_run()
    found: Row | None = type(row)._default_manager.filter(pk=row.pk).first()
    return found
