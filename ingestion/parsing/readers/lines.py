"""Reads the lines of a text file as they are needed. Pure: no Django, no tables."""

import io

from ingestion.parsing.input_file import InputFile
from ingestion.parsing.readers.base import KEEP_BYTES, LimitedFile

# How much is read from the file at once.
CHUNK_CHARACTERS = 1 << 20


class Lines:
    """Lines that have been read from a file but not used yet.

    ``number`` is the number of the first of them, from 1; ``taken`` is how many characters have
    been read from the file.
    """

    def __init__(self, file: InputFile, *, name: str, encoding: str) -> None:
        self._bytes = LimitedFile(file, name=name, encoding=encoding)
        self._file = io.TextIOWrapper(self._bytes, encoding=encoding, errors=KEEP_BYTES, newline="")
        self._lines = [line for line in [self._file.readline().removeprefix("\ufeff")] if line]
        # The index of the first unused line.
        self._start = 0
        self._at_end = False
        self.number = 1
        self.taken = 0

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def bytes_read(self) -> int:
        """The position in the file up to which lines were read."""
        return self._bytes.tell()

    def first(self, count: int) -> list[str]:
        """The first unused lines."""
        return self._lines[self._start : self._start + count]

    def are_all(self, lines: list[str]) -> bool:
        """Whether the file has nothing after these first lines."""
        return self._at_end and len(lines) == self._waiting

    def fill(self, wanted: int) -> bool:
        """Read lines until there are as many as wanted, or fewer if they are long."""
        if self._waiting < wanted:
            self.read_on()
        return self._waiting > 0

    def read_on(self) -> int:
        """Read more lines; return how many characters they have, 0 at the end of the file."""
        more = [] if self._at_end else self._file.readlines(CHUNK_CHARACTERS)
        self._at_end = not more
        self._lines += more
        characters = sum(map(len, more))
        self.taken += characters
        return characters

    def drop(self, used: int) -> None:
        """Drop the first lines."""
        self._start += used
        self.number += used
        # Deleting from the list moves all other lines, so it is done for many at once.
        if self._start > len(self._lines) // 2:
            del self._lines[: self._start]
            self._start = 0

    def skip(self, lines: int) -> None:
        """Skip lines."""
        while lines and self.fill(lines):
            passed = min(lines, self._waiting)
            self.drop(passed)
            lines -= passed

    @property
    def _waiting(self) -> int:
        return len(self._lines) - self._start
