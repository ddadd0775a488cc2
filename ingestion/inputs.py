"""Keeps the inputs that were sent to us, so that a run can be taken up again and repeated."""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from ingestion.detection import START_BYTES, check_is_table
from ingestion.errors import NoRoom


@dataclass(frozen=True, slots=True)
class StoredInput:
    """A kept input: where it lies, and the name its sender gave it."""

    path: Path
    name: str


def keep_upload(file: "UploadedFile[Any]") -> StoredInput:
    """Keep an uploaded file under its digest: the same file sent twice is kept once.

    Raises NoRoom, and UnreadableInput for a file whose first bytes show that it is no table.
    """
    name = Path(file.name or "upload.csv").name
    check_is_table(file.read(START_BYTES), name)
    try:
        return StoredInput(_keep(file), name)
    except OSError as error:
        raise NoRoom(name, error.strerror or str(error)) from error


def _keep(file: "UploadedFile[Any]") -> Path:
    settings.INPUT_DIR.mkdir(parents=True, exist_ok=True)
    sha = hashlib.sha256()
    with tempfile.NamedTemporaryFile(dir=settings.INPUT_DIR, delete=False) as copy:
        try:
            for chunk in file.chunks(1 << 20):
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
