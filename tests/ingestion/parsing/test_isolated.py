"""What is carried out apart can't take more time or memory than it may, and leaves nothing."""

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from psutil import Process

from ingestion.parsing import isolated
from ingestion.parsing.isolated import Broke, Busy, OutOfMemory, OutOfTime, call_apart
from tests import for_apart

ROOT = Path(__file__).parents[3]


def call(function, seconds=60.0, megabytes=200, waiting=60.0, **arguments):
    return call_apart(
        function, seconds=seconds, memory=megabytes << 20, waiting=waiting, **arguments
    )


def server_pid() -> int:
    process = isolated._server._process
    assert process is not None
    return process.pid


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or Process(pid).status() == psutil.STATUS_ZOMBIE


def eventually(holds, seconds=20.0) -> bool:
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        time.sleep(0.05)
    return bool(holds())


def test_it_returns_what_the_function_returns_from_another_process():
    assert call(for_apart.answer, value={"a": ["ü" * 1_000_000]}) == {"a": ["ü" * 1_000_000]}
    first, second = call(for_apart.number), call(for_apart.number)
    assert len({first, second, os.getpid()}) == 3
    assert eventually(lambda: is_gone(first) and is_gone(second))


@pytest.mark.parametrize(
    ("slow", "arguments"), [(for_apart.sleep, {"long": 60}), (for_apart.spin, {})]
)
def test_it_is_ended_at_its_deadline(slow, arguments):
    call(for_apart.number)
    began = time.monotonic()
    with pytest.raises(OutOfTime):
        call(slow, seconds=0.3, **arguments)
    assert time.monotonic() - began < 10


def test_it_gets_no_more_memory_than_it_may_have():
    assert call(for_apart.fill, size=100 << 20) == 100 << 20
    with pytest.raises(OutOfMemory):
        call(for_apart.fill, size=400 << 20)


def test_what_breaks_is_told_with_its_traceback():
    with pytest.raises(Broke, match="RecursionError: too deep"):
        call(for_apart.fail)
    with pytest.raises(Broke, match="without an answer"):
        call(for_apart.die)


def test_what_it_leaves_in_temporary_folders_is_removed_even_if_it_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    call(for_apart.sleep, long=0)
    with pytest.raises(OutOfTime):
        call(for_apart.sleep, seconds=0.3, long=60)
    assert list(tmp_path.iterdir()) == []


def test_so_many_work_at_once_and_others_wait_for_so_long():
    with ThreadPoolExecutor(isolated.AT_ONCE) as threads:
        slow = [threads.submit(call, for_apart.sleep, long=3) for _ in range(isolated.AT_ONCE)]
        time.sleep(0.5)
        with pytest.raises(Busy):
            call(for_apart.number, waiting=0.2)
        assert call(for_apart.number, waiting=60.0)
        assert [done.result() for done in slow] == [3] * isolated.AT_ONCE


def test_many_threads_get_the_answers_that_are_theirs():
    with ThreadPoolExecutor(8) as threads:
        answers = threads.map(lambda number: call(for_apart.answer, value=number), range(40))
        assert list(answers) == list(range(40))


def test_a_server_that_was_killed_is_started_again():
    call(for_apart.number)
    server = Process(server_pid())
    server.kill()
    assert eventually(lambda: is_gone(server.pid))
    assert call(for_apart.answer, value=1) == 1


def test_a_fork_of_the_process_has_a_server_of_its_own():
    call(for_apart.number)
    server = server_pid()
    code = (
        "import os, sys\n"
        "from ingestion.parsing import isolated\n"
        "from tests import for_apart\n"
        "def call(): return isolated.call_apart(\n"
        "    for_apart.answer, seconds=60, memory=1 << 28, waiting=1, value=isolated.os.getpid())\n"
        "call(); first = isolated._server._process.pid\n"
        "if os.fork() == 0:\n"
        "    ok = call() == os.getpid() and isolated._server._process.pid != first\n"
        "    os._exit(0 if ok else 1)\n"
        "print(first, os.waitstatus_to_exitcode(os.wait()[1]))\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert said[1] == "0"
    # The server ends with the process that it serves.
    assert eventually(lambda: is_gone(int(said[0])))
    assert not is_gone(server)
