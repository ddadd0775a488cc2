"""Files that are packed: .gz and .zip, told by their content. Pure: no Django, no tables."""

import gzip
import io
import shutil
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from ingestion.errors import NoRoomToRead, UnreadableInput, room_to_read
from ingestion.input_file import Digest, DigestingFile

GZIP = b"\x1f\x8b"
ZIP = b"PK\x03\x04"
EMPTY_ZIP = b"PK\x05\x06"
CHUNK_BYTES = 1 << 20
# A file may unpack to as much as the greater of these; no honest table shrinks further.
MAX_UNPACKED_BYTES = 1 << 30
MAX_RATIO = 100


class Plain(NamedTuple):
    """A file that is not packed: where it lies, and its name.

    Where it is a copy, of what was packed or of a workbook, ``digest`` is that of the file that was
    given, and ``grown`` how many bytes lay behind those when they had been read.
    """

    path: Path
    name: str
    digest: Digest | None = None
    is_workbook: bool = False
    grown: int = 0


@contextmanager
def unpacked(
    path: Path,
    name: str,
    *,
    size: int | None = None,
    limit: int | None = None,
    on_chunk: Callable[[], None] = lambda: None,
) -> Iterator[Plain]:
    """The file that is packed in the first ``size`` bytes of ``path``, or in all of them.

    A file that is not packed is itself. A workbook is copied, and an archive read once from its
    beginning to its end: others may write to it meanwhile. What is made lies in a temporary folder
    until the block ends. ``limit`` is how many bytes it may have. Raises UnreadableInput for an
    archive that is damaged, locked, too large, or does not hold exactly one file, and
    NoRoomToRead. Any other OSError passes.
    """
    with path.open("rb") as file:
        start = file.read(4)
    if not start.startswith((GZIP, ZIP, EMPTY_ZIP)):
        yield Plain(path, name)
        return
    if limit is None:
        limit = max(MAX_UNPACKED_BYTES, MAX_RATIO * path.stat().st_size)
    given = DigestingFile(path, size)
    with (
        room_to_read(name),
        tempfile.TemporaryDirectory() as folder,
        io.BufferedReader(given) as file,
    ):
        plain, inner = Path(folder) / "plain", name
        try:
            if start.startswith(GZIP):
                inner = name[:-3] if name.lower().endswith(".gz") else name
                with gzip.GzipFile(fileobj=file) as packed:
                    _copy(packed, plain, name, limit, on_chunk)
            else:
                _copy(file, plain, name, sys.maxsize, on_chunk)
                if start != ZIP or not holds_workbook(plain):
                    archive, plain = plain, Path(folder) / "member"
                    inner = _unzip(archive, plain, name, limit, on_chunk)
                    archive.unlink()
        except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
            raise UnreadableInput(
                name, f"the archive is damaged or cut short ({str(error).rstrip('.')})."
            ) from error
        is_workbook = start == ZIP and plain.name == "plain"
        yield Plain(plain, inner, given.digest, is_workbook=is_workbook, grown=given.grown)


def holds_workbook(path: Path) -> bool:
    """Whether a ZIP archive is an Excel workbook."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False


def _unzip(path: Path, plain: Path, name: str, limit: int, on_chunk: Callable[[], None]) -> str:
    with zipfile.ZipFile(path) as archive:
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
                _copy(packed, plain, name, limit, on_chunk)
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


def _copy(
    packed: IO[bytes] | gzip.GzipFile,
    plain: Path,
    name: str,
    limit: int,
    on_chunk: Callable[[], None],
) -> None:
    size = 0
    with plain.open("wb") as file:
        while chunk := packed.read(CHUNK_BYTES):
            size += len(chunk)
            if size > limit:
                raise UnreadableInput(
                    name,
                    f"it unpacks to more than {limit:,} bytes. Unpack it and load it in parts.",
                )
            if shutil.disk_usage(plain.parent).free < CHUNK_BYTES * 16:
                raise NoRoomToRead(name, "too little is left")
            file.write(chunk)
            on_chunk()
