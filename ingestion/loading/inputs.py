"""Stores uploaded inputs, so that a run can be resumed and replayed."""

import hashlib
import os
import re
import secrets
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Value
from django.db.models.functions import Concat, Substr

from ingestion.errors import NoRoom
from ingestion.parsing.detection import START_BYTES, check_is_table
from ingestion.upload_handler import NotKept
from records.models import IngestionRun
from records.visible_sources import limited_to

CHUNK_BYTES = 1 << 20
# A file that is being written changes more often.
LEFT_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class StoredInput:
    """A stored input: its path, and the name its sender gave it."""

    path: Path
    name: str


def keep_upload(file: "UploadedFile[Any]") -> StoredInput:
    """Store an uploaded file under its digest: the same file sent twice is stored once.

    Raises NoRoom, and UnreadableInput for a file whose first bytes show that it is not a table.
    """
    if isinstance(file, NotKept):
        raise NoRoom(file.name or "", file.reason)
    return keep_chunks(file.name or "", file.chunks(CHUNK_BYTES))


def keep_chunks(name: str, chunks: Iterable[bytes]) -> StoredInput:
    """Store chunks, the first of at least START_BYTES, like an uploaded file."""
    name = Path(name).name or "upload.csv"
    pieces = iter(chunks)
    first = next(pieces, b"")
    check_is_table(first[:START_BYTES], name)
    try:
        return StoredInput(_keep(chain([first], pieces)), name)
    except OSError as error:
        raise NoRoom(name, error.strerror or str(error)) from error


@contextmanager
def taken(stored: StoredInput) -> Iterator[StoredInput]:
    """What the block makes a run of: if it raises, nothing is left of the input."""
    since = datetime.now(UTC)
    try:
        yield stored
    except BaseException:
        forget(stored.path.resolve(), kept_before=since)
        raise


def forget(path: Path, *, kept_before: datetime) -> None:
    """Remove a stored input that no run of any source refers to.

    One that was sent again since then is kept.
    """
    if not path.is_relative_to(settings.INPUT_DIR.resolve()):
        return
    with limited_to(None):
        if IngestionRun.objects.filter(path=path).exists():
            return
    aside = path.with_name(f"{path.name}-{secrets.token_hex(4)}")
    with suppress(FileNotFoundError):
        # Once it is moved aside, a new upload of the same file takes its place and is not touched.
        path.replace(aside)
        if aside.stat().st_mtime > kept_before.timestamp():
            aside.replace(path)
        else:
            aside.unlink()


def drop_unfinished() -> None:
    """Remove the partial inputs of killed processes."""
    long_ago = time.time() - LEFT_SECONDS
    for path in chain(settings.INPUT_DIR.glob("*"), settings.INPUT_DIR.glob("??/*-*")):
        # Another process may remove it too, or put a file back.
        with suppress(FileNotFoundError):
            if path.is_file() and path.stat().st_mtime < long_ago:
                path.unlink()


def stored() -> dict[str, Path]:
    """The whole inputs that are stored, by their paths in the folder of inputs."""
    found = settings.INPUT_DIR.glob("??/*")
    return {f"{path.parent.name}/{path.name}": path for path in found if is_whole(path.name)}


def is_whole(name: str) -> bool:
    """Whether a stored input of this name is whole: it is named by its digest."""
    return re.fullmatch("[0-9a-f]{64}", name) is not None


def relocate(former: Path, folder: Path) -> None:
    """Have all runs find their inputs in another folder than the former one."""
    start = f"{former}/"
    runs = IngestionRun.objects.filter(path__startswith=start)
    runs.update(path=Concat(Value(f"{folder}/"), Substr("path", len(start) + 1)))


def _keep(chunks: Iterable[bytes]) -> Path:
    settings.INPUT_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    sha = hashlib.sha256()
    with tempfile.NamedTemporaryFile(dir=settings.INPUT_DIR, delete=False) as copy:
        try:
            for chunk in chunks:
                sha.update(chunk)
                copy.write(chunk)
            # The run is committed after this: its input must not be lost to a power cut.
            copy.flush()
            os.fsync(copy.fileno())
        except BaseException:
            Path(copy.name).unlink()
            raise
    digest = sha.hexdigest()
    path = settings.INPUT_DIR / digest[:2] / digest
    path.parent.mkdir(exist_ok=True)
    Path(copy.name).chmod(settings.FILE_UPLOAD_PERMISSIONS)
    Path(copy.name).replace(path)
    return path
