"""Temporary files of an installation: nothing is left of a process, however it ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.installation import ROOT

WRITES = """
import signal, sys, tempfile, time, os
from pathlib import Path
from dataflow_site import temporary
# What a shell starts in the background ignores it.
signal.signal(signal.SIGINT, signal.default_int_handler)
temporary.use(Path(sys.argv[1]))
if sys.argv[2:] == ["fork"] and os.fork() != 0:
    os.wait()
tempfile.NamedTemporaryFile(delete=False).write(b"rows")
print(tempfile.gettempdir(), flush=True)
time.sleep(600)
"""


class Process:
    """One that has written a temporary file."""

    def __init__(self, root: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WRITES, str(root), *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        self.folder = Path(self.process.stdout.readline().strip())
        assert self.folder.parent == root

    def end(self, number: int) -> None:
        self.process.send_signal(number)
        self.process.wait(30)


def test_what_a_killed_process_left_is_removed_when_the_next_one_starts(tmp_path: Path) -> None:
    (tmp_path / "of others").mkdir()
    killed, alive = Process(tmp_path), Process(tmp_path)
    killed.end(signal.SIGKILL)
    assert len(list(killed.folder.iterdir())) == 2
    next_one = Process(tmp_path)
    assert not killed.folder.exists()
    for each in (alive, next_one):
        assert len(list(each.folder.iterdir())) == 2
        each.end(signal.SIGKILL)
    assert (tmp_path / "of others").exists()


def test_a_process_that_ends_leaves_nothing(tmp_path: Path) -> None:
    process = Process(tmp_path)
    process.end(signal.SIGINT)
    assert not process.folder.exists()


def test_forked_processes_have_folders_of_their_own(tmp_path: Path) -> None:
    first = Process(tmp_path, "fork")
    try:
        assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 2
        second = Process(tmp_path)
        assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 3
        second.end(signal.SIGINT)
    finally:
        os.killpg(first.process.pid, signal.SIGKILL)
        first.process.wait(30)
