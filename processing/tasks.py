"""What the workers of the processing queue do. A task is a wake-up call; it may come twice."""

from processing.jobs import process, rule_dry_runs
from records.jobs.workers import worker_name

# A worker turns to the next run after so long: a small source is not kept waiting by a large one.
TURN_SECONDS = 3


def process_run(run_id: int) -> None:
    """Look at a processing run, and work on it if nobody does."""
    process.process(run_id, worker_name(), seconds=TURN_SECONDS)


def rehearse(rehearsal_id: int) -> None:
    """Look at a rehearsal, and carry it out if nobody does."""
    rule_dry_runs.carry_out(rehearsal_id, worker_name())
