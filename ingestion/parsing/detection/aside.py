"""Finds the rows of a delimited text that are no data, from all of its rows. Pure: no Django.

A small text is always read for that. Of a larger one, the first rows and the last lines tell
whether there may be any; if so it is read, in flat memory.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain

from ingestion.errors import UnreadableInput
from ingestion.parsing.detection.below import rows_below
from ingestion.parsing.detection.cells import Cells, is_word, kind_of, kinds_of, said_by
from ingestion.parsing.detection.odd import Odd, Pass
from ingestion.parsing.detection.sample import parse
from ingestion.parsing.detection.totals import is_alone, labels
from ingestion.parsing.dialect import Dialect
from ingestion.parsing.input_file import InputFile
from ingestion.parsing.readers.aside import REASONS, is_comment, is_rule, ragged_reason
from ingestion.parsing.readers.delimited import DelimitedReader

# Texts up to this size are read as a whole.
SMALL_BYTES = 1 << 20
FIRST_ROWS = 400
ENOUGH_ROWS = 3
CHUNK_ROWS = 5_000
# How much of the end of a larger text is looked at.
TAIL_BYTES = 1 << 14
# A balance in a table with more columns has at least two blank cells.
NARROW = 3
# The share of rows that lack blank cells at their end.
SHORT = 0.05


def with_aside(
    file: InputFile, *, name: str, encoding: str, dialect: Dialect, on_chunk: Callable[[], None]
) -> tuple[Dialect, list[str]]:
    """The dialect with the rows that are no data, and notes."""

    def read() -> DelimitedReader:
        return DelimitedReader(file, name=name, encoding=encoding, dialect=dialect)

    try:
        reader = read()
    except UnreadableInput:
        # Whoever reads it is told so; another dialect may be chosen.
        return dialect, []
    with reader:
        width = dialect.left + len(reader.columns) + max(dialect.surplus, 0)
        if not reader.columns:
            return dialect, ["The file has no rows."]
        if width < 2:
            return dialect, []
        chunks = reader.parsed(FIRST_ROWS)
        first = next(chunks, ([], []))
        table = _Table(first[1], width, dialect.left)
        below = rows_below(table.full) if dialect.header else []
        is_small = file.size <= SMALL_BYTES
        if not (is_small or below or table.has_odd(_tail(file, encoding, dialect))):
            return dialect, []
        kinds = table.kinds(len(below))
        seen = Pass(kinds, width=width, left=dialect.left)
        for lines, rows in chain([first], chunks):
            seen.add(lines, rows)
            on_chunk()
    if seen.counts:
        # Few texts have rows that are called a total; only these need the sums of their columns.
        seen = Pass(kinds, width=width, left=dialect.left, with_sums=True)
        with read() as reader:
            for lines, rows in reader.parsed(FIRST_ROWS):
                seen.add(lines, rows)
                on_chunk()
    return _decide(dialect, seen, below, first, width)


def aside_in_sheet(
    rows: Sequence[tuple[int, list[str]]], *, dialect: Dialect, width: int
) -> Sequence[tuple[int, str]]:
    """The rows of a sheet that are no data, by number, each with its reject code.

    ``rows`` are all rows below the header; ``width`` is that of the table, with the columns left of
    it. A row may lack blank cells at its end, and blank rows may be missing; a row of one cell may
    be a line of text.
    """
    lines: list[int] = []
    cells: list[Cells] = []
    for line, row in rows:
        if lines and line > lines[-1] + 1:
            lines.append(line - 1)
            cells.append([])
        lines.append(line)
        cells.append(row + [""] * (width - len(row)) if len(row) > 1 else row)
    table = _Table(cells[:FIRST_ROWS], width, dialect.left)
    if width < 2 or not table.full:
        return ()
    below = rows_below(table.full) if dialect.header else []
    if not (below or table.has_odd(cells)):
        return ()
    seen = Pass(table.kinds(len(below)), width=width, left=dialect.left, with_sums=True)
    for start in range(0, len(cells), CHUNK_ROWS):
        seen.add(lines[start : start + CHUNK_ROWS], cells[start : start + CHUNK_ROWS])
    found, _ = _decide(dialect, seen, below, (lines, cells), width)
    return found.aside


class _Table:
    """The first rows of a table."""

    def __init__(self, rows: Sequence[Cells], width: int, left: int) -> None:
        self.rows = [row for row in rows if any(row)]
        self.width = width
        self.full = [row for row in self.rows if len(row) == width]
        self.left = left

    def kinds(self, below: int) -> list[str]:
        """The types of columns that nearly all rows agree on, but those that are totals."""
        rows = [row for row in self.full[below:] if not labels(row)] or self.full[below:]
        # The last row may be a balance; of few rows, each one counts.
        found = kinds_of(rows[:-1] if ENOUGH_ROWS < len(rows) < FIRST_ROWS // 2 else rows)
        return [*found, *[""] * (self.width - len(found))]

    def has_odd(self, tail: Sequence[Cells]) -> bool:
        """Whether one of these rows, or the last ones, may be no data."""
        rows = [*self.rows, *tail]
        if any(len(row) != self.width for row in rows if any(row)):
            return True
        if any(map(labels, rows)) or any(is_rule("".join(row)) for row in rows):
            return True
        never = [place for place in range(self.width) if all(row[place] for row in self.full)]
        # A word that stands among the numbers of a column from the beginning is data, as "bad".
        usual = [
            {row[place] for row in self.full} if kind else None
            for place, kind in enumerate(self.kinds(0))
        ]
        return any(
            any(not row[place] for place in never)
            or any(
                known is not None and cell not in known and is_word(cell)
                for cell, known in zip(row, usual, strict=False)
            )
            for row in tail
            if any(row)
        )


def _tail(file: InputFile, encoding: str, dialect: Dialect) -> list[list[str]]:
    """The last rows of a text, as far as they can be parsed without those above them."""
    with file.path.open("rb") as raw:
        raw.seek(max(file.size - TAIL_BYTES, 0))
        text = raw.read(TAIL_BYTES).decode(encoding, "replace")
    return parse(text.splitlines(keepends=True)[1:], dialect, is_whole=True).rows


def _decide(
    dialect: Dialect,
    seen: Pass,
    below: Sequence[str],
    first: tuple[Sequence[int], Sequence[Cells]],
    width: int,
) -> tuple[Dialect, list[str]]:
    notes: list[str] = []
    aside: dict[int, str] = {}
    full = [line for line, row in zip(*first, strict=True) if any(row) and len(row) == width]
    aside.update(zip(full, below, strict=False))
    end = seen.other_table
    odd = [row for row in seen.odd if not end or row.line < end]
    never = seen.never_blank()
    for row in odd:
        if row.line not in aside and (code := _code(row, seen, never)):
            aside[row.line] = code
    if not end:
        aside.update(_footers(seen, aside))
    if end:
        notes.append(
            f"Another table begins in line {end:,}; only the first one was read. To read it, set "
            "the header line."
        )
    if seen.is_cut:
        notes.append(
            "Too many rows seem to be totals or comments; only the first ones were set aside."
        )
    found = replace(
        dialect, aside=tuple(sorted(aside.items())), end=end, fewest=_fewest(seen, aside, end)
    )
    return found, notes


def _code(row: Odd, seen: Pass, never: Sequence[int]) -> str:
    """Why a row of the right width is no data; "" if it may be."""
    if not row.is_full:
        return ""
    if is_rule("".join(row.cells)):
        return "rule"
    if _is_padded_comment(row, seen, never):
        return "comment"
    return "total" if _is_total(row, seen, never) else ""


def _is_padded_comment(row: Odd, seen: Pass, never: Sequence[int]) -> bool:
    """Whether a row is words behind a mark, and blank where no other row is; "#5" is a code."""
    cells = row.cells[seen.left :]
    text = cells[0].strip()
    is_text = said_by(cells) == 1 and is_comment(text) and " " in text
    return is_text and not seen.has_marks and row.blanks(never) > 0


def _is_total(row: Odd, seen: Pass, never: Sequence[int]) -> bool:
    """Whether a row is called a total, and its cells bear that out.

    Its numbers are the sums of their columns; or it stands where other rows have numbers or dates;
    or it says nothing but that, and is blank where no other row is, or the last row.
    """
    called = labels(row.cells)
    numbers = [cell for cell in row.cells if kind_of(cell)]
    if not called or not (numbers or row.sums):
        return False
    are_sums = row.sums >= len(numbers)
    if are_sums and row.sums > 1:
        return True
    place, label = next((at, cell) for at, cell in enumerate(row.cells) if cell.strip())
    if label not in called:
        return False
    if are_sums and row.block > 1:
        return True
    others = [
        cell
        for at, cell in enumerate(row.cells)
        if at != place and not seen.kinds[at] and at not in seen.constant
    ]
    if any(map(str.strip, others)) or row.line == seen.first_full:
        return False
    if row.sums:
        return row.blanks(never) > 0 or is_alone(label)
    if seen.counts[label] > 1:
        return False
    is_last = row.line == seen.last_full
    if seen.kinds[place] or row.blanks(never):
        return is_alone(label) or is_last
    return is_last and is_alone(label)


def _footers(seen: Pass, aside: Mapping[int, str]) -> Iterator[tuple[int, str]]:
    """The last rows that are no rows of the table: texts, and balances."""
    found: list[Odd] = []
    # Texts that may be rows that were cut short, unless there is a blank line above them.
    texts: list[int] = []
    for row in reversed(seen.tail):
        is_known = row.line in aside or (
            not row.is_full and ragged_reason(row.cells, seen.width)[0] in REASONS
        )
        if is_known:
            found.append(row)
        elif not row.is_full and _is_text(row, seen):
            texts.append(row.line)
            if row.after_blank or _is_sentence(row, seen):
                yield from ((line, "footer") for line in texts)
                texts.clear()
        elif row.is_full and _is_balance(row, seen, seen.never_blank([*found, row])):
            found.append(row)
            yield row.line, "footer"
        else:
            return


def _is_text(row: Odd, seen: Pass) -> bool:
    """Whether a row of another width has one cell, and it is a text."""
    text = "".join(row.cells).strip()
    return seen.last_full > 0 and said_by(row.cells) <= 1 and is_word(text) and "\0" not in text


def _is_sentence(row: Odd, seen: Pass) -> bool:
    """Whether a text has several words, in a column of numbers or dates."""
    return bool(seen.kinds[seen.left]) and " " in row.cells[0].strip()


def _is_balance(row: Odd, seen: Pass, never: Sequence[int]) -> bool:
    """Whether a complete row has a word in a first column of dates or numbers, and blank cells that
    no other row has."""
    misplaced = bool(seen.kinds[seen.left]) and is_word(row.cells[seen.left])
    blanks = row.blanks(never)
    if said_by(row.cells) == 1:
        return blanks > 0 and (misplaced or blanks == len(never) > 1)
    return misplaced and blanks > (seen.width > NARROW)


def _fewest(seen: Pass, aside: Mapping[int, str], end: int) -> int:
    """The fewest cells of rows that lack blank cells at their end; 0 if none does.

    They are many, and no row that is complete has a blank cell at its end; so the program that
    wrote them leaves those out. And the cells that they have fit their columns.
    """
    widths = {cells: count for cells, count in seen.widths.items() if 1 < cells < seen.width}
    short, full = sum(widths.values()), seen.widths[seen.width]
    if short < 2 or (full and (seen.blank_ends or short < SHORT * (short + full))):
        return 0
    if end or any(cells > seen.width for cells in seen.widths):
        return 0
    # Cells of the same width may be those left of a cell that was lost, unless their types fit.
    last = seen.kinds[min(widths) - 1] if min(widths) > 2 else ""
    if full and len(widths) == 1 and not last:
        return 0
    for row in seen.odd:
        if row.is_full or row.line in aside or len(row.cells) < 2:
            continue
        for cell, kind in zip(row.cells, seen.kinds, strict=False):
            if kind and full and cell.strip() and kind_of(cell) != kind:
                return 0
    return min(widths)
