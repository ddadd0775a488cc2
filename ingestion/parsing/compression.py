"""Compressed files (.gz and .zip), detected by their content. Pure: no Django, no tables."""

import gzip
import io
import lzma
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from ingestion.errors import InputTooLarge, NoRoomToRead, UnreadableInput, room_to_read
from ingestion.parsing.input_file import Digest, DigestingFile
from ingestion.parsing.limits import (
    FREE_UNPACKED_BYTES,
    MAX_DIRECTORY_BYTES,
    MAX_RATIO,
    MAX_UNPACKED_BYTES,
    most_unpacked,
    reserve,
)

GZIP = b"\x1f\x8b"
# Old Excel files, and others of Microsoft Office.
OLE = b"\xd0\xcf\x11\xe0"
ZIP = b"PK\x03\x04"
EMPTY_ZIP = b"PK\x05\x06"
PARQUET = b"PAR1"
# Of these, readers open copies.
COPIED = (ZIP, OLE, PARQUET)
CHUNK_BYTES = 1 << 20
DAMAGED = (
    EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, zipfile.BadZipFile,
    NotImplementedError,
)  # fmt: skip
MIME_BYTES = 1_000
# The kinds of documents that are ZIP archives, by their "mimetype" or by a member.
MIME_KINDS = [
    ("application/vnd.oasis.opendocument.spreadsheet", "ods"),
    ("application/vnd.oasis.opendocument.text", "an OpenDocument text"),
    ("application/vnd.oasis.opendocument.presentation", "an OpenDocument presentation"),
    ("application/vnd.oasis.opendocument", "an OpenDocument file without sheets"),
    ("application/epub+zip", "an EPUB book"),
]
MEMBER_KINDS = [
    ("xl/workbook.xml", "xlsx"),
    ("xl/workbook.bin", "xlsb"),
    ("word/document.xml", "a Word document"),
    ("ppt/presentation.xml", "a PowerPoint presentation"),
    ("visio/document.xml", "a Visio drawing"),
    ("Index/Document.iwa", "a document of Apple iWork"),
]


class Plain(NamedTuple):
    """An unpacked file: its path and its name.

    If it is a copy, of the content of an archive, of a workbook or of a Parquet file, ``digest`` is
    that of the original file, and ``grown`` how many bytes followed the digested ones after the
    read.
    """

    path: Path
    name: str
    digest: Digest | None = None
    is_whole: bool = False
    grown: int = 0


@contextmanager
def unpacked(
    path: Path,
    name: str,
    *,
    size: int | None = None,
    on_chunk: Callable[[], None] = lambda: None,
) -> Iterator[Plain]:
    """The file in the archive that is the first ``size`` bytes of ``path``, or all of them.

    A file of text is returned as it is. A workbook or a Parquet file is copied, and an archive is
    read once from start to end, since others may write to it. Copies are in a temporary folder
    until the block ends. Raises UnreadableInput for an archive that is damaged, password-protected,
    too large, or does not contain exactly one file, and NoRoomToRead. Any other OSError is passed
    on.
    """
    with path.open("rb") as file:
        start = file.read(4)
    if not start.startswith((GZIP, EMPTY_ZIP, *COPIED)):
        yield Plain(path, name)
        return
    given = DigestingFile(path, size)
    with (
        room_to_read(name),
        tempfile.TemporaryDirectory() as folder,
        io.BufferedReader(given) as file,
    ):
        plain, inner = Path(folder) / "plain", name
        copy = _Copy(plain, name, on_chunk)
        try:
            if start.startswith(GZIP):
                inner = name[:-3] if name.lower().endswith(".gz") else name
                with gzip.GzipFile(fileobj=file) as compressed:
                    copy(compressed, within=file)
            else:
                copy(file)
                is_document = start == ZIP and document_kind(plain, name)
                if start not in (OLE, PARQUET) and not is_document:
                    archive, plain = plain, Path(folder) / "member"
                    with archive.open("rb") as zipped:
                        inner = _unzip(zipped, name, _Copy(plain, name, on_chunk))
                    archive.unlink()
        except DAMAGED as error:
            raise UnreadableInput(
                name, f"the archive is damaged or incomplete ({str(error).rstrip('.')})."
            ) from error
        is_whole = start in COPIED and plain.name == "plain"
        yield Plain(plain, inner, given.digest, is_whole=is_whole, grown=given.grown)


def open_archive(file: IO[bytes], name: str) -> zipfile.ZipFile:
    """The ZIP archive in a file. Raises InputTooLarge, and BadZipFile for one that is damaged."""
    check_directory(file, name)
    return zipfile.ZipFile(file)


def check_directory(file: IO[bytes], name: str) -> None:
    """Raise InputTooLarge if a ZIP archive has more files than can be listed."""
    # Find the directory as zipfile does, which would read all of it.
    end = zipfile._EndRecData(file)  # type: ignore[attr-defined]
    if end and end[zipfile._ECD_SIZE] > MAX_DIRECTORY_BYTES:  # type: ignore[attr-defined]
        raise InputTooLarge(
            name,
            f"{end[zipfile._ECD_ENTRIES_TOTAL]:,} files in it",  # type: ignore[attr-defined]
            f"{MAX_DIRECTORY_BYTES:,} bytes for the list of files",
            "Import each file separately.",
        )


def document_kind(path: Path, name: str) -> str:
    """What kind of document a ZIP archive is: "xlsx", "xlsb", "ods", or a phrase for one that is no
    workbook; "" for an archive of files. Raises InputTooLarge.
    """
    try:
        with path.open("rb") as file, open_archive(file, name) as archive:
            members = set(archive.namelist())
            if "mimetype" in members and archive.getinfo("mimetype").file_size <= MIME_BYTES:
                mime = archive.read("mimetype").decode("ascii", "replace").strip()
                for start, kind in MIME_KINDS:
                    if mime.startswith(start):
                        return kind
            return next((kind for member, kind in MEMBER_KINDS if member in members), "")
    except (
        zipfile.BadZipFile,
        ValueError,
        NotImplementedError,
        RuntimeError,
        zlib.error,
        EOFError,
    ):
        return ""


def _unzip(file: IO[bytes], name: str, copy: "_Copy") -> str:
    with open_archive(file, name) as archive:
        members = [member for member in archive.infolist() if _is_usable(member)]
        if len(members) != 1:
            names = ", ".join(repr(member.filename) for member in members[:5])
            names += ", ..." if len(members) > 5 else ""
            raise UnreadableInput(
                name,
                f"the archive contains {len(members)} files ({names}). Import each separately."
                if members
                else "the archive contains no file.",
            )
        member = members[0]
        if member.flag_bits & 1:
            raise UnreadableInput(name, "the archive is protected by a password. Unpack it first.")
        try:
            with archive.open(member) as compressed:
                copy(compressed, within=file)
        except (NotImplementedError, RuntimeError) as error:
            raise UnreadableInput(
                name, "its compression method is not supported. Unpack it first."
            ) from error
    return PurePosixPath(member.filename).name


def _is_usable(member: zipfile.ZipInfo) -> bool:
    """Whether a member is a real file, not a folder or metadata of macOS or Windows."""
    path = PurePosixPath(member.filename)
    return not (
        member.is_dir()
        or path.name.startswith(".")
        or path.name.lower() in ("thumbs.db", "desktop.ini")
        or path.parts[:1] == ("__MACOSX",)
    )


class _Copy:
    """Writes a file or its unpacked content, and stops as soon as it is too large."""

    def __init__(self, plain: Path, name: str, on_chunk: Callable[[], None]) -> None:
        self._plain, self._name = plain, name
        self._on_chunk = on_chunk
        self._reserve = reserve(plain.parent)

    def __call__(
        self, source: IO[bytes] | gzip.GzipFile, *, within: IO[bytes] | None = None
    ) -> None:
        """Copy all of ``source``, which is compressed in the file ``within``."""
        size = 0
        with self._plain.open("wb") as plain:
            while chunk := source.read(CHUNK_BYTES):
                size += len(chunk)
                if within is not None:
                    self._check_size(size, within.tell())
                self._check_room()
                plain.write(chunk)
                self._on_chunk()

    def _check_size(self, size: int, compressed: int) -> None:
        # By what has been read so far: a file that unpacks to too much is stopped early.
        if size > (most := most_unpacked(compressed)):
            raise InputTooLarge(
                self._name,
                f"more than {most:,} bytes when unpacked",
                f"{MAX_RATIO} times its own size, but at least {FREE_UNPACKED_BYTES:,} and at most "
                f"{MAX_UNPACKED_BYTES:,} bytes",
                "Unpack the file and import it whole or in parts.",
            )

    def _check_room(self) -> None:
        free = shutil.disk_usage(self._plain.parent).free
        if free - CHUNK_BYTES < self._reserve:
            raise NoRoomToRead(
                self._name, f"{free:,} bytes are free, and {self._reserve:,} are reserved"
            )
