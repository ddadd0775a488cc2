"""Tasks of the processing queue. A task is only a wake-up call and may come twice."""

from processing import rehearsals, runs
from records.workers import worker_name

# A worker turns to the next run after so long: a small source is not kept waiting by a large one.
TURN_SECONDS = 3


def process_run(run_id: int) -> None:
    """Work on a processing run unless it has ended."""
    runs.process(run_id, worker_name(), seconds=TURN_SECONDS)


def rehearse(rehearsal_id: int) -> None:
    """Run a test of rules unless another worker does."""
    rehearsals.carry_out(rehearsal_id, worker_name())
