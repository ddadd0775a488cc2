"""Tells the rows of a table from what else stands in a text. Pure: no Django, no tables."""

from collections.abc import Iterator, Sequence

from ingestion.parsing.dialect import Dialect
from ingestion.parsing.readers.aside import REASONS, Tally, other_reason, ragged_reason

OUTSIDE = "cell_outside_table", "There is text outside the columns of the table."


class TableRows:
    """Which rows belong to the table that a dialect describes.

    ``header`` are the rows of the header. ``tally`` counts rows that are no data, and ``filled``
    those that got blank cells at their end.
    """

    def __init__(self, dialect: Dialect, *, columns: int, header: Sequence[list[str]]) -> None:
        self._left, self._end = dialect.left, dialect.left + columns
        # How many cells a row has, including those outside the table.
        self.width = self._end + max(dialect.surplus, 0)
        self._header = header
        self._aside = dict(dialect.aside)
        self._last = dialect.end
        self._fewest = dialect.fewest
        self._is_bare = self.width == columns
        self._blank = [""] * self.width
        self.tally = Tally()
        self.filled = 0

    def are_all(self, rows: Sequence[list[str]], lines: range) -> bool:
        """Whether all rows, which are in these lines, have a cell for each column and no other."""
        return (
            self._is_bare
            and not set(map(len, rows)) - {self.width}
            and self._blank not in rows
            and not any(header in rows for header in self._header)
            and not (self._last and lines.stop > self._last)
            and not (self._aside and any(line in self._aside for line in lines))
        )

    def refusal(self, line: int, cells: list[str]) -> tuple[str, str] | None:
        """The code and the message of a row that is none of the table; None if it is."""
        if cells in self._header:
            reason = REASONS["repeated_header"]
        elif (code := self._aside.get(line)) is not None:
            reason = REASONS[code]
        elif 0 < self._last <= line:
            reason = other_reason(cells)
        elif any(cells[: self._left]):
            reason = ragged_reason(cells, self.width)
            if reason[0] not in REASONS:
                reason = OUTSIDE
        elif len(cells) != self.width and not self._lacks_blanks(cells):
            reason = ragged_reason(cells, self.width)
        elif any(cells[self._end :]):
            reason = OUTSIDE
        else:
            return None
        self.tally.add([(line, reason[0])])
        return reason

    def cells(self, cells: list[str]) -> list[str]:
        """The cells of a row, one for each column."""
        missing = self._end - len(cells)
        self.filled += missing > 0
        return [*cells[self._left : self._end], *[""] * missing]

    def notes(self) -> Iterator[str]:
        """What was counted, in sentences."""
        yield from self.tally.notes()
        if self.filled:
            yield f"Rows that have fewer cells than the header got blank ones: {self.filled:,}."

    def _lacks_blanks(self, cells: list[str]) -> bool:
        """Whether a row lacks only blank cells at its end."""
        return (
            0 < self._fewest <= len(cells) < self.width
            and ragged_reason(cells, self.width)[0] not in REASONS
        )
