"""Heartbeats: which queues have a running worker, and which workers do not respond."""

from datetime import timedelta

from records.database.clock import now
from records.database.sessions import end_forsaken_sessions
from records.jobs.runs import RUNS, AnyRun
from records.jobs.workers import ASIDE, process_of
from records.models import (
    DryRun,
    Export,
    Heartbeat,
    IngestionRun,
    ProcessingBatch,
    ProcessingRun,
    Rehearsal,
    Undo,
)

# A queue whose worker has not given a sign of life for so long counts as not worked on.
ALIVE_SECONDS = 60


def beat(queue: str) -> None:
    """A worker of the queue is alive."""
    Heartbeat.objects.update_or_create(queue=queue, defaults={"seen_at": now()})


def is_working(queue: str) -> bool:
    """Whether a worker of the queue holds a run."""
    of_ingestion = (IngestionRun, DryRun, Undo)
    of_processing = (ProcessingRun, Rehearsal, Export)
    models = of_ingestion if queue == "ingestion" else of_processing
    moment = now()
    return any(
        model.objects.leased(moment).exclude(worker__contains=f":{ASIDE}").exists()
        for model in models
    )


def lacks_worker(run: AnyRun, queue: str) -> bool:
    """Whether a run goes on only when somebody starts a worker of the queue."""
    return run.is_active and not run.is_held and not worker_alive(queue)


def worker_alive(queue: str) -> bool:
    """Whether a worker of the queue gave a sign of life lately: a beat, or work on a run."""
    since = now() - timedelta(seconds=ALIVE_SECONDS)
    return Heartbeat.objects.filter(queue=queue, seen_at__gte=since).exists() or is_working(queue)


def end_forsaken() -> None:
    """End old transactions of workers that hold no lease any more (PostgreSQL).

    They are frozen: in what they have locked, nobody else could go on.
    """
    moment = now()
    holders = [
        worker
        for model in (*RUNS, ProcessingBatch)
        for worker in model.objects.filter(lease_until__gte=moment).values_list("worker", flat=True)
    ]
    end_forsaken_sessions(holders)


def silent_processes() -> set[int]:
    """The processes of this machine that have let a lease lapse."""
    moment = now()
    found = {
        process_of(worker)
        for model in (*RUNS, ProcessingBatch)
        for worker in model.objects.filter(lease_until__lt=moment).values_list("worker", flat=True)
    }
    return {process for process in found if process is not None}
