"""The lines of a text, taken from its file as they are needed. Pure: no Django, no tables."""

import io

from ingestion.parsing.input_file import InputFile
from ingestion.parsing.readers.base import KEEP_BYTES, LimitedFile

# How much is taken from the file at once.
CHUNK_CHARACTERS = 1 << 20


class Lines:
    """Lines that have been taken from a file and not been used.

    ``number`` is the number of the first of them, from 1; ``taken`` is how many characters have
    been taken from the file.
    """

    def __init__(self, file: InputFile, *, name: str, encoding: str) -> None:
        self._bytes = LimitedFile(file, name=name, encoding=encoding)
        self._file = io.TextIOWrapper(self._bytes, encoding=encoding, errors=KEEP_BYTES, newline="")
        self._lines = [line for line in [self._file.readline().removeprefix("\ufeff")] if line]
        # Where the first that has not been used is among them.
        self._start = 0
        self._at_end = False
        self.number = 1
        self.taken = 0

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def bytes_read(self) -> int:
        """How far in the file they have been taken."""
        return self._bytes.tell()

    def first(self, count: int) -> list[str]:
        """The first of them."""
        return self._lines[self._start : self._start + count]

    def are_all(self, lines: list[str]) -> bool:
        """Whether nothing follows the lines, which are the first of them."""
        return self._at_end and len(lines) == self._waiting

    def fill(self, wanted: int) -> bool:
        """Have lines to go on with: as many as wanted, or fewer if they are long."""
        if self._waiting < wanted:
            self.read_on()
        return self._waiting > 0

    def read_on(self) -> int:
        """Take more lines from the file; how many characters they have, 0 at its end."""
        more = [] if self._at_end else self._file.readlines(CHUNK_CHARACTERS)
        self._at_end = not more
        self._lines += more
        characters = sum(map(len, more))
        self.taken += characters
        return characters

    def drop(self, used: int) -> None:
        """Take the first of them away."""
        self._start += used
        self.number += used
        # To take them out of the list moves all others, so it is done for many at once.
        if self._start > len(self._lines) // 2:
            del self._lines[: self._start]
            self._start = 0

    def skip(self, lines: int) -> None:
        """Pass over lines."""
        while lines and self.fill(lines):
            passed = min(lines, self._waiting)
            self.drop(passed)
            lines -= passed

    @property
    def _waiting(self) -> int:
        return len(self._lines) - self._start
