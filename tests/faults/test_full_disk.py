"""The disk of an installation is full for a while, in the middle of a load (SQLite).

The long form: ``pytest -s -m long tests/faults/test_full_disk.py``.
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.installation import Installation, family, kill, wait_for

pytestmark = pytest.mark.cluster

ROWS = 60_000
# The file system of the installation, and what is left of it when it is full.
MIB = 1 << 20
WORKER = (sys.executable, "manage.py", "worker", "ingestion")
QUEUE = """
from pathlib import Path
from ingestion.loading.runs import create_run
from records.jobs.runner import queue
path = Path({path!r})
queue(create_run(path=path, file_name=path.name, trigger="upload", source_name={source!r},
                 roles={{"id": ["id"]}}))
"""
HEALTH = "from explore.health import check_health; print(check_health().parts['disk'])"


@pytest.fixture
def small(prepared_installation: Installation, tmp_path: Path) -> Iterator[Installation]:
    """An installation on a file system of its own."""
    if prepared_installation.database_url is not None:
        pytest.skip("the database is on another disk")
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a file system can't be mounted here")
    try:
        shutil.copytree(prepared_installation.folder, folder, dirs_exist_ok=True)
        made = Installation(folder)
        yield made
        made.end()
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Use up the disk."""
    filler = folder / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return filler


def stands(installation: Installation, source: str) -> tuple[str, str, int]:
    found: tuple[str, str, int] = installation.rows(
        "SELECT state, waits_for, read FROM ingestion_runs "
        f"JOIN sources ON sources.id = source_id WHERE name = '{source}'"
    )[0]
    return found


def outlast(installation: Installation, path: Path, source: str, *, seconds: float) -> None:
    """A load goes on by itself when the disk, which was full for so long, has room again."""
    with path.open("w") as text:
        text.write("id,note\n")
        text.writelines(f"{n:06},{'note ' * 40}{n}\n" for n in range(ROWS))
    worker = installation.start(*WORKER, DATAFLOW_LEASE_SECONDS="3", DATAFLOW_BATCH_ROWS="1000")
    code = QUEUE.format(path=str(path), source=source)
    installation.manage("shell", "-v0", "-c", code)
    wait_for(lambda: stands(installation, source)[2] > 0, seconds=90, what="the first batch")
    filler = fill(installation.folder)
    told = installation.manage("shell", "-v0", "-c", HEALTH).strip()
    assert told == "full"
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert stands(installation, source)[0] in ("queued", "running")
        time.sleep(0.5)
    filler.unlink()
    wait_for(
        lambda: stands(installation, source) == ("finished", "", ROWS),
        seconds=180,
        what=f"the rest: {stands(installation, source)}\n{installation.log[-3000:]}",
    )
    records = f"SELECT COUNT(*) FROM data_records WHERE source = '{source}'"
    assert installation.rows(records) == [(ROWS,)]
    for process in [*family(worker.pid), psutil.Process(worker.pid)]:
        kill(process)
    worker.wait()


def test_a_load_outlasts_a_full_disk(small, tmp_path):
    outlast(small, tmp_path / "big.csv", "full", seconds=20)


@pytest.mark.long
@pytest.mark.parametrize("number", range(3))
def test_a_load_outlasts_a_disk_that_is_full_for_minutes(small, tmp_path, number):
    outlast(small, tmp_path / "big.csv", f"full{number}", seconds=240)
    sys.stdout.write(f"try {number}: finished after four minutes\n")
