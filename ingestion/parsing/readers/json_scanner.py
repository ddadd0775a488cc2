"""Scans a JSON document without loading it into memory as a whole. Pure."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from json import JSONDecodeError
from typing import Any

from ingestion.errors import UnreadableInput
from ingestion.parsing.input_file import InputFile
from ingestion.parsing.limits import MAX_ROW_CHARACTERS
from ingestion.parsing.readers.base import KEEP_BYTES
from ingestion.parsing.readers.strict_json import SPACES, StrictDecoder

# How much is read from the file at once.
CHUNK_CHARACTERS = 1 << 20
# This close to the end of the buffer, an error may only mean that more has to be read.
NEAR_THE_END = 16


@dataclass(slots=True)
class Element:
    """A value of a document, its text, and why it is rejected as a row, if it is.

    ``key`` is its name, if it is a member of an object whose members are rows.
    """

    value: Any
    text: str
    refusal: tuple[str, str] | None
    key: str = ""


class Scanner:
    """Scans the text of a JSON document. Its errors name line, column and offset.

    ``on_chunk`` is called for each read; ``rows`` is the type of the values that are rows.
    """

    def __init__(
        self,
        file: InputFile,
        *,
        name: str,
        encoding: str,
        on_chunk: Callable[[], None] = lambda: None,
        rows: type = dict,
    ) -> None:
        self._name = name
        self._on_chunk = on_chunk
        self._bytes = file.open()
        self._file = io.TextIOWrapper(self._bytes, encoding=encoding, errors=KEEP_BYTES, newline="")
        self._decoder = StrictDecoder(rows)
        self._text = self._file.read(CHUNK_CHARACTERS).removeprefix("\ufeff")
        self._place = 0
        self._at_end = False
        # Of the text dropped so far: characters, line ends, and characters after the last one.
        self._dropped, self._lines, self._behind = 0, 0, 0

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def bytes_read(self) -> int:
        """How far in the file the scanner has read."""
        return self._bytes.tell()

    def peek(self) -> str:
        """The next non-space character; "" at the end."""
        while True:
            while self._place < len(self._text) and self._text[self._place] in SPACES:
                self._place += 1
            if self._place < len(self._text) or not self._more():
                return self._text[self._place : self._place + 1]

    def take(self, expected: str) -> None:
        """Skip a character that has to come next."""
        if self.peek() != expected:
            raise self.error(f"{expected!r} is missing")
        self._place += 1

    def value(self) -> Element:
        """The next value, whole."""
        if not self.peek():
            raise self.error("a value is missing")
        while True:
            try:
                value, end = self._decoder.decode(self._text, self._place)
            except JSONDecodeError as error:
                unfinished = error.msg.startswith("Unterminated string")
                if unfinished or error.pos >= len(self._text) - NEAR_THE_END:
                    if len(self._text) - self._place > MAX_ROW_CHARACTERS:
                        raise self.error("one value is too long to be a row") from error
                    if self._more():
                        continue
                reason = error.msg[0].lower() + error.msg[1:]
                self._place = error.pos
                raise self.error(reason) from error
            # A number may continue.
            if end < len(self._text) or not self._more():
                break
        return self._element(value, end)

    def short(self) -> Element | None:
        """The next value if all of it has been read from the file; else None, and it is next."""
        self.peek()
        try:
            value, end = self._decoder.decode(self._text, self._place)
        except JSONDecodeError:
            return None
        return self._element(value, end) if end < len(self._text) else None

    def _element(self, value: Any, end: int) -> Element:
        text = self._text[self._place : end]
        self._place = end
        return Element(value, text, self._decoder.refusal(value, text))

    def members(self) -> Iterator[Element]:
        """The names of an object; the caller reads the value after each."""
        self.take("{")
        if self.peek() == "}":
            self.take("}")
            return
        while True:
            if self.peek() != '"':
                raise self.error("a name in quotes is missing")
            name = self.value()
            self.take(":")
            yield name
            if self.peek() == "}":
                self.take("}")
                return
            self.take(",")

    def items(self) -> Iterator[Element]:
        """The values of a list."""
        return (self.value() for _ in self.places())

    def places(self) -> Iterator[int]:
        """The indexes of a list; the caller reads the value at each."""
        self.take("[")
        if self.peek() == "]":
            self.take("]")
            return
        for index in count():
            yield index
            if self.peek() == "]":
                self.take("]")
                return
            self.take(",")

    def pass_over(self) -> Iterator[None]:
        """Skip the next value; yields whenever more of the file was read."""
        if self.peek() != "[":
            self.value()
            return
        dropped = self._dropped
        for _ in self.items():
            if self._dropped > dropped:
                dropped = self._dropped
                yield

    def end(self) -> None:
        """Check that nothing follows the document."""
        if self.peek():
            raise self.error("unexpected data after the JSON value")

    def error(self, reason: str) -> UnreadableInput:
        """An error at the current position."""
        before = self._text[: self._place]
        line = self._lines + before.count("\n") + 1
        column = len(before) - before.rfind("\n") + (0 if "\n" in before else self._behind)
        what = "the document ends too early: " if self._is_at_end() else ""
        return UnreadableInput(
            self._name,
            f"it is not valid JSON. Line {line:,}, column {column:,} (character "
            f"{self._dropped + self._place + 1:,}): {what}{reason}.",
        )

    def _is_at_end(self) -> bool:
        return self._at_end and not self._text[self._place :].strip(SPACES)

    def _more(self) -> bool:
        """Read more, and drop the text before the position. Long values are read in large steps."""
        rest = self._text[self._place :]
        more = "" if self._at_end else self._read(max(CHUNK_CHARACTERS, len(rest)))
        if not more:
            self._at_end = True
            return False
        passed = self._text[: self._place]
        ends = passed.count("\n")
        self._behind = len(passed) - passed.rfind("\n") - 1 + (0 if ends else self._behind)
        self._dropped += len(passed)
        self._lines += ends
        self._text, self._place = rest + more, 0
        return True

    def _read(self, characters: int) -> str:
        parts: list[str] = []
        while characters > 0 and (part := self._file.read(min(CHUNK_CHARACTERS, characters))):
            self._on_chunk()
            parts.append(part)
            characters -= len(part)
        return "".join(parts)
