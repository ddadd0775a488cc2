"""Runs a function in a separate process, with a deadline and a memory limit.

A web process can't end one of its threads, and all threads share its memory. So user files are
parsed by children of ``isolated_server``, a process that has loaded the modules they need, and has
neither threads nor connections that a fork would copy. Pure: no Django, no tables.
"""

import os
import pickle
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from ingestion.parsing.isolated_server import BROKE, NO_MEMORY, Task

T = TypeVar("T")

# How many children work at once for this process; more would only slow each other down.
AT_ONCE = 2
# A child ends by itself at its deadline; this is the extra time for it to start and to end.
GRACE_SECONDS = 5.0
CHUNK_BYTES = 1 << 16
ROOT = Path(__file__).parents[2]


class ApartError(Exception):
    """A call in a separate process failed."""


class Busy(ApartError):
    """Too many other calls are running, and did not end in time."""


class OutOfTime(ApartError):
    """The call exceeded its deadline."""


class OutOfMemory(ApartError):
    """The call exceeded its memory limit."""


class Broke(ApartError):
    """The process died or raised an unexpected error; ``str()`` is its traceback."""


def call_apart(
    function: Callable[..., T],
    *,
    seconds: float,
    memory: int,
    waiting: float,
    places: threading.BoundedSemaphore | None = None,
    **arguments: Any,
) -> T:
    """Call a function of a module with ``arguments`` in another process, and return its result.

    The call may take so many seconds, and so many bytes of memory more than the process has
    anyway. If too many calls are running, it waits for up to ``waiting`` seconds; calls with
    ``places`` of their own don't wait for others. Temporary files are removed. Raises ApartError.
    """
    taken = places or _places
    if not taken.acquire(timeout=waiting):
        raise Busy
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _call(Task(function, arguments, seconds, memory, folder))
    finally:
        taken.release()


def _call(task: Task) -> Any:
    began = time.monotonic()
    with _connected() as connection:
        connection.settimeout(task.seconds + GRACE_SECONDS)
        try:
            connection.sendall(pickle.dumps(task))
            answer = _all_of(connection)
        except TimeoutError as error:
            raise OutOfTime from error
        except OSError:
            answer = b""
    if not answer:
        # The process ended without an answer: at its deadline, or killed by the system.
        if time.monotonic() - began >= task.seconds:
            raise OutOfTime
        raise Broke("The process ended without an answer.")
    outcome, value = pickle.loads(answer)  # noqa: S301 - it comes from a process of our own
    if outcome == NO_MEMORY:
        raise OutOfMemory
    if outcome == BROKE:
        raise Broke(value)
    return value


def _all_of(connection: socket.socket) -> bytes:
    parts = []
    while part := connection.recv(CHUNK_BYTES):
        parts.append(part)
    return b"".join(parts)


def _connected() -> socket.socket:
    """A connection to a child that is waiting for its task."""
    ours, theirs = socket.socketpair()
    with theirs:
        for attempt in (1, 2):
            try:
                socket.send_fds(_server.control(), [b"+"], [theirs.fileno()])
            except OSError:
                # The server has ended: start another one.
                _server.forget()
                if attempt == 2:
                    ours.close()
                    raise
            else:
                break
    return ours


class _Server:
    """The server of this process, started on first use; a fork gets its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def control(self) -> socket.socket:
        with self._lock:
            if self._control is None or self._owner != os.getpid():
                self._control = self._start()
            return self._control

    def forget(self) -> None:
        with self._lock:
            if self._control is not None:
                self._control.close()
            self._control = None
            if self._process is not None and self._owner == os.getpid():
                with suppress(ProcessLookupError):
                    self._process.kill()
                self._process.wait()

    def _start(self) -> socket.socket:
        control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - the command is our own
                [sys.executable, "-m", "ingestion.parsing.isolated_server", str(theirs.fileno())],
                cwd=ROOT,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        self._owner = os.getpid()
        return control


_places = threading.BoundedSemaphore(AT_ONCE)
_server = _Server()
