"""Carries a function out in a process of its own, with a deadline and a limit of memory.

A process that serves many people in threads can't end one of them, and its memory is that of all.
So what parses the inputs of anyone is done by children of ``isolated_server``, a process that has
loaded what they need, and has neither threads nor connections that a fork would copy.
Pure: no Django, no tables.
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

# So many children work at once for this process; more would only make each of them slower.
AT_ONCE = 2
# A child ends by itself at its deadline; it is given so long to be started and to end.
GRACE_SECONDS = 5.0
CHUNK_BYTES = 1 << 16
ROOT = Path(__file__).parents[2]


class ApartError(Exception):
    """What was carried out apart has come to nothing."""


class Busy(ApartError):
    """Others are at work, and have not ended in time."""


class OutOfTime(ApartError):
    """It took longer than it may."""


class OutOfMemory(ApartError):
    """It took more memory than it may."""


class Broke(ApartError):
    """It ended by itself, or by an error that nobody expected; ``str()`` is its traceback."""


def call_apart(
    function: Callable[..., T], *, seconds: float, memory: int, waiting: float, **arguments: Any
) -> T:
    """What a function of a module returns for ``arguments``, carried out in another process.

    It may take so many seconds and so many bytes of memory more than the process has anyway; where
    too many are at work, it waits for ``waiting`` seconds. What it leaves in temporary folders is
    removed. Raises ApartError.
    """
    if not _places.acquire(timeout=waiting):
        raise Busy
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _call(Task(function, arguments, seconds, memory, folder))
    finally:
        _places.release()


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
        # It ended without a word: by its deadline, else by the system.
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
    """A connection to a child that waits for its task."""
    ours, theirs = socket.socketpair()
    with theirs:
        for attempt in (1, 2):
            try:
                socket.send_fds(_server.control(), [b"+"], [theirs.fileno()])
            except OSError:
                # It has ended: another one is started.
                _server.forget()
                if attempt == 2:
                    ours.close()
                    raise
            else:
                break
    return ours


class _Server:
    """The server of this process, started when it is first needed; a fork of it has another."""

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
