"""What the workers of the ingestion queue do. A task is a wake-up call; it may come twice."""

from ingestion.feeds import services as feeds
from ingestion.loading import dry_runs, runs, undo
from records.jobs.workers import worker_name


def load_run(run_id: int) -> None:
    """Look at an ingestion run, and work on it if nobody does."""
    runs.load(run_id, worker_name())


def undo_run(undo_id: int) -> None:
    """Look at the undo of an ingestion run, and work on it if nobody does."""
    undo.undo(undo_id, worker_name())


def dry_run(dry_run_id: int) -> None:
    """Look at a dry run, and work on it if nobody does."""
    dry_runs.dry_run(dry_run_id, worker_name())


def start_feed(feed_id: int) -> None:
    """Look whether a feed is due, and start it if nobody has."""
    feeds.start_if_due(feed_id)
