"""What the workers of the processing queue do. A task is a wake-up call; it may come twice."""

from processing import runs
from records.runs import worker_name


def process_run(run_id: int) -> None:
    """Look at a processing run, and work on it if nobody does."""
    runs.process(run_id, worker_name())
