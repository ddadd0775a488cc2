"""Checks a dialect against all rows of a text, in flat memory. Pure: no Django."""

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from ingestion.parsing.dialect import Dialect, Spaces
from ingestion.parsing.readers.aside import is_comment, is_rule
from ingestion.parsing.readers.splitting import MARK, csv_reader, finished, split_lines, unwrapped

# How many lines are parsed at once.
LINES = 5_000


@dataclass(slots=True)
class Shape:
    """How many rows have how many cells, whether any broke the rules, and whether all cells but the
    first begin with a space.
    """

    widths: Counter[int] = field(default_factory=Counter)
    faults: bool = False
    are_padded: bool = True

    @property
    def is_regular(self) -> bool:
        """Whether all rows have the same number of cells, more than one."""
        return not self.faults and len(self.widths) == 1 and min(self.widths) > 1


def lines_of(path: Path, encoding: str) -> Iterator[str]:
    """The lines of a text, but comments and those that only separate rows."""
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        for line in file:
            if not says_nothing(line):
                yield line.removeprefix(MARK)


def says_nothing(line: str) -> bool:
    """Whether a line is a comment, or only separates rows."""
    return is_comment(line) or is_rule(line.strip())


def shape_of(path: Path, encoding: str, dialect: Dialect) -> Shape:
    """The shape of all rows; it ends at the first row that breaks the rules."""
    found = Shape()
    lines = lines_of(path, encoding)
    spaces = dialect.spaces
    try:
        if spaces == Spaces.RUNS or dialect.cuts:
            while some := list(islice(lines, LINES)):
                rows = split_lines([line.rstrip("\r\n") for line in some], dialect)
                found.widths.update(len(row) for row in rows if row)
            return found
        # With the spaces, to see whether all cells have them.
        reader = csv_reader(lines, dialect)
        while found_rows := list(islice(reader, LINES)):
            rows = finished(found_rows, dialect)
            if dialect.wrapped:
                rows = [unwrapped(row[0], dialect) if len(row) == 1 else row for row in rows]
            found.widths.update(len(row) for row in rows if any(row))
    except csv.Error:
        found.faults = True
    if spaces and not found.faults:
        found.are_padded = _are_padded(path, encoding, dialect)
    return found


def _are_padded(path: Path, encoding: str, dialect: Dialect) -> bool:
    delimiter, space = dialect.delimiter, dialect.delimiter + " "
    for line in lines_of(path, encoding):
        text = "x".join(line.split(dialect.quote)[::2]) if dialect.quote else line
        bare = text.rstrip("\r\n")
        ends = bare.endswith(delimiter)
        if bare.count(delimiter) - bare.count(delimiter * 2) - ends > bare.count(space):
            return False
    return True
