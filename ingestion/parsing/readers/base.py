"""The interface of readers: the rows of an input, in chunks. Pure: no Django, no tables."""

import codecs
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

from ingestion.errors import InputTooLarge
from ingestion.parsing.input_file import InputFile
from ingestion.parsing.limits import MAX_LINE_BYTES
from records.rows import Reject

# Invalid bytes are decoded as lone surrogates, one per byte, so that they are found in their row
# and can be encoded again. Python's "surrogateescape" does this for some encodings only.
KEEP_BYTES = "keep-bytes"
KEPT = 0xDC00
KEPT_BYTE = re.compile("([\udc00-\udcff])")


def _keep_bytes(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(KEPT + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(KEEP_BYTES, _keep_bytes)


def original_bytes(text: str, encoding: str) -> bytes:
    """The bytes that ``text`` was decoded from with KEEP_BYTES."""
    return b"".join(
        bytes([ord(part) - KEPT]) if KEPT_BYTE.fullmatch(part) else part.encode(encoding)
        for part in KEPT_BYTE.split(text)
    )


class LineLength:
    """Measures lines as bytes are read; ``longest`` is the approximate length of the longest."""

    def __init__(self, encoding: str) -> None:
        self.longest = 0
        self._since = 0
        # Line ends are searched as bytes, unless the encoding represents them differently.
        self._decoder = None
        if any(end.encode(encoding) != end.encode("ascii") for end in "\r\n"):
            self._decoder = codecs.getincrementaldecoder(encoding)("ignore")

    def add(self, chunk: bytes) -> None:
        end = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
        if self._decoder is not None:
            text = self._decoder.decode(chunk)
            end = 0 if "\n" in text or "\r" in text else -1
        self._since = len(chunk) - end - 1 if end >= 0 else self._since + len(chunk)
        self.longest = max(self.longest, self._since)


def check_line(length: int, name: str) -> None:
    """Raise InputTooLarge if a line of the input, called ``name``, is longer than any row."""
    if length > MAX_LINE_BYTES:
        raise InputTooLarge(
            name,
            f"a line of more than {length:,} bytes",
            MAX_LINE_BYTES,
            "Check its format, encoding and line endings.",
        )


class LimitedFile(io.BufferedReader):
    """A text file whose lines are not longer than the longest possible row."""

    def __init__(self, file: InputFile, *, name: str, encoding: str) -> None:
        super().__init__(file.open_raw())
        self._input, self._length = name, LineLength(encoding)

    def read1(self, size: int = -1, /) -> bytes:
        chunk = super().read1(size)
        self._length.add(chunk)
        check_line(self._length.longest, self._input)
        return chunk


@dataclass(slots=True)
class Chunk:
    """Consecutive rows of an input.

    ``rows[i]`` are the cells of a row by column, ``lines[i]`` is its first line, ``raw(i)`` its
    exact bytes. ``rejects`` are the rows among them that can't be read; ``lines`` of both give
    their order. ``bytes_read`` is the position in the input at which the chunk ends.
    """

    lines: list[int]
    rows: Sequence[dict[str, Any]]
    rejects: list[Reject]
    raw: Callable[[int], bytes]
    bytes_read: int


class Reader(Protocol):
    """The rows of one input. Iterate its chunks once, in a ``with`` block."""

    columns: list[str]
    notes: list[str]
    blank_rows: int

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    def chunks(self, size: int) -> Iterator[Chunk]:
        """The rows, at most ``size`` of them at a time, and fewer where they are large."""
        ...


class HoldsNothing:
    """A reader that has nothing to close: it opens its file for each pass."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return


class CompressedReader(HoldsNothing):
    """The rows of a compressed file; ``bytes_read`` is the position in the compressed file.

    A workbook is treated the same way: it is read from a copy.
    """

    def __init__(self, reader: Reader, *, compressed: int, plain: int) -> None:
        self._reader = reader
        self._compressed, self._plain = compressed, max(plain, 1)
        self.columns, self.notes = reader.columns, reader.notes
        self.blank_rows = reader.blank_rows

    def chunks(self, size: int) -> Iterator[Chunk]:
        """The rows, at most ``size`` of them at a time, and fewer where they are large."""
        for chunk in self._reader.chunks(size):
            chunk.bytes_read = chunk.bytes_read * self._compressed // self._plain
            self.blank_rows = self._reader.blank_rows
            yield chunk
        self.blank_rows = self._reader.blank_rows
