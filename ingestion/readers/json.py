"""The rows of a JSON document, one at a time: what is read is never in memory as a whole. Pure."""

import io
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from json import JSONDecodeError
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ingestion.dialect import Dialect
from ingestion.errors import UnreadableInput
from ingestion.readers.base import KEEP_BYTES, Chunk, original_bytes
from ingestion.readers.strict_json import MAX_COLUMNS, StrictDecoder, storable_names
from records.rows import Reject

# How much is taken from the file at once.
CHUNK_CHARACTERS = 1 << 20
# A value may be as long as this; a longer one makes the document unreadable.
MAX_VALUE_CHARACTERS = 1 << 24
# So near to the end of what has been read, an error may only say that there is more to read.
NEAR_THE_END = 16
# A chunk ends early where its rows are long.
CHUNK_ROW_CHARACTERS = 1 << 23
# So deep the only list of objects is looked for.
PATH_DEPTH = 4
SPACES = " \t\n\r"


@dataclass(slots=True)
class Element:
    """A value of a document, its text, and how the decoder refuses it as a row."""

    value: Any
    text: str
    refusal: tuple[str, str] | None


class Scanner:
    """Walks through the text of a JSON document. Its errors name line, column and offset.

    ``on_chunk`` is called each time it reads on.
    """

    def __init__(
        self,
        path: Path,
        *,
        name: str,
        encoding: str,
        on_chunk: Callable[[], None] = lambda: None,
    ) -> None:
        self._name = name
        self._on_chunk = on_chunk
        self._bytes = path.open("rb")
        self._file = io.TextIOWrapper(self._bytes, encoding=encoding, errors=KEEP_BYTES, newline="")
        self._decoder = StrictDecoder()
        self._text = self._file.read(CHUNK_CHARACTERS).removeprefix("\ufeff")
        self._place = 0
        self._at_end = False
        # Of what has been dropped: characters, line ends, and characters behind the last one.
        self._dropped, self._lines, self._behind = 0, 0, 0

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def bytes_read(self) -> int:
        """How far in the file the scanner has read."""
        return self._bytes.tell()

    def peek(self) -> str:
        """The next character that is no space; "" at the end."""
        while True:
            while self._place < len(self._text) and self._text[self._place] in SPACES:
                self._place += 1
            if self._place < len(self._text) or not self._more():
                return self._text[self._place : self._place + 1]

    def take(self, expected: str) -> None:
        """Pass over a character that has to come next."""
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
                    if len(self._text) - self._place > MAX_VALUE_CHARACTERS:
                        raise self.error("one value is too long to be a row") from error
                    if self._more():
                        continue
                reason = error.msg[0].lower() + error.msg[1:]
                self._place = error.pos
                raise self.error(reason) from error
            # A number may go on.
            if end < len(self._text) or not self._more():
                break
        text = self._text[self._place : end]
        self._place = end
        return Element(value, text, self._decoder.refusal(value, text))

    def members(self) -> Iterator[str]:
        """The names of an object; its taker takes the value of each."""
        self.take("{")
        if self.peek() == "}":
            self.take("}")
            return
        while True:
            if self.peek() != '"':
                raise self.error("a name in quotes is missing")
            name = self.value().value
            self.take(":")
            yield name
            if self.peek() == "}":
                self.take("}")
                return
            self.take(",")

    def items(self) -> Iterator[Element]:
        """The values of a list."""
        self.take("[")
        if self.peek() == "]":
            self.take("]")
            return
        while True:
            yield self.value()
            if self.peek() == "]":
                self.take("]")
                return
            self.take(",")

    def pass_over(self) -> Iterator[None]:
        """The next value is of no interest; whoever waits hears when the file is read on."""
        if self.peek() != "[":
            self.value()
            return
        dropped = self._dropped
        for _ in self.items():
            if self._dropped > dropped:
                dropped = self._dropped
                yield

    def end(self) -> None:
        """Nothing may stand behind the document."""
        if self.peek():
            raise self.error("something stands behind its end")

    def error(self, reason: str) -> UnreadableInput:
        """What is wrong at the place that the scanner has come to."""
        before = self._text[: self._place]
        line = self._lines + before.count("\n") + 1
        column = len(before) - before.rfind("\n") + (0 if "\n" in before else self._behind)
        what = "the document ends too early: " if self._is_at_end() else ""
        return UnreadableInput(
            self._name,
            f"it is no valid JSON. Line {line:,}, column {column:,} (character "
            f"{self._dropped + self._place + 1:,}): {what}{reason}.",
        )

    def _is_at_end(self) -> bool:
        return self._at_end and not self._text[self._place :].strip(SPACES)

    def _more(self) -> bool:
        """Read on, and forget what has been passed over. A long value is read in growing steps."""
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


class JsonReader:
    """The rows of a document: the values of a list, or a single one.

    The whole document is looked through when it is opened, for the names of its columns, so that
    one that is no JSON is refused before a row is handed out. ``lines`` are the ordinal numbers
    of the rows.
    """

    def __init__(
        self,
        path: Path,
        *,
        name: str,
        encoding: str,
        dialect: Dialect,
        on_chunk: Callable[[], None] = lambda: None,
    ) -> None:
        self._path, self._name, self._encoding = path, name, encoding
        self._steps = dialect.rows_path.split(".") if dialect.rows_path else []
        self.blank_rows = 0
        self.notes: list[str] = []
        names: dict[str, None] = {}
        latest: list[str] = []
        with self._scanner(on_chunk) as scanner:
            for element in self._elements(scanner):
                if element is None or not isinstance(element.value, dict):
                    continue
                # Most rows have the names of the one before.
                if (found := list(element.value)) != latest:
                    latest = found
                    names.update(dict.fromkeys(found))
                    if len(names) > MAX_COLUMNS:
                        raise UnreadableInput(
                            name, f"its rows have more than {MAX_COLUMNS:,} different names."
                        )
        self.columns = storable_names(names)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return

    def chunks(self, size: int) -> Iterator[Chunk]:
        """The rows, at most ``size`` of them at a time, and fewer where they are large."""
        elements: list[Element] = []
        first, characters = 1, 0
        with self._scanner() as scanner:
            for element in self._elements(scanner):
                if element is None:
                    yield self._chunk([], first, scanner.bytes_read)
                    continue
                elements.append(element)
                characters += len(element.text)
                if len(elements) == size or characters > CHUNK_ROW_CHARACTERS:
                    yield self._chunk(elements, first, scanner.bytes_read)
                    first += len(elements)
                    elements, characters = [], 0
            if elements:
                yield self._chunk(elements, first, scanner.bytes_read)

    def _chunk(self, elements: list[Element], first: int, bytes_read: int) -> Chunk:
        numbered = list(enumerate(elements, start=first))
        rows = [(line, element) for line, element in numbered if element.refusal is None]
        return Chunk(
            lines=[line for line, _ in rows],
            rows=[element.value for _, element in rows],
            rejects=[
                Reject(line, original_bytes(element.text, self._encoding), *element.refusal)
                for line, element in numbered
                if element.refusal is not None
            ],
            raw=lambda index: original_bytes(rows[index][1].text, self._encoding),
            bytes_read=bytes_read,
        )

    def _scanner(self, on_chunk: Callable[[], None] = lambda: None) -> closing[Scanner]:
        return closing(
            Scanner(self._path, name=self._name, encoding=self._encoding, on_chunk=on_chunk)
        )

    def _elements(self, scanner: Scanner) -> Iterator[Element | None]:
        """The values that are rows; the document is read to its end.

        None shows that reading gets on where there are no rows.
        """
        yield from self._at(scanner, 0)
        scanner.end()

    def _at(self, scanner: Scanner, depth: int) -> Iterator[Element | None]:
        if depth == len(self._steps):
            if scanner.peek() == "[":
                yield from scanner.items()
            else:
                yield scanner.value()
            return
        names: list[str] = []
        if scanner.peek() == "{":
            for name in scanner.members():
                if name == self._steps[depth] and name not in names:
                    yield from self._at(scanner, depth + 1)
                else:
                    yield from scanner.pass_over()
                names.append(name)
        if self._steps[depth] not in names:
            path = ".".join(self._steps[: depth + 1])
            known = f"The names there are: {', '.join(map(repr, names[:20]))}." if names else ""
            raise UnreadableInput(self._name, f"there is no {path!r} in it. {known}".rstrip())


def find_rows_paths(
    path: Path, *, name: str, encoding: str, on_chunk: Callable[[], None] = lambda: None
) -> list[str]:
    """The paths of the lists of objects in a document that is an object.

    Raises UnreadableInput for what is no JSON.
    """
    with closing(Scanner(path, name=name, encoding=encoding, on_chunk=on_chunk)) as scanner:
        return list(_lists(scanner, [])) if scanner.peek() == "{" else []


def _lists(scanner: Scanner, steps: list[str]) -> Iterator[str]:
    for name in scanner.members():
        path = [*steps, name]
        opening = scanner.peek()
        if opening == "{" and len(path) < PATH_DEPTH:
            yield from _lists(scanner, path)
        elif opening == "[":
            # Names with a dot, and empty ones, are none that a path can hold.
            first = next(items := scanner.items(), None)
            for _ in items:
                pass
            if first and isinstance(first.value, dict) and all(s and "." not in s for s in path):
                yield ".".join(path)
        else:
            scanner.value()
