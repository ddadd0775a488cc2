"""Delimited text -> rows, lazily and strictly. Pure: no Django, no tables."""

import csv
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from ingestion.errors import InputTooLarge, UnreadableInput
from ingestion.parsing.dialect import Dialect
from ingestion.parsing.input_file import InputFile
from ingestion.parsing.limits import (
    MAX_CELL_CHARACTERS,
    MAX_REREAD_CHARACTERS,
    MAX_REREAD_TIMES,
    MAX_ROW_CHARACTERS,
)
from ingestion.parsing.readers.base import Chunk, original_bytes
from ingestion.parsing.readers.header import joined, numbered, unique_names
from ingestion.parsing.readers.lines import Lines
from ingestion.parsing.readers.row_text import as_many_as_a_row, malformed, not_too_long, ragged
from ingestion.parsing.readers.table import Table
from records.rows import Reject

# How many lines are searched for the header at first.
HEADER_LINES = 100


@dataclass(slots=True)
class _Parsed:
    """The rows in some lines, the index of the first line of each, and the lines that are not rows.

    ``used`` is how many of the lines were used, and ``blank`` how many blank lines are not among
    ``rows``.
    """

    rows: list[list[str]] = field(default_factory=list)
    starts: Sequence[int] = ()
    errors: list[tuple[int, csv.Error]] = field(default_factory=list)
    used: int = 0
    blank: int = 0


class DelimitedReader:
    """The rows of a delimited text.

    Quotes are read strictly (RFC 4180): if a row breaks the rules, or its quote is never closed,
    only its first line is rejected, and reading continues with the next one.
    ``columns`` are the header's names, made unique.
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
        self._name = name
        self._dialect = dialect
        self._encoding = encoding
        self._lines = Lines(file, name=name, encoding=encoding)
        # How many characters were read again because the row they seemed to belong to is invalid.
        self._reread = 0
        self.blank_rows = 0
        self.columns: list[str] = []
        self.notes: list[str] = []
        # How many cells a row has, including those outside the table.
        self._width = 0
        try:
            self._lines.skip(dialect.skip)
            if dialect.header:
                self._read_header()
            else:
                self._number_columns()
            self._width = dialect.left + len(self.columns) + max(dialect.surplus, 0)
        except BaseException:
            self._lines.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._lines.close()

    def chunks(self, size: int) -> Iterator[Chunk]:
        """The rows, at most ``size`` of them at a time, and fewer where they are large."""
        for lines, found in self._parsed(size):
            chunk = self._chunk(lines, found)
            self._lines.drop(found.used)
            yield chunk

    def _parsed(self, size: int) -> Iterator[tuple[list[str], _Parsed]]:
        """Up to ``size`` lines and the rows in them; the caller drops the lines that were used."""
        wanted = size
        while self._lines.fill(wanted):
            lines = self._lines.first(wanted)
            if wanted > size:
                lines = as_many_as_a_row(lines)
            found = self._parse(lines, at_end=self._lines.are_all(lines))
            if found.used:
                yield lines, found
                wanted = size
            else:
                # One row is longer than all of these lines: try again with twice as many.
                more = self._check_row(lines)
                while more > 0 and (read := self._lines.read_on()):
                    more -= read
                wanted += len(lines)

    def _check_row(self, lines: list[str]) -> int:
        """How many characters the lines of an incomplete row have. Raises InputTooLarge."""
        characters = sum(map(len, lines))
        if characters > MAX_ROW_CHARACTERS:
            raise InputTooLarge(
                self._name,
                f"a row of more than {characters:,} characters, starting in line "
                f"{self._lines.number:,}",
                MAX_ROW_CHARACTERS,
                "Check the quote character, and that every quote is closed.",
            )
        return characters

    def _count_reread(self, characters: int) -> None:
        self._reread += characters
        if self._reread > max(MAX_REREAD_CHARACTERS, MAX_REREAD_TIMES * self._lines.taken):
            raise UnreadableInput(
                self._name,
                f"too many quotes near line {self._lines.number:,} are never closed, so its rows "
                "can't be found. Check the quote character; the file may have none.",
            )

    def _parse(self, lines: list[str], *, at_end: bool) -> _Parsed:
        """Parse the rows in ``lines``; an incomplete last row is skipped."""
        text = "".join(lines)
        if not text.strip("\r\n"):
            return _Parsed(used=len(lines), blank=len(lines))
        if self._one_row_a_line(lines, text):
            return _Parsed(self._split(lines, text), range(len(lines)), [], len(lines))
        is_long = max(map(len, lines)) > MAX_ROW_CHARACTERS
        found = _Parsed()
        starts: list[int] = []
        start = 0
        while start < len(lines):
            offset = start
            # Copying the lines for each damaged row would take quadratic time.
            left = map(lines.__getitem__, range(start, len(lines)))
            reader = self._csv(not_too_long(left) if is_long else left)
            try:
                for cells in reader:
                    found.rows.append(cells)
                    starts.append(start)
                    start = offset + reader.line_num
            except csv.Error as error:
                if not at_end and "unexpected end" in str(error):
                    break
                # The row may have swallowed valid lines: read them again as separate rows.
                end = offset + reader.line_num
                if end > start + 1:
                    self._count_reread(sum(map(len, lines[start + 1 : end])))
                found.errors.append((start, error))
                start += 1
        found.starts, found.used = starts, start
        return found

    def _one_row_a_line(self, lines: list[str], text: str) -> bool:
        """Whether lines can simply be split at delimiters: most text has no quotes."""
        if self._dialect.escape or max(map(len, lines)) > MAX_CELL_CHARACTERS:
            return False
        return not self._dialect.quote or self._dialect.quote not in text

    def _split(self, lines: list[str], text: str) -> list[list[str]]:
        """The rows in lines, joined in ``text``, as the csv module would parse them."""
        if "\r" in text:
            bare = [line.rstrip("\r\n") for line in lines]
        else:
            bare = text.removesuffix("\n").split("\n")
        delimiter = self._dialect.delimiter
        return [line.split(delimiter) if line else [] for line in bare]

    def _csv(self, lines: Iterable[str]) -> Any:
        return csv.reader(
            lines,
            delimiter=self._dialect.delimiter,
            quotechar=self._dialect.quote or None,
            quoting=csv.QUOTE_MINIMAL if self._dialect.quote else csv.QUOTE_NONE,
            escapechar=self._dialect.escape,
            strict=True,
        )

    def _chunk(self, lines: list[str], found: _Parsed) -> Chunk:
        ends = [*found.starts, *(place for place, _ in found.errors), found.used]
        ends.sort()

        def raw(place: int) -> bytes:
            end = ends[bisect_right(ends, place)]
            return original_bytes("".join(lines[place:end]), self._encoding)

        self.blank_rows += found.blank
        rows, starts = found.rows, found.starts
        rejects: list[Reject] = []
        if (
            set(map(len, rows)) - {self._width}
            or self._width > len(self.columns)
            or not all(map(any, rows))
        ):
            rows, starts, rejects = self._even(found, raw)
        rejects += [
            Reject(self._lines.number + place, raw(place), *malformed(error))
            for place, error in found.errors
        ]
        first = self._lines.number
        return Chunk(
            lines=list(map(first.__add__, starts)),
            rows=Table(self.columns, rows),
            rejects=rejects,
            raw=lambda index: raw(starts[index]),
            bytes_read=self._lines.bytes_read,
        )

    def _even(
        self, found: _Parsed, raw: Callable[[int], bytes]
    ) -> tuple[list[list[str]], Sequence[int], list[Reject]]:
        """The rows with a cell for each column, their indexes, and the rejected rows."""
        left, end = self._dialect.left, self._dialect.left + len(self.columns)
        rows: list[list[str]] = []
        starts: list[int] = []
        rejects: list[Reject] = []
        for place, cells in zip(found.starts, found.rows, strict=True):
            if _is_blank(cells):
                self.blank_rows += 1
                continue
            if len(cells) != self._width:
                reason = ragged(len(cells), self._width)
            elif any(cells[:left]) or any(cells[end:]):
                reason = "cell_outside_table", "There is text outside the columns of the table."
            else:
                rows.append(cells[left:end])
                starts.append(place)
                continue
            rejects.append(Reject(self._lines.number + place, raw(place), *reason))
        return rows, starts, rejects

    def _read_header(self) -> None:
        wanted = self._dialect.header
        for _, found in self._parsed(HEADER_LINES):
            places = [*found.starts, *(place for place, _ in found.errors), found.used]
            filled = [
                place
                for place, row in zip(found.starts, found.rows, strict=True)
                if not _is_blank(row)
            ]
            header = filled[:wanted]
            end = min((place for place in places if place > header[-1]), default=0) if header else 0
            for place, error in found.errors:
                if place < (end or found.used):
                    raise UnreadableInput(
                        self._name,
                        f"line {self._lines.number + place}, its header: {malformed(error)[1]}",
                    )
            if not header:
                self._lines.drop(found.used)
                continue
            rows = [
                row for place, row in zip(found.starts, found.rows, strict=True) if place in header
            ]
            cells = joined(rows, name=self._name) if wanted > 1 else rows[0]
            cells = cells[self._dialect.left :]
            if self._dialect.surplus < 0 and not cells[-1].strip():
                cells = cells[:-1]
            self.columns, self.notes = unique_names(
                cells, name=self._name, line=self._lines.number + header[0]
            )
            self._lines.drop(end)
            return
        raise UnreadableInput(self._name, "it has no header row.")

    def _number_columns(self) -> None:
        """Without a header the first rows give the number of columns."""
        for _, found in self._parsed(HEADER_LINES):
            widths = Counter(len(row) for row in found.rows if row)
            if widths:
                width = widths.most_common(1)[0][0]
                outside = self._dialect.left + max(self._dialect.surplus, 0)
                self.columns = numbered(max(width - outside, 1), name=self._name)
                return
            if found.errors:
                break
            self._lines.drop(found.used)
        raise UnreadableInput(self._name, "no rows were found in it.")


def _is_blank(cells: list[str]) -> bool:
    """Whether a row is blank: a single empty cell is not if there is only one column."""
    return not any(cells) and len(cells) != 1
