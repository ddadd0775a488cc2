"""The temporary folder of this installation: one for each process, gone with the process.

Uploads and what is unpacked may be as large as the disk of the installation allows, and the
system's temporary folder often lies in memory. What a process that was killed has left is removed
when the next one starts.
"""

import atexit
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

# The folder in which these lie may hold other things.
PREFIX = "dataflow-process-"
LOCK = "dataflow.lock"

# Held open: its lock tells others that this process is alive, and ends with it, however it ends.
_lock: IO[bytes] | None = None


def use(root: Path) -> None:
    """Have this process, and those that it forks, write temporary files to folders in ``root``."""
    _use(root)
    os.register_at_fork(after_in_child=lambda: _use(root))
    atexit.register(lambda: _leave(root))


def _use(root: Path) -> None:
    global _lock
    if _lock is not None:
        # Of the process that this one was forked from, which still has it.
        _lock.close()
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone_in(root):
        _remove_left(root)
        folder = Path(tempfile.mkdtemp(dir=root, prefix=f"{PREFIX}{os.getpid()}-"))
        _lock = (folder / LOCK).open("wb")
        fcntl.flock(_lock, fcntl.LOCK_EX)
    tempfile.tempdir = str(folder)


def _leave(root: Path) -> None:
    folder = Path(tempfile.gettempdir())
    if folder.parent == root:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _alone_in(root: Path) -> Iterator[None]:
    with (root / LOCK).open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _remove_left(root: Path) -> None:
    for folder in root.glob(f"{PREFIX}*"):
        # Those of other users are theirs to remove.
        with suppress(OSError):
            if _is_left(folder):
                shutil.rmtree(folder)


def _is_left(folder: Path) -> bool:
    """Whether the process of the folder has ended."""
    try:
        with (folder / LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
