"""Tasks of workers besides runs: heartbeats, and updates of the text index."""

from django_q.tasks import async_task

from records.jobs import liveness
from records.store import text_index

# A worker turns to other tasks after so many seconds.
TURN_SECONDS = 3


def beat(queue: str) -> None:
    liveness.beat(queue)


def tend_texts() -> None:
    """Call a worker for the index of texts, if it has changes to follow and nobody does."""
    if text_index.is_unattended():
        async_task("dataflow_site.tasks.index_texts", cluster="processing")


def index_texts() -> None:
    """Have the index of texts follow what has changed, for a turn."""
    text_index.follow(seconds=TURN_SECONDS)
    tend_texts()
