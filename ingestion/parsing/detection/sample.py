"""The first lines of a text, parsed as the reader parses them. Pure: no Django."""

import csv
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ingestion.parsing.dialect import Dialect, Spaces
from ingestion.parsing.readers.splitting import (
    MARK,
    csv_reader,
    finished,
    split_lines,
    unwrapped,
)

SAMPLE_LINES = 400
SAMPLE_CHARACTERS = 200_000
# A quoted cell may be longer than that: then the sample is extended up to this length.
LONGEST_SAMPLE = 1 << 22


class Sample(NamedTuple):
    """Lines of a text; ``is_whole`` if it has no others."""

    lines: list[str]
    is_whole: bool


class Parsed(NamedTuple):
    """The rows in some lines, the index of the line in which each starts, and the indexes of lines
    that break the rules of quoting.
    """

    rows: list[list[str]]
    starts: list[int]
    faults: list[int]


def read_sample(path: Path, encoding: str, skip: int) -> Sample:
    """The first lines after ``skip`` others."""
    # Bytes that are not valid in the encoding don't matter for the dialect.
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        for _ in islice(file, skip):
            pass
        lines: list[str] = []
        characters, most = 0, SAMPLE_CHARACTERS
        while True:
            while len(lines) < SAMPLE_LINES and characters < most:
                line = file.readline(most)
                if not line:
                    return Sample(lines, is_whole=True)
                lines.append(line if lines or skip else line.removeprefix(MARK))
                characters += len(line)
            if most >= LONGEST_SAMPLE or not _is_long_cell(lines):
                return Sample(lines, is_whole=False)
            most *= 4


def _is_long_cell(lines: Sequence[str]) -> bool:
    """Whether these lines are hardly more than one quoted cell."""
    found = parse(lines, Dialect(), is_whole=False)
    return len(found.rows) + len(found.faults) < 3


def parse(lines: Sequence[str], dialect: Dialect, *, is_whole: bool) -> Parsed:
    """The rows in lines, as the reader finds them: after a fault it goes on with the next line."""
    found = Parsed([], [], [])
    lines = [line.removeprefix(MARK) if MARK in line else line for line in lines]
    if dialect.cuts or dialect.spaces == Spaces.RUNS:
        found.rows.extend(split_lines([line.rstrip("\r\n") for line in lines], dialect))
        found.starts.extend(range(len(lines)))
        return found
    start = reread = 0
    while start < len(lines):
        offset = start
        reader = csv_reader(map(lines.__getitem__, range(start, len(lines))), dialect)
        try:
            for cells in reader:
                found.rows.append(cells)
                found.starts.append(start)
                start = offset + reader.line_num
        except csv.Error as error:
            if not is_whole and "unexpected end" in str(error):
                break
            found.faults.append(start)
            reread += offset + reader.line_num - start
            if reread > 50 * SAMPLE_LINES:
                # Another quote character, rather.
                found.faults.extend(range(start + 1, len(lines)))
                break
            start += 1
    rows = finished(found.rows, dialect)
    if dialect.wrapped:
        rows = [_unwrapped(row, dialect) for row in rows]
    found = Parsed(rows, found.starts, found.faults)
    if not is_whole and len(found.rows) > 1:
        # The sample may end in the middle of a row.
        found.rows.pop()
        found.starts.pop()
    return found


def _unwrapped(row: list[str], dialect: Dialect) -> list[str]:
    try:
        return unwrapped(row[0], dialect) if len(row) == 1 else row
    except csv.Error:
        return row


def fit(sample: Sample, dialect: Dialect) -> float:
    """The share of rows that have as many cells as the first, if that is more than one."""
    found = parse(sample.lines, dialect, is_whole=sample.is_whole)
    widths = [len(row) for row in found.rows if row]
    if len(widths) + len(found.faults) < 2 or not widths:
        return 0
    width, count = Counter(widths).most_common(1)[0]
    return count / (len(widths) + len(found.faults)) if width > 1 and widths[0] == width else 0
