"""Folders for files that are not complete yet: for their owner only, and gone with the process."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = ".dataflow-backup-"


@contextmanager
def staging(folder: Path) -> Iterator[Path]:
    """A folder in this one. What killed processes have left of theirs is removed."""
    _remove_left(folder)
    made = Path(tempfile.mkdtemp(dir=folder, prefix=PREFIX))  # mode 0700
    lock = os.open(made, os.O_RDONLY)
    try:
        # It is held as long as the process lives, however that ends.
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
        os.close(lock)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove_left(folder: Path) -> None:
    for left in folder.glob(f"{PREFIX}*"):
        try:
            lock = os.open(left, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(left, ignore_errors=True)
        finally:
            os.close(lock)
