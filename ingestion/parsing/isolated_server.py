"""Forks a child for each task of ``ingestion.parsing.isolated``; see there. Pure: no Django.

It ends with the process that started it, when its socket is closed.
"""

import math
import os
import pickle
import resource
import signal
import socket
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingestion.parsing.isolation import set_limited

DONE, NO_MEMORY, BROKE = "done", "no memory", "broke"


@dataclass(frozen=True, slots=True)
class Task:
    """A function of a module, its arguments and its limits; see ``call_apart``."""

    function: Callable[..., Any]
    arguments: dict[str, Any]
    seconds: float
    memory: int
    folder: str


def serve(control: socket.socket) -> None:
    """Fork a child for each incoming connection, until the parent process is gone."""
    # Children are not waited for, and end by their own deadlines after Ctrl-C.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        _, connections, _, _ = socket.recv_fds(control, 1, 1)
        if not connections:
            return
        if not os.fork():
            control.close()
            with socket.socket(fileno=connections[0]) as connection:
                work(connection)
            # The child must not flush the buffers of the server.
            os._exit(0)
        os.close(connections[0])


def work(connection: socket.socket) -> None:
    """Run a task and send back its result."""
    with connection.makefile("rb") as incoming:
        task: Task = pickle.load(incoming)  # noqa: S301 - it comes from a process of our own
    _limit(task)
    try:
        answer: tuple[str, Any] = DONE, task.function(**task.arguments)
        sent = pickle.dumps(answer)
    except MemoryError:
        sent = pickle.dumps((NO_MEMORY, None))
    except BaseException:
        sent = pickle.dumps((BROKE, traceback.format_exc(limit=20)))
    connection.sendall(sent)


def _limit(task: Task) -> None:
    set_limited()
    tempfile.tempdir = task.folder
    # Nothing handles this signal, so the system ends the process, whatever it is doing.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, task.seconds)
    processor = math.ceil(task.seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (processor, processor))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Not every system can limit it.
    with suppress(ValueError, OSError):
        most = _memory() + task.memory
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _memory() -> int:
    """The bytes of address space that the process has."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * resource.getpagesize()


if __name__ == "__main__":
    # What tasks need is loaded once. Not by name: a pickled function loads its module by itself.
    import clevercsv  # noqa: F401
    import duckdb  # noqa: F401

    import ingestion.parsing.inspection  # noqa: F401

    serve(socket.socket(fileno=int(sys.argv[1])))
