"""Turns clean rows into a realistic file with faults, and counts the faults."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np

from ingestion.samples.chance import any_of

Row = TypeVar("Row", bound=tuple[str, ...])

# Faulty rows in 10,000; at least one of each kind.
TOO_FEW_CELLS = 12
TOO_MANY_CELLS = 12
NO_ID = 10
NUL = 3
NOT_UTF8 = 5
MISPLACED_QUOTE = 4
EMPTY_VALUE = 40
UNREADABLE_VALUE = 50
REPEATED = 30
CORRECTED = 20

# A file starts without faults (so many rows, or half of them), so that the roles that are found in
# the first rows are right.
SOUND_ROWS = 1_000


@dataclass(frozen=True)
class Expected:
    """The expected counts after importing and processing the file once, into an empty source.

    ``rejected_lines`` is the reason of each rejected row, by its first line in the file; the header
    is line 1.
    """

    rows: int
    unchanged: int
    updated: int
    failed: int
    repaired: int
    rejected_lines: dict[int, str] = field(repr=False)

    @property
    def rejected(self) -> int:
        return len(self.rejected_lines)

    @property
    def created(self) -> int:
        return self.rows - self.rejected - self.unchanged - self.updated


@dataclass(frozen=True)
class Sample:
    """A file of sample data, and its expected counts."""

    name: str
    content: bytes
    expected: Expected

    @property
    def file_name(self) -> str:
        return f"{self.name}.csv"


@dataclass(frozen=True)
class Habits(Generic[Row]):
    """The faults of one source. The functions make a new row from a valid one.

    ``with_comma`` adds a comma to a cell, which is then not quoted; ``with_latin1`` adds a
    non-ASCII character, which is then written in Latin-1; no other cell may need quotes. If the
    last cell is ``typed`` by people, it has faulty quotes too: some are inside the cell, and the
    file ends before the last one is closed.
    """

    with_value: Callable[[Row, str], Row]
    unreadable: Sequence[str]
    corrected: Callable[[Row], Row]
    with_comma: Callable[[Row], Row]
    with_latin1: Callable[[Row], Row]
    typed: bool


def untidy(
    *,
    name: str,
    columns: Sequence[str],
    rows: Sequence[Row],
    habits: Habits[Row],
    rng: np.random.Generator,
) -> Sample:
    """Write ``rows`` (the first cell is the id, in the order of the file) with faults among them.

    No row has two faults, so that every count is exact whatever order a reader checks in.
    """
    victims = _Victims(rows, rng)
    lines = [_line(row) for row in rows]
    reasons: dict[int, str] = {}

    def damage(reason: str, share: int, write: Callable[[Row], bytes]) -> None:
        for index in victims.take(share):
            lines[index] = write(rows[index])
            reasons[index] = reason

    damage("too few cells", TOO_FEW_CELLS, lambda row: _line(row[: rng.integers(2, len(row) - 1)]))
    damage("too many cells", TOO_MANY_CELLS, lambda row: _raw(habits.with_comma(row)))
    damage("no id", NO_ID, lambda row: _line(("", *row[1:])))
    damage("NUL", NUL, lambda row: _line((*row[:2], f"{row[2]}\0", *row[3:])))
    damage("not UTF-8", NOT_UTF8, lambda row: _raw(habits.with_latin1(row), "latin-1"))
    if habits.typed:
        damage(
            "misplaced quote",
            MISPLACED_QUOTE,
            lambda row: _quoted(habits.with_comma(row), inner=True),
        )
        lines[-1] = _quoted(habits.with_comma(rows[-1]))[:-8]
        reasons[len(rows) - 1] = "unclosed quote"

    empty, unreadable = victims.take(EMPTY_VALUE), victims.take(UNREADABLE_VALUE)
    for index in empty:
        lines[index] = _line(habits.with_value(rows[index], ""))
    for index in unreadable:
        lines[index] = _line(habits.with_value(rows[index], any_of(habits.unreadable, rng)))

    # Repeated rows, by the row before them. Nothing follows the broken end of a file.
    again: dict[int, list[bytes]] = {}
    last = len(rows) - 2
    repeated, corrected = victims.take(REPEATED), victims.take(CORRECTED)
    for index in repeated:
        after = min(index + int(rng.integers(0, 4)), last)
        again.setdefault(after, []).append(lines[index])
    for index in corrected:
        after = min(index + int(rng.integers(20, 400)), last)
        again.setdefault(after, []).append(_line(habits.corrected(rows[index])))

    content, rejected_lines = _assemble(_line(columns), lines, again, reasons)
    return Sample(
        name=name,
        content=content,
        expected=Expected(
            rows=len(rows) + len(repeated) + len(corrected),
            unchanged=len(repeated),
            updated=len(corrected),
            failed=len(empty),
            repaired=len(unreadable),
            rejected_lines=rejected_lines,
        ),
    )


class _Victims:
    """Picks random rows, none twice; not the first ones, the last one, or long ones."""

    def __init__(self, rows: Sequence[tuple[str, ...]], rng: np.random.Generator) -> None:
        self._size = len(rows)
        order = rng.permutation(np.arange(min(SOUND_ROWS, len(rows) // 2), len(rows) - 1))
        self._order: Iterator[int] = (
            int(index) for index in order if not any("\n" in cell for cell in rows[index])
        )

    def take(self, share: int) -> list[int]:
        """The next ``share`` in 10,000 rows, at least one."""
        return [next(self._order) for _ in range(max(1, round(self._size * share / 10_000)))]


def _assemble(
    header: bytes,
    lines: Sequence[bytes],
    again: Mapping[int, Sequence[bytes]],
    reasons: Mapping[int, str],
) -> tuple[bytes, dict[int, str]]:
    """The file, and the reasons by the line of the file instead of by the number of the row."""
    content = bytearray(header)
    number = 2
    by_line: dict[int, str] = {}
    for index, line in enumerate(lines):
        if index in reasons:
            by_line[number] = reasons[index]
        for written in (line, *again.get(index, ())):
            content += written
            number += written.count(b"\n")
    return bytes(content), by_line


def _line(cells: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


def _raw(cells: Sequence[str], encoding: str = "utf-8") -> bytes:
    """A line of cells with nothing quoted."""
    return (",".join(cells) + "\n").encode(encoding)


def _quoted(cells: Sequence[str], *, inner: bool = False) -> bytes:
    """A line with quotes around the last cell and, if ``inner``, around all but its first word."""
    *others, text = cells
    if inner:
        first, rest = text.split(" ", 1)
        text = f'{first} "{rest}"'
    return _raw((*others, f'"{text}"'))
