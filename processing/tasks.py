"""What the workers of the processing queue do. A task is a wake-up call; it may come twice."""

from processing import rehearsals, runs
from records.workers import worker_name

# A worker turns to the next run after so long: a small source is not kept waiting by a large one.
TURN_SECONDS = 3


def process_run(run_id: int) -> None:
    """Look at a processing run, and work on it if nobody does."""
    runs.process(run_id, worker_name(), seconds=TURN_SECONDS)


def rehearse(rehearsal_id: int) -> None:
    """Look at a rehearsal, and carry it out if nobody does."""
    rehearsals.carry_out(rehearsal_id, worker_name())
