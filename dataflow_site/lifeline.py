"""Ends processes whose parent is gone, even after ``kill -9``."""

import os
import signal
import threading
import time

# In the environment of a supervised process: the id of the process that started it. Whoever sets
# it gives the process a group of its own, since the whole group ends with it.
PARENT = "DATAFLOW_PARENT"

LOOK_SECONDS = 0.5


def hold() -> None:
    """End this process's group as soon as its parent is gone; forked children do the same.

    Without the supervisor's word in the environment nothing happens: a command that was started
    by hand may well outlive its shell.
    """
    parent = os.environ.get(PARENT)
    if parent is None:
        return
    os.register_at_fork(before=_remember, after_in_child=lambda: _watch(_forking))
    _watch(int(parent))


_forking = 0


def _remember() -> None:
    global _forking
    _forking = os.getpid()


def _watch(parent: int) -> None:
    threading.Thread(target=_end_with, args=(parent,), name="lifeline", daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    os.killpg(0, signal.SIGKILL)
