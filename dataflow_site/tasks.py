"""Tasks of workers besides jobs: heartbeats, and updates of text index and column store."""

import logging

from django_q.tasks import async_task

from explore.columns import engine, folding
from records.database.faults import environment_fault
from records.jobs import liveness
from records.store import text_index

log = logging.getLogger(__name__)

# Whose workers follow the changes of records.
FOLLOWING_QUEUE = "processing"
# A worker turns to other tasks after so many seconds.
TURN_SECONDS = 3


def beat(queue: str) -> None:
    liveness.beat(queue)


def tend_texts() -> None:
    """Call a worker for the index of texts, if it has changes to follow and nobody does."""
    if text_index.is_unattended():
        async_task("dataflow_site.tasks.index_texts", cluster=FOLLOWING_QUEUE)


def index_texts() -> None:
    """Have the index of texts follow what has changed, for a turn."""
    text_index.follow(seconds=TURN_SECONDS)
    tend_texts()


def tend_columns() -> None:
    """Call a worker for the column store, if it has changes to fold and nobody does."""
    if folding.is_unattended():
        async_task("dataflow_site.tasks.fold_columns", cluster=FOLLOWING_QUEUE)


def fold_columns() -> None:
    """Fold what has changed into the column store, for a turn."""
    try:
        folding.fold(seconds=TURN_SECONDS)
    except Exception as error:
        fault = environment_fault(error) or engine.environment_fault(error)
        if not fault:
            raise
        # It is tried again when a worker is called the next time.
        log.warning("The column store can't be updated: %s", fault)
    else:
        tend_columns()
