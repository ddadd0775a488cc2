"""Heartbeats: which queues have a running worker, and which workers do not respond."""

from datetime import datetime, timedelta

from records.database.clock import now
from records.database.sessions import end_forsaken_sessions
from records.jobs.registry import entry_of, leased_models, run_models
from records.jobs.workers import ASIDE, process_of
from records.models import Heartbeat, Run
from records.visible_sources import limited_to

# A queue whose worker has not given a sign of life for so long counts as not worked on.
ALIVE_SECONDS = 60


def beat(queue: str) -> None:
    """A worker of the queue is alive."""
    Heartbeat.objects.update_or_create(queue=queue, defaults={"seen_at": now()})


def is_working(queue: str) -> bool:
    """Whether a worker of the queue holds a run."""
    moment = now()
    # Whichever source it works on.
    with limited_to(None):
        return any(
            model.objects.leased(moment).exclude(worker__contains=f":{ASIDE}").exists()
            for model in run_models(queue)
        )


def lacks_worker(run: Run) -> bool:
    """Whether a run goes on only when somebody starts a worker of its queue."""
    return run.is_active and not run.is_held and not worker_alive(entry_of(run).queue)


def worker_alive(queue: str) -> bool:
    """Whether a worker of the queue gave a sign of life lately: a beat, or work on a run."""
    since = now() - timedelta(seconds=ALIVE_SECONDS)
    return Heartbeat.objects.filter(queue=queue, seen_at__gte=since).exists() or is_working(queue)


def end_forsaken() -> None:
    """End old transactions of workers that hold no lease any more (PostgreSQL).

    They are frozen: in what they have locked, nobody else could go on.
    """
    end_forsaken_sessions(_workers(lease_until__gte=now()))


def silent_processes() -> set[int]:
    """The processes of this machine that have let a lease lapse."""
    found = {process_of(worker) for worker in _workers(lease_until__lt=now())}
    return {process for process in found if process is not None}


def _workers(**lease: datetime) -> list[str]:
    """The workers with such a lease on a run, or on a part of one."""
    with limited_to(None):
        return [
            worker
            for model in leased_models()
            for worker in model._default_manager.filter(**lease).values_list("worker", flat=True)
        ]
