"""Reads the names of columns from the header of delimited text. Pure: no Django, no tables."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ingestion.parsing.dialect import Dialect
from ingestion.parsing.readers.header import joined, unique_names
from ingestion.parsing.readers.splitting import csv_reader, finished, plain_cells

# Around names.
BLANKS = " \t\u00a0"


@dataclass(slots=True)
class Header:
    """The first rows of a table, the index of the line in which each starts, and the lines that
    break the rules of quoting. ``used`` is how many lines they are in all.
    """

    rows: Sequence[list[str]]
    starts: Sequence[int]
    errors: Sequence[tuple[int, csv.Error]]
    used: int

    @property
    def is_there(self) -> bool:
        """Whether any of the lines says something."""
        return bool(self._filled())

    def lines(self, wanted: int) -> list[int]:
        """The indexes of the first lines that are not blank."""
        return self._filled()[:wanted]

    def end(self, wanted: int) -> int:
        """The index of the first line after the header."""
        last = self.lines(wanted)[-1]
        places = [*self.starts, *(place for place, _ in self.errors), self.used]
        return min((place for place in places if place > last), default=self.used)

    def cells(self, place: int) -> list[str] | None:
        """The cells of the row that starts in a line; None if it breaks the rules."""
        return next(
            (row for start, row in zip(self.starts, self.rows, strict=True) if start == place), None
        )

    def _filled(self) -> list[int]:
        filled = [
            place
            for place, row in zip(self.starts, self.rows, strict=True)
            if any(row) or len(row) == 1
        ]
        return sorted([*filled, *(place for place, _ in self.errors)])


def read_names(
    header: Header, lines: Sequence[str], *, dialect: Dialect, name: str, line: int
) -> tuple[list[str], list[str], list[list[str]]]:
    """The unique names of the columns, notes, and the rows of the header to compare others with.

    ``lines`` are those of the header and after it, ``line`` is the number of the first, from 1.
    ``name`` is that of the input for the user. Raises UnreadableInput and InputTooLarge.
    """
    notes: list[str] = []
    rows = []
    for place in header.lines(dialect.header):
        cells = header.cells(place)
        if dialect.header_delimiter:
            cells = other_names(lines[place], dialect)
        elif cells is None:
            cells = plain_cells(lines[place], dialect)
            notes.append(
                f"The header in line {line + place:,} breaks the rules of quoting: its names were "
                "taken as they stand between the delimiters."
            )
        rows.append(cells)
    cells = joined(rows, name=name) if len(rows) > 1 else rows[0]
    cells = cells[dialect.left :]
    if dialect.surplus < 0:
        while len(cells) > 1 and not cells[-1].strip():
            cells = cells[:-1]
    if dialect.surplus > 0 and dialect.left and not cells[-1].strip():
        # A table in a frame: the header ends as its rows do.
        cells = cells[: -dialect.surplus]
    if dialect.gaps:
        cells = [cell for cell in cells if cell.strip()]
    cells = [*[""] * dialect.unnamed, *cells]
    if any(cell != cell.strip(BLANKS) for cell in cells):
        cells = [cell.strip(BLANKS) for cell in cells]
        notes.append("Spaces around the names in the header were removed.")
    first = line + header.lines(1)[0]
    names, changed = unique_names(cells, name=name, line=first)
    # A single name may also be the cell of a row.
    repeated = [row for row in rows if len(row) > 1 and sum(map(bool, row)) > 1]
    return names, [*notes, *changed], repeated


def other_names(line: str, dialect: Dialect) -> list[str]:
    """The names in a header that has another delimiter than its rows."""
    other = replace(dialect, delimiter=dialect.header_delimiter)
    try:
        rows = finished(list(csv_reader([line], other)), other)
        cells: list[str] = rows[0]
    except (csv.Error, IndexError):
        cells = plain_cells(line, other)
    while len(cells) > 1 and not cells[-1]:
        cells.pop()
    return cells
