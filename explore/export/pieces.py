"""A file that is handed on as it is read."""

from collections.abc import Iterator
from typing import IO

# How much of it at once.
PIECE = 1 << 16


def pieces(file: IO[bytes]) -> Iterator[bytes]:
    """The content of an open file, which is closed afterwards."""
    with file:
        while piece := file.read(PIECE):
            yield piece
