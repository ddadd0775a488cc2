"""Splits lines of text into the cells of rows, as a dialect says. Pure: no Django, no tables.

The reader of a file, the parser of a single row and detection all split in this way.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

from ingestion.parsing.dialect import Dialect, Spaces

MARK = "\ufeff"


def csv_reader(lines: Iterable[str], dialect: Dialect) -> Any:
    """A strict csv reader; the caller completes its rows by ``finished``."""
    if dialect.escape and dialect.quote:
        kept = _other_escapes(dialect.escape, dialect.quote + dialect.delimiter)
        lines = (kept.sub(_doubled, line) for line in lines)
    return csv.reader(
        lines,
        delimiter=dialect.delimiter,
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        escapechar=dialect.escape,
        skipinitialspace=dialect.spaces in (Spaces.AFTER, Spaces.AROUND),
        strict=True,
    )


def is_plain(dialect: Dialect) -> bool:
    """Whether lines are rows, and cells are all between delimiters."""
    return not (dialect.cuts or dialect.wrapped or dialect.spaces)


def split_lines(bare: Sequence[str], dialect: Dialect) -> list[list[str]]:
    """The rows in lines without quotes and line ends, as the csv module would parse them."""
    if dialect.cuts:
        return [cut(line, dialect.cuts) if line else [] for line in bare]
    if dialect.spaces == Spaces.RUNS:
        return [line.split() for line in bare]
    delimiter = dialect.delimiter
    rows = [line.split(delimiter) if line else [] for line in bare]
    if dialect.spaces == Spaces.AFTER:
        # As the csv module does it: also before the first cell.
        return [[cell.lstrip(" ") for cell in row] for row in rows]
    return finished(rows, dialect)


def finished(rows: list[list[str]], dialect: Dialect) -> list[list[str]]:
    """Rows of a csv reader without the spaces that are no part of cells."""
    if dialect.spaces == Spaces.AROUND:
        return [[cell.strip(" ") for cell in row] for row in rows]
    return rows


def unwrapped(text: str, dialect: Dialect) -> list[str]:
    """The cells of a row that is itself in quotes. Raises csv.Error."""
    rows: Iterator[list[str]] = csv_reader([text], dialect)
    return next(rows, [])


def cut(line: str, cuts: Sequence[int]) -> list[str]:
    """The cells of a line whose columns begin at these positions.

    Text that crosses the beginning of a column gives a row of one cell: the whole line.
    """
    ends = [*cuts[1:], len(line)]
    if any(0 < at < len(line) and line[at - 1] != " " for at in cuts):
        return [line]
    if line[: cuts[0]].strip():
        return [line]
    return [line[start:end].strip() for start, end in zip(cuts, ends, strict=True)]


def plain_cells(line: str, dialect: Dialect) -> list[str]:
    """The cells of a line that breaks the rules of quoting: what is between delimiters.

    Only quotes around a whole cell are removed.
    """
    quote = dialect.quote
    cells = line.rstrip("\r\n").split(dialect.delimiter)
    if dialect.spaces:
        cells = [cell.strip(" ") for cell in cells]
    return [
        cell[1:-1].replace(quote * 2, quote)
        if quote and len(cell) > 1 and cell[0] == cell[-1] == quote
        else cell
        for cell in cells
    ]


def column_starts(lines: Sequence[str]) -> list[int]:
    """Where columns begin in lines that are aligned by spaces; fewer than two if they are not."""
    width = max(map(len, lines), default=0)
    used = [False] * (width + 1)
    wide = [False] * (width + 1)
    for line in lines:
        for match in re.finditer(r"\S+", line):
            used[match.start() : match.end()] = [True] * (match.end() - match.start())
        for match in re.finditer(r" {2,}", line):
            wide[match.start() : match.end()] = [True] * (match.end() - match.start())
    starts = [place for place in range(width) if used[place] and (not place or not used[place - 1])]
    # A single space that all lines have in the same place may be between words.
    return starts[:1] + [
        start
        for before, start in pairwise(starts)
        if any(wide[place] for place in range(before, start) if not used[place])
    ]


@cache
def _other_escapes(escape: str, before: str) -> re.Pattern[str]:
    """Matches escape characters: those before a quote or a delimiter as they are, others alone."""
    return re.compile(f"{re.escape(escape)}([{re.escape(before)}]|{re.escape(escape)})?")


def _doubled(match: re.Match[str]) -> str:
    """An escape that escapes nothing is part of the text: doubled, the csv module keeps it."""
    escape, following = match[0][0], match[1]
    if following and following != escape:
        return match[0]
    return escape * (4 if following else 2)
