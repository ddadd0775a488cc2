"""Hosts whose clocks are an hour apart: the database's clock alone decides (PostgreSQL)."""

import sys
from pathlib import Path

import psutil
import pytest
from django.db import connection  # noqa: F401 (of the condition below)

from tests.installation import Installation, family, kill, wait_for

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one host"),
]

ROWS = 60_000
LEASE = 3
AHEAD = {
    "PYTHONPATH": str(Path(__file__).parents[1] / "other_host"),
    "OTHER_HOST": "other.example",
    "CLOCK_AHEAD": "3600",
}
WORKER = (sys.executable, "manage.py", "worker", "ingestion")
SETTINGS = {"DATAFLOW_LEASE_SECONDS": str(LEASE), "DATAFLOW_BATCH_ROWS": "2000"}
QUEUE = """
from pathlib import Path
from ingestion.loading.runs import create_run
from records.jobs.runner import queue
path = Path({path!r})
queue(create_run(path=path, file_name=path.name, trigger="upload", source_name={source!r},
                 roles={{"id": ["id"]}}))
"""
FEED = """
from django.utils import timezone
from ingestion.feeds.services import save_feed
from records.database.clock import now
print((timezone.now() - now()).total_seconds())
feed = save_feed(source_name="hourly", kind="http", config={"url": "https://api.example/"},
                 schedule="0 * * * *")
print((feed.next_at - now()).total_seconds())
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    path: Path = tmp_path_factory.mktemp("files") / "big.csv"
    with path.open("w") as text:
        text.write("id,note\n")
        text.writelines(f"{n:06},note {n}\n" for n in range(ROWS))
    return path


def state(installation: Installation, source: str) -> tuple[str, int]:
    found: tuple[str, int] = installation.rows(
        "SELECT state, read FROM ingestion_runs "
        f"JOIN sources ON sources.id = source_id WHERE name = '{source}'"
    )[0]
    return found


def queue(installation: Installation, file: Path, source: str, **environment: str) -> None:
    code = QUEUE.format(path=str(file), source=source)
    installation.manage("shell", "-v0", "-c", code, **environment)


def end(worker: psutil.Process) -> None:
    for process in [*family(worker.pid), worker]:
        kill(process)
    worker.wait()


def test_a_file_that_a_host_with_a_fast_clock_queues_is_begun_at_once(own_installation, file):
    worker = own_installation.start(*WORKER, **SETTINGS)
    queue(own_installation, file, "fast", **AHEAD)
    wait_for(lambda: state(own_installation, "fast")[0] == "finished", seconds=90, what="the load")
    end(psutil.Process(worker.pid))


def test_the_run_of_a_dead_worker_with_a_fast_clock_is_taken_over(own_installation, file):
    worker = own_installation.start(*WORKER, **SETTINGS, **AHEAD)
    queue(own_installation, file, "dead")
    wait_for(lambda: state(own_installation, "dead")[1] > 0, seconds=90, what="the first batch")
    end(psutil.Process(worker.pid))
    assert state(own_installation, "dead")[0] == "running"
    worker = own_installation.start(*WORKER, **SETTINGS)
    wait_for(
        lambda: state(own_installation, "dead") == ("finished", ROWS), seconds=120, what="the rest"
    )
    end(psutil.Process(worker.pid))


def test_a_worker_with_a_fast_clock_takes_no_run_from_one_that_is_at_work(own_installation, file):
    slow = own_installation.start(*WORKER, **SETTINGS | {"DATAFLOW_BATCH_ROWS": "200"})
    queue(own_installation, file, "held")
    wait_for(lambda: state(own_installation, "held")[1] > 0, seconds=90, what="the first batch")
    fast = own_installation.start(*WORKER, **SETTINGS, **AHEAD)
    wait_for(
        lambda: state(own_installation, "held") == ("finished", ROWS), seconds=120, what="the load"
    )
    assert own_installation.rows(
        "SELECT attempts FROM ingestion_runs JOIN sources ON sources.id = source_id "
        "WHERE name = 'held'"
    ) == [(1,)]
    for worker in (slow, fast):
        end(psutil.Process(worker.pid))


def test_schedules_go_by_the_clock_of_the_database(own_installation):
    ahead, until = own_installation.manage("shell", "-v0", "-c", FEED, **AHEAD).split()
    assert float(ahead) == pytest.approx(3600, abs=60)
    assert 0 < float(until) <= 3600
