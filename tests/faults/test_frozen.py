"""A host that is frozen in the middle of a transaction: others go on, and it is fenced off.

The long form, ten tries: ``pytest -s -m long tests/faults/test_frozen.py``.
"""

import contextlib
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from django.db import connection  # noqa: F401 (of the conditions below)

from tests.installation import Installation, family, wait_for

pytestmark = pytest.mark.cluster

WORKER = (sys.executable, "manage.py", "worker", "ingestion")
ROWS = 60_000
LEASE = 3
# Within which others have gone on: lease, pauses, a start of processes, and a busy machine.
SECONDS = 150
QUEUE = """
from pathlib import Path
from ingestion.loading.runs import create_run
from records.jobs.runner import queue
path = Path({path!r})
queue(create_run(path=path, file_name=path.name, trigger="upload", source_name={source!r},
                 roles={{"id": ["id"]}}))
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    path: Path = tmp_path_factory.mktemp("files") / "big.csv"
    with path.open("w") as text:
        text.write("id,note\n")
        text.writelines(f"{n:06},note {n}\n" for n in range(ROWS))
    return path


class Host:
    """The workers of a queue, which may be frozen as a whole."""

    def __init__(self, installation: Installation) -> None:
        self.process: subprocess.Popen[str] = installation.start(
            *WORKER,
            DATAFLOW_LEASE_SECONDS=str(LEASE),
            DATAFLOW_BATCH_ROWS="2000",
            DATAFLOW_WORKER_SILENCE_SECONDS="20",
        )

    def signal(self, number: int) -> None:
        for process in [*family(self.process.pid), psutil.Process(self.process.pid)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)


def stands(installation: Installation, source: str) -> tuple[str, int, str]:
    found: tuple[str, int, str] = installation.rows(
        "SELECT state, read, worker FROM ingestion_runs "
        f"JOIN sources ON sources.id = source_id WHERE name = '{source}'"
    )[0]
    return found


def holds_a_transaction(installation: Installation) -> bool:
    """Whether somebody has written, and not committed yet."""
    if installation.database_url:
        return bool(
            installation.rows(
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() "
                "AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()"
            )
        )
    database = sqlite3.connect(installation.folder / "dataflow.sqlite3", timeout=0)
    try:
        database.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return True
    finally:
        database.close()
    return False


def freeze_in_a_transaction(
    installation: Installation, host: Host, processes: list[psutil.Process] | None = None
) -> None:
    """Stop the host, or some of its processes, where they have a transaction open."""

    def send(number: signal.Signals) -> None:
        if processes is None:
            host.signal(number)
            return
        for process in processes:
            process.send_signal(number)

    def frozen() -> bool:
        send(signal.SIGSTOP)
        time.sleep(0.05)
        if holds_a_transaction(installation):
            return True
        send(signal.SIGCONT)
        time.sleep(0.01)
        return False

    wait_for(frozen, seconds=60, what="an open transaction")


def queue(installation: Installation, file: Path, source: str) -> None:
    code = QUEUE.format(path=str(file), source=source)
    installation.manage("shell", "-v0", "-c", code)


def check(installation: Installation, source: str) -> None:
    """Every row is a record, once."""
    (facts,) = installation.rows(
        "SELECT read, created, updated + unchanged + rejected FROM ingestion_runs "
        f"JOIN sources ON sources.id = source_id WHERE name = '{source}'"
    )
    assert facts == (ROWS, ROWS, 0)
    records = f"SELECT COUNT(*) FROM data_records WHERE source = '{source}'"
    assert installation.rows(records) == [(ROWS,)]
    counted = f"SELECT SUM(count) FROM record_counts WHERE source = '{source}'"
    assert [(int(total),) for (total,) in installation.rows(counted)] == [(ROWS,)]


@pytest.fixture
def hosts(own_installation: Installation) -> Iterator[list[Host]]:
    made: list[Host] = []
    yield made
    for host in made:
        for process in [*family(host.process.pid), psutil.Process(host.process.pid)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        host.process.wait()


def take_over(installation: Installation, hosts: list[Host], file: Path, source: str) -> float:
    """Freeze the host that works on a run; how many seconds it takes until another is done."""
    first = Host(installation)
    hosts.append(first)
    queue(installation, file, source)
    wait_for(lambda: stands(installation, source)[1] > 0, seconds=90, what="the first batch")
    freeze_in_a_transaction(installation, first)
    state, read, worker = stands(installation, source)
    assert (state, read < ROWS) == ("running", True)
    began = time.monotonic()
    hosts.append(Host(installation))
    wait_for(
        lambda: stands(installation, source)[0] == "finished",
        seconds=SECONDS,
        what=f"another worker than {worker} to finish the run: {stands(installation, source)}",
    )
    took = time.monotonic() - began
    # It wakes up: what it still has to write belongs to somebody else by now.
    first.signal(signal.SIGCONT)
    time.sleep(2)
    check(installation, source)
    return took


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="one machine is all of SQLite")
def test_the_run_of_a_frozen_host_is_taken_over(own_installation, hosts, file):
    take_over(own_installation, hosts, file, "frozen")


@pytest.mark.long
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="one machine is all of SQLite")
@pytest.mark.parametrize("number", range(10))
def test_the_run_of_a_frozen_host_is_taken_over_each_time(own_installation, hosts, file, number):
    took = take_over(own_installation, hosts, file, f"frozen{number}")
    sys.stdout.write(f"try {number}: taken over and finished within {took:.0f} s\n")


def unlock(installation: Installation, hosts: list[Host], file: Path, source: str) -> float:
    """Freeze the process that works on a run; seconds until the supervisor has seen to it."""
    host = Host(installation)
    hosts.append(host)
    queue(installation, file, source)
    wait_for(lambda: stands(installation, source)[1] > 0, seconds=90, what="the first batch")
    pid = int(stands(installation, source)[2].split(":")[-2].partition(".")[0])
    freeze_in_a_transaction(installation, host, [psutil.Process(pid)])
    assert stands(installation, source)[1] < ROWS
    began = time.monotonic()
    wait_for(
        lambda: stands(installation, source)[0] == "finished",
        seconds=SECONDS,
        what="the supervisor to end the process that is frozen",
    )
    check(installation, source)
    return time.monotonic() - began


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL ends the session")
def test_a_worker_that_is_frozen_with_the_lock_of_sqlite_is_ended(own_installation, hosts, file):
    unlock(own_installation, hosts, file, "locked")


@pytest.mark.long
@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL ends the session")
@pytest.mark.parametrize("number", range(10))
def test_a_frozen_worker_is_ended_each_time(own_installation, hosts, file, number):
    took = unlock(own_installation, hosts, file, f"locked{number}")
    sys.stdout.write(f"try {number}: finished within {took:.0f} s\n")
