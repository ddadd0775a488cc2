"""Restricts what the installation writes to its owner."""

import errno
import stat
from pathlib import Path

# What is not there, belongs to another user, who is to open or close it, or is in an image.
NOT_OURS = {errno.ENOENT, errno.EPERM, errno.EACCES, errno.EROFS}

# In the folder of the installation. Others lie in folders that are private themselves.
PRIVATE = (
    "dataflow.sqlite3",
    "dataflow.sqlite3-wal",
    "dataflow.sqlite3-shm",
    "dataflow.sqlite3-journal",
    "secret_key",
    "receipt_key",
    "login.json",
    "inputs",
    "tmp",
)


def keep_private(folder: Path) -> None:
    """Take the rights of group and others from the folder of the installation, and what it holds.

    It may have been there before, made by someone else, or by a version that left it open.
    """
    for path in (folder, *(folder / name for name in PRIVATE)):
        try:
            mode = path.stat().st_mode
            # A folder that everybody shares, such as /tmp, stays as it is.
            if mode & 0o077 and not mode & stat.S_ISVTX:
                path.chmod(stat.S_IMODE(mode) & ~0o077)
        except OSError as error:
            if error.errno not in NOT_OURS:
                raise
