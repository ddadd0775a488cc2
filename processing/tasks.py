"""Tasks of the processing queue. A task is only a wake-up call and may come twice."""

from processing.jobs import process, rule_dry_runs
from records.jobs.workers import worker_name

# A worker turns to the next run after so long: a small source is not kept waiting by a large one.
TURN_SECONDS = 3


def process_run(run_id: int) -> None:
    """Work on a processing run unless it has ended."""
    process.process(run_id, worker_name(), seconds=TURN_SECONDS)


def rehearse(rehearsal_id: int) -> None:
    """Run a test of rules unless another worker does."""
    rule_dry_runs.carry_out(rehearsal_id, worker_name())
