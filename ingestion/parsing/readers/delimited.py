"""Delimited text -> rows, lazily and strictly. Pure: no Django, no tables."""

import csv
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from ingestion.errors import InputTooLarge, UnreadableInput
from ingestion.parsing.dialect import Dialect, Spaces
from ingestion.parsing.input_file import InputFile
from ingestion.parsing.limits import (
    MAX_CELL_CHARACTERS,
    MAX_REREAD_CHARACTERS,
    MAX_REREAD_TIMES,
    MAX_ROW_CHARACTERS,
)
from ingestion.parsing.readers.base import Chunk, original_bytes
from ingestion.parsing.readers.delimited_header import Header, read_names
from ingestion.parsing.readers.header import numbered
from ingestion.parsing.readers.lines import Lines
from ingestion.parsing.readers.row_text import as_many_as_a_row, malformed, not_too_long
from ingestion.parsing.readers.splitting import (
    MARK,
    csv_reader,
    finished,
    is_plain,
    split_lines,
    unwrapped,
)
from ingestion.parsing.readers.table import Table
from ingestion.parsing.readers.table_rows import TableRows
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
    marked: bool = False


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
        self._is_plain = is_plain(dialect)
        self._encoding = encoding
        self._lines = Lines(file, name=name, encoding=encoding)
        # How many characters were read again because the row they seemed to belong to is invalid.
        self._reread = 0
        # Whether rows went on over several lines where they were looked at last.
        self._has_long_rows = False
        self.blank_rows = 0
        self.columns: list[str] = []
        self.notes: list[str] = []
        # The rows of the header, to find where it is repeated.
        self._header: list[list[str]] = []
        # How many lines begin with a byte order mark.
        self._marks = 0
        try:
            self._lines.skip(dialect.skip)
            if dialect.header:
                self._read_header()
            else:
                self._number_columns()
            self._table = TableRows(dialect, columns=len(self.columns), header=self._header)
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
        self.notes += self._closing_notes()

    def parsed(self, size: int) -> Iterator[tuple[list[int], list[list[str]]]]:
        """The lines and cells of all rows, as they are written; a blank one has no cells."""
        for _, found in self._parsed(size):
            first = self._lines.number
            yield [first + place for place in found.starts], found.rows
            self._lines.drop(found.used)

    def _closing_notes(self) -> Iterator[str]:
        yield from self._table.notes()
        if self._marks:
            yield f"Lines that begin with a byte order mark, which was ignored: {self._marks:,}."

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
        # Files that were joined have one in the middle. In a single column it is part of the text.
        if marked := len(self.columns) != 1 and MARK in text:
            lines = [line[1:] if _is_marked(line) else line for line in lines]
            text = "".join(lines)
        if self._one_row_a_line(lines, text):
            rows = self._split(lines, text)
            return _Parsed(rows, range(len(lines)), [], len(lines), marked=marked)
        is_long = max(map(len, lines)) > MAX_ROW_CHARACTERS
        if not (is_long or self._dialect.wrapped or self._has_long_rows):
            short = _rows_of_one_line(lines, self._dialect)
            if short is not None:
                return _Parsed(short, range(len(lines)), [], len(lines), marked=marked)
        found = _Parsed(marked=marked)
        starts: list[int] = []
        start = 0
        while start < len(lines):
            offset = start
            # Copying the lines for each damaged row would take quadratic time.
            left = map(lines.__getitem__, range(start, len(lines)))
            reader = csv_reader(not_too_long(left) if is_long else left, self._dialect)
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
        self._has_long_rows = len(starts) < start
        found.rows = finished(found.rows, self._dialect)
        if self._dialect.wrapped:
            self._unwrap(found)
        return found

    def _unwrap(self, found: _Parsed) -> None:
        """Parse rows that are in quotes as a whole once more."""
        rows: list[list[str]] = []
        starts: list[int] = []
        for place, cells in zip(found.starts, found.rows, strict=True):
            try:
                rows.append(unwrapped(cells[0], self._dialect) if len(cells) == 1 else cells)
                starts.append(place)
            except csv.Error as error:
                found.errors.append((place, error))
        found.rows, found.starts = rows, starts

    def _one_row_a_line(self, lines: list[str], text: str) -> bool:
        """Whether lines can simply be split at delimiters: most text has no quotes."""
        if self._dialect.cuts or self._dialect.spaces == Spaces.RUNS:
            return True
        if self._dialect.escape or max(map(len, lines)) > MAX_CELL_CHARACTERS:
            return False
        return not self._dialect.quote or self._dialect.quote not in text

    def _split(self, lines: list[str], text: str) -> list[list[str]]:
        """The rows in lines, joined in ``text``, as the csv module would parse them."""
        if "\r" in text:
            bare = [line.rstrip("\r\n") for line in lines]
        else:
            bare = text.removesuffix("\n").split("\n")
        if not self._is_plain:
            return split_lines(bare, self._dialect)
        delimiter = self._dialect.delimiter
        return [line.split(delimiter) if line else [] for line in bare]

    def _chunk(self, lines: list[str], found: _Parsed) -> Chunk:
        ends = [*found.starts, *(place for place, _ in found.errors), found.used]
        ends.sort()

        def raw(place: int) -> bytes:
            end = ends[bisect_right(ends, place)]
            return original_bytes("".join(lines[place:end]), self._encoding)

        self.blank_rows += found.blank
        self._marks += sum(map(_is_marked, lines[: found.used])) if found.marked else 0
        rows, starts = found.rows, found.starts
        rejects: list[Reject] = []
        first = self._lines.number
        if not self._table.are_all(rows, range(first, first + found.used)):
            rows, starts, rejects = self._sorted(found, raw)
        rejects += [
            Reject(self._lines.number + place, raw(place), *malformed(error))
            for place, error in found.errors
        ]
        return Chunk(
            lines=list(map(first.__add__, starts)),
            rows=Table(self.columns, rows),
            rejects=rejects,
            raw=lambda index: raw(starts[index]),
            bytes_read=self._lines.bytes_read,
        )

    def _sorted(
        self, found: _Parsed, raw: Callable[[int], bytes]
    ) -> tuple[list[list[str]], Sequence[int], list[Reject]]:
        """The rows with a cell for each column, their indexes, and the rejected rows."""
        rows: list[list[str]] = []
        starts: list[int] = []
        rejects: list[Reject] = []
        for place, cells in zip(found.starts, found.rows, strict=True):
            line = self._lines.number + place
            if _is_blank(cells):
                self.blank_rows += 1
            elif (reason := self._table.refusal(line, cells)) is not None:
                rejects.append(Reject(line, raw(place), *reason))
            else:
                rows.append(self._table.cells(cells))
                starts.append(place)
        return rows, starts, rejects

    def _read_header(self) -> None:
        if self._dialect.plain_header:
            # Parsing it might read on to the end of the file for the end of a quote.
            self._use_header(Header((), (), [(0, csv.Error("plain"))], 1), 1)
            return
        for _, found in self._parsed(HEADER_LINES):
            header = Header(found.rows, found.starts, found.errors, found.used)
            if not header.is_there:
                self._lines.drop(found.used)
                continue
            self._use_header(header, found.used)
            return

    def _use_header(self, header: Header, used: int) -> None:
        self._lines.fill(used)
        self.columns, self.notes, self._header = read_names(
            header,
            self._lines.first(used),
            dialect=self._dialect,
            name=self._name,
            line=self._lines.number,
        )
        self._lines.drop(header.end(self._dialect.header))

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


def _is_marked(line: str) -> bool:
    """Whether a line begins with a byte order mark; a cell that is nothing else keeps it."""
    return line.startswith(MARK) and bool(line[1:].strip())


def _rows_of_one_line(lines: list[str], dialect: Dialect) -> list[list[str]] | None:
    """The rows in lines if each is a valid row by itself, which most are; else None."""
    reader = csv_reader(lines, dialect)
    try:
        rows = list(reader)
    except csv.Error:
        return None
    return finished(rows, dialect) if len(rows) == len(lines) else None
