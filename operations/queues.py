"""How the queues stand: what waits, what is worked on, and whether somebody works."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Count, Min, Q

from records.database.clock import now
from records.jobs.liveness import worker_alive
from records.jobs.registry import run_models
from records.models import Heartbeat


@dataclass(frozen=True, slots=True)
class QueueState:
    """A queue: its runs that wait, that a worker holds, and that have lost their worker."""

    name: str
    queued: int
    running: int
    interrupted: int
    # How long the oldest queued run has waited; 0 if none waits.
    waited_seconds: float
    has_worker: bool
    seen_at: datetime | None


def queue_states() -> list[QueueState]:
    """All queues, in a few queries each."""
    beats = dict(Heartbeat.objects.values_list("queue", "seen_at"))
    return [_state(queue, beats.get(queue)) for queue in settings.QUEUES]


def _state(queue: str, seen_at: datetime | None) -> QueueState:
    moment = now()
    counts = {
        "queued": Count("pk", filter=Q(state="queued")),
        "running": Count("pk", filter=Q(state="running")),
        "held": Count("pk", filter=Q(state="running", lease_until__gte=moment)),
        "oldest": Min("created_at", filter=Q(state="queued")),
    }
    models = run_models(queue)
    found = [model.objects.active().order_by().aggregate(**counts) for model in models]
    held = sum(each["held"] for each in found)
    oldest = [each["oldest"] for each in found if each["oldest"] is not None]
    return QueueState(
        name=queue,
        queued=sum(each["queued"] for each in found),
        running=held,
        interrupted=sum(each["running"] for each in found) - held,
        waited_seconds=max((moment - min(oldest)).total_seconds(), 0) if oldest else 0,
        has_worker=worker_alive(queue),
        seen_at=seen_at,
    )
