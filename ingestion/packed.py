"""Files that are packed: .gz and .zip, told by their content. Pure: no Django, no tables."""

import gzip
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from ingestion.errors import InputTooLarge, UnreadableInput
from ingestion.limits import (
    FREE_UNPACKED_BYTES,
    MAX_DIRECTORY_BYTES,
    MAX_RATIO,
    MAX_UNPACKED_BYTES,
    most_unpacked,
    reserve,
)

GZIP = b"\x1f\x8b"
ZIP = b"PK\x03\x04"
EMPTY_ZIP = b"PK\x05\x06"
CHUNK_BYTES = 1 << 20


@contextmanager
def unpacked(
    path: Path,
    name: str,
    *,
    on_chunk: Callable[[], None] | None = None,
) -> Iterator[tuple[Path, str]]:
    """The file that is packed in ``path``, and its name; a file that is not packed is itself.

    What is unpacked lies in a temporary folder until the block ends. Raises UnreadableInput for an
    archive that is damaged, locked, too large, or does not hold exactly one file. OSError passes.
    """
    with path.open("rb") as file:
        start = file.read(4)
    is_zip = start in (ZIP, EMPTY_ZIP)
    if not (is_zip or start.startswith(GZIP)) or (is_zip and holds_workbook(path, name)):
        yield path, name
        return
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain"
        try:
            with path.open("rb") as file:
                copy = _Copy(file, plain, name, on_chunk)
                if is_zip:
                    inner = _unzip(file, name, copy)
                else:
                    inner = name[:-3] if name.lower().endswith(".gz") else name
                    with gzip.open(file) as packed:
                        copy(packed)
        except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
            raise UnreadableInput(
                name, f"the archive is damaged or cut short ({str(error).rstrip('.')})."
            ) from error
        yield plain, inner


def open_archive(file: IO[bytes], name: str) -> zipfile.ZipFile:
    """The ZIP archive in a file. Raises InputTooLarge, and BadZipFile for one that is damaged."""
    check_directory(file, name)
    return zipfile.ZipFile(file)


def check_directory(file: IO[bytes], name: str) -> None:
    """Raise InputTooLarge if a ZIP archive has more files than can be listed."""
    # How zipfile finds the list; it would read all of it.
    end = zipfile._EndRecData(file)  # type: ignore[attr-defined]
    if end and end[zipfile._ECD_SIZE] > MAX_DIRECTORY_BYTES:  # type: ignore[attr-defined]
        raise InputTooLarge(
            name,
            f"{end[zipfile._ECD_ENTRIES_TOTAL]:,} files in it",  # type: ignore[attr-defined]
            f"{MAX_DIRECTORY_BYTES:,} bytes for the list of them",
            "Load each by itself.",
        )


def holds_workbook(path: Path, name: str) -> bool:
    """Whether a ZIP archive is an Excel workbook. Raises InputTooLarge."""
    try:
        with path.open("rb") as file, open_archive(file, name) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False


def _unzip(file: IO[bytes], name: str, copy: "_Copy") -> str:
    with open_archive(file, name) as archive:
        members = [member for member in archive.infolist() if _is_usable(member)]
        if len(members) != 1:
            names = ", ".join(repr(member.filename) for member in members[:5])
            names += ", ..." if len(members) > 5 else ""
            raise UnreadableInput(
                name,
                f"the archive holds {len(members)} files ({names}); load each by itself."
                if members
                else "the archive holds no file.",
            )
        member = members[0]
        if member.flag_bits & 1:
            raise UnreadableInput(name, "the archive is locked with a password. Unpack it first.")
        try:
            with archive.open(member) as packed:
                copy(packed)
        except (NotImplementedError, RuntimeError) as error:
            raise UnreadableInput(
                name, "it is packed in a way that is not supported. Unpack it first."
            ) from error
    return PurePosixPath(member.filename).name


def _is_usable(member: zipfile.ZipInfo) -> bool:
    """Whether a member is more than a folder, or what a Mac or Windows puts beside files."""
    path = PurePosixPath(member.filename)
    return not (
        member.is_dir()
        or path.name.startswith(".")
        or path.name.lower() in ("thumbs.db", "desktop.ini")
        or path.parts[:1] == ("__MACOSX",)
    )


class _Copy:
    """Unpacks what is packed in a file, and stops as soon as it is too much."""

    def __init__(
        self,
        file: IO[bytes],
        plain: Path,
        name: str,
        on_chunk: Callable[[], None] | None,
    ) -> None:
        self._file, self._plain, self._name = file, plain, name
        self._on_chunk = on_chunk
        self._reserve = reserve(plain.parent)

    def __call__(self, packed: IO[bytes] | gzip.GzipFile) -> None:
        size = 0
        with self._plain.open("wb") as plain:
            while chunk := packed.read(CHUNK_BYTES):
                size += len(chunk)
                self._check(size)
                plain.write(chunk)
                if self._on_chunk is not None:
                    self._on_chunk()

    def _check(self, size: int) -> None:
        # By as much of it as has been read: what unpacks to too much is not unpacked to its end.
        if size > (most := most_unpacked(self._file.tell())):
            raise InputTooLarge(
                self._name,
                f"more than {most:,} bytes when it is unpacked",
                f"{MAX_RATIO} times its own size, but at least {FREE_UNPACKED_BYTES:,} and at most "
                f"{MAX_UNPACKED_BYTES:,} bytes",
                "Unpack it and load it as it is, or in parts.",
            )
        free = shutil.disk_usage(self._plain.parent).free
        if free - CHUNK_BYTES < self._reserve:
            raise UnreadableInput(
                self._name,
                f"there is no room left to unpack it: the disk has {free:,} free bytes, of which "
                f"{self._reserve:,} are kept for the database. Free some, and load it again.",
            )
