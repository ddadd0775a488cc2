"""What the workers of the ingestion queue do. A task is a wake-up call; it may come twice."""

from ingestion import runs
from records.runs import worker_name


def load_run(run_id: int) -> None:
    """Look at an ingestion run, and work on it if nobody does."""
    runs.load(run_id, worker_name())
