"""An input file: read up to the size that was digested, and digested again on the way.

Pure: no Django, no tables.
"""

import hashlib
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

# Read at once: each read may make the interpreter switch to another thread.
CHUNK_BYTES = 1 << 20
LINE_ENDS = (b"\n", b"\r", b"\n\0", b"\r\0", b"\n\0\0\0", b"\r\0\0\0")


class Digest(NamedTuple):
    """Size in bytes, and SHA-256."""

    size: int
    sha256: str


class DigestingFile(io.RawIOBase):
    """The first ``size`` bytes of a file, or all of them, digested as they are read.

    ``grown`` is how many bytes followed them when they had been read.
    """

    def __init__(self, path: Path, size: int | None = None) -> None:
        self.grown = 0
        self._file = path.open("rb", buffering=0)
        self._size = size
        self._sha = hashlib.sha256()
        self._taken = self._place = 0
        self._chunk = memoryview(b"")
        self._tail = b""

    def readable(self) -> bool:
        """Whether the file can be read: always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read on; 0 at the end."""
        if not self._chunk:
            self._take()
        count = min(len(buffer), len(self._chunk))
        buffer[:count] = self._chunk[:count]
        self._chunk = self._chunk[count:]
        self._place += count
        return count

    def tell(self) -> int:
        """How many bytes have been returned."""
        return self._place

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    @property
    def digest(self) -> Digest:
        """The digest of what has been read."""
        return Digest(self._taken, self._sha.hexdigest())

    @property
    def is_cut(self) -> bool:
        """Whether what was read ends in the middle of a line that the file goes on with."""
        return self.grown > 0 and not self._tail.endswith(LINE_ENDS)

    def _take(self) -> None:
        left = CHUNK_BYTES if self._size is None else min(self._size - self._taken, CHUNK_BYTES)
        chunk = self._file.read(left) or b""
        self._taken += len(chunk)
        self._sha.update(chunk)
        self._tail = (self._tail + chunk[-4:])[-4:]
        self._chunk = memoryview(chunk)
        if not chunk:
            self._look_behind()

    def _look_behind(self) -> None:
        self.grown = max(os.fstat(self._file.fileno()).st_size - self._taken, 0)
        if self.grown and os.pread(self._file.fileno(), 1, self._taken) in (b"\n", b"\r"):
            # The last line was complete except for its line end.
            self._tail += b"\n"


class InputFile:
    """A file that readers open, possibly several times; ``digest`` is the expected one.

    Without a digest it is read as it is, to its end.
    """

    def __init__(self, path: Path, digest: Digest | None = None) -> None:
        self.path = path
        self._digest = digest
        self._last: DigestingFile | None = None

    def open(self) -> io.BufferedReader:
        """Open the file at its beginning."""
        return io.BufferedReader(self.open_raw())

    def open_raw(self) -> DigestingFile:
        """Open the file at its beginning, without a buffer."""
        self._last = DigestingFile(self.path, self._digest and self._digest.size)
        return self._last

    @property
    def size(self) -> int:
        """How many bytes are to be read."""
        return self._digest.size if self._digest else self.path.stat().st_size

    @property
    def grown(self) -> int:
        """How many bytes followed those of the last read, when it ended."""
        return self._last.grown if self._last else 0

    @property
    def is_cut(self) -> bool:
        """Whether what was read last ends in the middle of a line that the file goes on with."""
        return self._last is not None and self._last.is_cut

    @property
    def is_same(self) -> bool:
        """Whether the last read, to its end, had the expected digest."""
        return self._digest is None or (
            self._last is not None and self._last.digest == self._digest
        )

    def has_changed(self) -> bool:
        """Whether the file no longer has the expected digest; reads it again."""
        if self._digest is None:
            return False
        try:
            return digest(self.path, self._digest.size) != self._digest
        except OSError:
            return True


def digest(
    path: Path, size: int | None = None, *, on_chunk: Callable[[], None] = lambda: None
) -> Digest:
    """The digest of a file, or of its first ``size`` bytes."""
    with DigestingFile(path, size) as file:
        while file.read(CHUNK_BYTES):
            on_chunk()
        return file.digest
