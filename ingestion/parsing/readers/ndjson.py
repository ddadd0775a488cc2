"""Reads NDJSON: one JSON object per line. Pure: no Django, no tables."""

import io
from collections.abc import Callable, Iterator, Sequence
from json import JSONDecodeError
from typing import Any

from ingestion.errors import RowError
from ingestion.parsing.dialect import Dialect
from ingestion.parsing.input_file import InputFile
from ingestion.parsing.limits import MAX_ROW_CHARACTERS
from ingestion.parsing.readers.base import (
    KEEP_BYTES,
    Chunk,
    HoldsNothing,
    LimitedFile,
    original_bytes,
)
from ingestion.parsing.readers.json_columns import ColumnNames, flat
from ingestion.parsing.readers.strict_json import SPACES, StrictDecoder
from records.rows import Reject

# How much is read from the file at once.
CHUNK_CHARACTERS = 1 << 20


class LinesOfRows:
    """Makes rows of lines with one JSON object in each; a bad line is one rejected row.

    ``nested`` is how many levels of nested objects are columns.
    """

    def __init__(self, *, encoding: str, nested: int) -> None:
        self._encoding = encoding
        self._decoder = StrictDecoder()
        self.nested = nested
        self.blank_rows = 0

    def chunk(self, first: int, lines: list[str], bytes_read: int) -> Chunk:
        """The rows in lines; ``first`` is the number of the first one."""
        places: list[int] = []
        rows: list[dict[str, Any]] = []
        rejects: list[Reject] = []
        for place, line in enumerate(lines):
            value, refusal = self._read(line)
            if refusal is not None:
                rejects.append(
                    Reject(first + place, original_bytes(line, self._encoding), *refusal)
                )
            elif value is None:
                self.blank_rows += 1
            else:
                places.append(place)
                rows.append(value)
        return Chunk(
            lines=[first + place for place in places],
            rows=rows,
            rejects=rejects,
            raw=lambda index: original_bytes(lines[places[index]], self._encoding),
            bytes_read=bytes_read,
        )

    def _read(self, line: str) -> tuple[dict[str, Any] | None, tuple[str, str] | None]:
        """The row in a line, as ``_parse``, with the columns of nested objects."""
        value, refusal = self._parse(line)
        if not self.nested or value is None or refusal is not None:
            return value, refusal
        try:
            return flat(value, self.nested), None
        except RowError as error:
            return None, (error.code, error.message)

    def _parse(self, line: str) -> tuple[dict[str, Any] | None, tuple[str, str] | None]:
        """The row in a line, None for a blank one; and the code and message of an invalid one."""
        text = line.strip(SPACES)
        if not text:
            return None, None
        if len(text) > MAX_ROW_CHARACTERS:
            message = f"The row has more than {MAX_ROW_CHARACTERS:,} characters."
            return None, ("row_too_long", message)
        try:
            value, end = self._decoder.decode(text, 0)
        except JSONDecodeError as error:
            reason = error.msg[0].lower() + error.msg[1:]
            message = f"The row is not valid JSON. Column {error.pos + 1:,}: {reason}."
            return None, ("no_json", message)
        if end < len(text):
            return None, (
                "no_json",
                f"The row is not valid JSON. Column {end + 1:,}: unexpected data after the JSON "
                "value.",
            )
        return value, self._decoder.refusal(value, text)


class NdjsonReader(LinesOfRows, HoldsNothing):
    """The rows of a text with one JSON object in each line; a bad line is one rejected row.

    The whole file is scanned on opening, for the names of its columns, unless its ``columns`` are
    known from an earlier scan.
    """

    def __init__(
        self,
        file: InputFile,
        *,
        name: str,
        encoding: str,
        dialect: Dialect,
        on_chunk: Callable[[], None] = lambda: None,
        columns: Sequence[str] | None = None,
    ) -> None:
        super().__init__(encoding=encoding, nested=dialect.nested)
        self._input, self._name = file, name
        self._skip = dialect.skip
        self.notes: list[str] = []
        self.columns = list(columns) if columns is not None else self._find_columns(on_chunk)

    def _find_columns(self, on_chunk: Callable[[], None]) -> list[str]:
        names = ColumnNames(self.nested)
        for _, lines, _ in self._lines():
            on_chunk()
            for line in lines:
                value, refusal = self._parse(line)
                if refusal is None:
                    names.add(value)
        columns = names.columns(self._name)
        self.nested, self.notes = names.nested, names.notes
        return columns

    def chunks(self, size: int) -> Iterator[Chunk]:
        """The rows, at most ``size`` of them at a time, and fewer where they are large."""
        for first, lines, bytes_read in self._lines():
            for start in range(0, len(lines), size):
                yield self.chunk(first + start, lines[start : start + size], bytes_read)

    def _lines(self) -> Iterator[tuple[int, list[str], int]]:
        """Some lines at a time, with the number of the first and the position in the file."""
        with (
            LimitedFile(self._input, name=self._name, encoding=self._encoding) as file,
            io.TextIOWrapper(
                file, encoding=self._encoding, errors=KEEP_BYTES, newline="\n"
            ) as text,
        ):
            number, mark = 1, "\ufeff"
            while lines := text.readlines(CHUNK_CHARACTERS):
                lines[0] = lines[0].removeprefix(mark)
                mark = ""
                passed = min(max(self._skip - number + 1, 0), len(lines))
                yield number + passed, lines[passed:], file.tell()
                number += len(lines)
