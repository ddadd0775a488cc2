"""Passes over the rows of a table and keeps those that may be no data. Pure: no Django."""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from ingestion.parsing.detection.cells import Cells, is_word, kind_of, said_by
from ingestion.parsing.detection.totals import Sums, labels
from ingestion.parsing.readers.aside import has_comment, has_rule, is_comment, is_rule

# How many rows are kept at most, and how many of the last ones.
MOST_ODD = 10_000
LAST_ROWS = 50
# A chunk in which more rows than this share look odd has no odd ones.
USUAL = 0.5
# In fewer rows, cells are the same by chance.
ENOUGH_ROWS = 4


@dataclass(slots=True)
class Odd:
    """A row that may be no data.

    ``sums`` is how many of its numbers are the sums of their columns, of ``block`` rows above it.
    """

    line: int
    cells: Cells
    is_full: bool
    after_blank: bool = False
    sums: int = 0
    block: int = 0

    def blanks(self, places: Sequence[int]) -> int:
        """How many of these cells are blank."""
        return sum(not self.cells[place].strip() for place in places)


class Pass:
    """What was seen of a table; of its sums only ``with_sums``."""

    def __init__(
        self, kinds: Sequence[str], *, width: int, left: int, with_sums: bool = False
    ) -> None:
        # The types of its columns.
        self.kinds, self.width, self.left = kinds, width, left
        self.odd: list[Odd] = []
        self.tail: deque[Odd] = deque(maxlen=LAST_ROWS)
        self.widths: Counter[int] = Counter()
        # The line from which on rows belong to other tables; 0: none. The first and the last
        # complete row.
        self.other_table = self.first_full = self.last_full = 0
        # Whether rows of data begin like comments, and how many complete ones have a blank last
        # cell.
        self.has_marks = False
        self.blank_ends = 0
        self.is_cut = False
        # How often each cell that is called a total occurs, and the columns of one value.
        self.counts: Counter[str] = Counter()
        self._values: list[set[str]] = [set() for _ in kinds]
        self._blanks: Counter[int] = Counter()
        self._full = 0
        numbers = [place for place, kind in enumerate(kinds) if kind == "number"]
        self._sums = Sums(numbers if with_sums else [])
        self._typed = [place for place, kind in enumerate(kinds) if kind]
        # Whether the last row was blank, and the last one if it had another width.
        self._after_blank = False
        self._ragged: Odd | None = None

    @property
    def constant(self) -> set[int]:
        """The columns that have the same cell in all rows, such as a currency."""
        if self._full < ENOUGH_ROWS:
            return set()
        return {place for place, values in enumerate(self._values) if len(values) == 1}

    def never_blank(self, others: Sequence[Odd] = ()) -> list[int]:
        """The columns that are blank in no row of data, if ``others`` are none."""
        blank: Counter[int] = Counter()
        for row in {row.line: row for row in (*self.odd, *others) if row.is_full}.values():
            blank.update(place for place, cell in enumerate(row.cells) if not cell.strip())
        return [
            place
            for place in range(self.left, self.width)
            if self._blanks[place] <= blank[place] and blank[place] <= self._full * USUAL
        ]

    def add(self, lines: Sequence[int], rows: Sequence[Cells]) -> None:
        """Look at more rows; a blank one has no cells."""
        if not rows:
            return
        is_plain = set(map(len, rows)) == {self.width} and all(map(any, rows))
        if is_plain:
            self.widths[self.width] += len(rows)
            full = rows
        else:
            self.widths.update(len(row) for row in rows if any(row))
            full = [row for row in rows if len(row) == self.width]
        if full and not self._full:
            self.first_full = next(
                line for line, row in zip(lines, rows, strict=True) if len(row) == self.width
            )
        self._full += len(full)
        columns = list(zip(*full, strict=True)) if full else []
        for place, column in enumerate(columns):
            if "" in column:
                self._blanks[place] += column.count("")
            if len(self._values[place]) < 2:
                self._values[place] |= set(islice(set(column) - {""}, 2))
        called = self._called(columns)
        marked = bool(columns) and has_comment(columns[self.left])
        if columns:
            self.blank_ends += columns[-1].count("")
        if called or marked or not is_plain or self._after_blank or _has_rule(columns[self.left :]):
            self._look(lines, rows, called)
        else:
            self._sums.add(rows)
            self.tail.extend(
                Odd(line, row, is_full=True)
                for line, row in zip(lines[-LAST_ROWS:], rows[-LAST_ROWS:], strict=True)
            )
            self.last_full = lines[-1]

    def _called(self, columns: Sequence[Sequence[str]]) -> set[str]:
        """The cells that are called a total."""
        found = set[str]()
        for column, kind in zip(columns, self.kinds, strict=False):
            called = labels(column)
            found |= {cell for cell in called if not kind_of(cell)} if kind else called
        return found

    def _look(self, lines: Sequence[int], rows: Sequence[Cells], called: set[str]) -> None:
        held = 0
        for place, (line, cells) in enumerate(zip(lines, rows, strict=True)):
            if not any(cells):
                self._after_blank = True
                continue
            row = Odd(line, cells, len(cells) == self.width, self._after_blank)
            self.tail.append(row)
            is_noise = is_rule("".join(cells)) or (said_by(cells) == 1 and is_comment(cells[0]))
            if not row.is_full:
                self._see_other_table(row)
                self._keep(row)
            elif is_noise:
                self._keep(row)
            else:
                self.last_full = line
                self._see_other_header(row)
                self.has_marks = self.has_marks or is_comment(cells[self.left])
                if called and not called.isdisjoint(cells):
                    self.counts.update(called.intersection(cells))
                    self._add_sums(rows[held:place])
                    row.sums, row.block = self._sums.matching(cells), self._sums.rows
                    if row.sums:
                        self._sums.end_block()
                        held = place + 1
                    else:
                        held = place
                    self._keep(row)
            self._ragged = None if row.is_full else row
            self._after_blank = self._after_blank and is_noise
        self._add_sums(rows[held:])

    def _add_sums(self, rows: Sequence[Cells]) -> None:
        self._sums.add([row for row in rows if len(row) == self.width])

    def _see_other_table(self, row: Odd) -> None:
        """Take note of the header of another table: words, with a row as wide below it."""
        before = self._ragged
        if (
            not self.other_table
            and before is not None
            and len(before.cells) == len(row.cells) > 1
            and before.after_blank
            and all(map(is_word, before.cells))
            and not all(map(is_word, row.cells))
        ):
            self.other_table = before.line

    def _see_other_header(self, row: Odd) -> None:
        """Take note of words instead of numbers and dates below a blank line."""
        if (
            row.after_blank
            and not self.other_table
            and self._typed
            and self.last_full
            and all(map(is_word, row.cells))
            and not labels(row.cells)
        ):
            self.other_table = row.line

    def _keep(self, odd: Odd) -> None:
        if len(self.odd) < MOST_ODD:
            self.odd.append(odd)
        else:
            self.is_cut = self.is_cut or odd.is_full


def _has_rule(columns: Sequence[Sequence[str]]) -> bool:
    return bool(columns) and all(has_rule(cells) for cells in columns[:2])
