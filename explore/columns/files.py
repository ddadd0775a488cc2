"""The files of segments: named by the SHA-256 of their content, and never changed.

They lie in the storage ``columns``. Where that is not a folder of this machine, what is read of it
is kept in ``COLUMN_DIR``.
"""

import hashlib
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.core.files import File
from django.core.files.storage import Storage, storages
from django.utils import timezone

log = logging.getLogger(__name__)

SUFFIX = ".parquet"
# Files of this age that no segment has are left over from a fold that was interrupted.
LEFT_AFTER = timedelta(hours=1)

# The files that this process has found to be what their names say, as they were then.
_checked: dict[str, tuple[int, int]] = {}


def _storage() -> Storage:
    return storages["columns"]


def _folder() -> Path:
    """Where files lie on this machine."""
    try:
        return Path(_storage().path(""))
    except NotImplementedError:
        return Path(settings.COLUMN_DIR)


def _is_local() -> bool:
    try:
        _storage().path("")
    except NotImplementedError:
        return False
    return True


@contextmanager
def new_file() -> Iterator[Path]:
    """A path for a file that is to be kept; it is gone afterwards unless it was."""
    folder = _folder()
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    path = folder / f"{uuid4().hex}.new"
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def keep(path: Path) -> tuple[str, int]:
    """Keep a new file under its digest; the digest and its size in bytes."""
    digest, size = _digest(path), path.stat().st_size
    path.chmod(0o640)
    target = path.with_name(digest + SUFFIX)
    path.replace(target)
    _checked[digest] = _mark(target)
    if not _is_local():
        storage = _storage()
        if storage.exists(target.name):
            storage.delete(target.name)
        with target.open("rb") as file:
            storage.save(target.name, File(file))
    return digest, size


def found(digest: str) -> Path | None:
    """The file of this digest on this machine; None if it is lost or damaged.

    Its content is looked at once by each process, and again when the file has changed.
    """
    path = _folder() / (digest + SUFFIX)
    if _is_whole(path, digest):
        return path
    if _is_local() or not _fetch(path):
        return None
    return path if _is_whole(path, digest) else None


def _is_whole(path: Path, digest: str) -> bool:
    try:
        mark = _mark(path)
        if _checked.get(digest) == mark:
            return True
        if _digest(path) != digest:
            log.error("%s is damaged: its content is not what its name says.", path)
            return False
    except OSError:
        return False
    _checked[digest] = mark
    return True


def _fetch(path: Path) -> bool:
    """Copy a file from the storage to this machine, whole or not at all."""
    storage = _storage()
    if not storage.exists(path.name):
        return False
    with new_file() as copy:
        with storage.open(path.name) as source, copy.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
        copy.replace(path)
    return True


def delete_left(known: set[str]) -> None:
    """Delete old files that are none of the known digests, here and in the storage."""
    before = timezone.now() - LEFT_AFTER
    for path in _folder().glob("*"):
        if _is_left(path.name, known) and path.stat().st_mtime < before.timestamp():
            path.unlink(missing_ok=True)
    if not _is_local():
        storage = _storage()
        for name in storage.listdir("")[1]:
            if _is_left(name, known) and storage.get_modified_time(name) < before:
                storage.delete(name)


def _is_left(name: str, known: set[str]) -> bool:
    return name.endswith((SUFFIX, ".new")) and name.removesuffix(SUFFIX) not in known


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _mark(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns
