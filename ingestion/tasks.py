"""The tasks of the ingestion queue. A task is only a wake-up call, and may come twice."""

from ingestion.feeds import services as feeds
from ingestion.loading import dry_runs, runs, undo
from records.jobs.workers import worker_name


def load_run(run_id: int) -> None:
    """Work on an ingestion run, unless another worker does."""
    runs.load(run_id, worker_name())


def undo_run(undo_id: int) -> None:
    """Work on the undo of an ingestion run, unless another worker does."""
    undo.undo(undo_id, worker_name())


def dry_run(dry_run_id: int) -> None:
    """Work on a dry run, unless another worker does."""
    dry_runs.dry_run(dry_run_id, worker_name())


def start_feed(feed_id: int) -> None:
    """Start a feed if it is due, unless another worker has."""
    feeds.start_if_due(feed_id)
