"""Finds the table and its header in the first rows of an input. Pure."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

COMMENT = re.compile(r"\s*(?:#|//|;|%|--)")
NUMBER = re.compile(r"\s*+[-+]?(?:[\d.,' ]*[' ])?[.,]*\d[\d.,]*(?:[eE][-+]?\d+)?\s*+%?\s*+")
DATE = re.compile(r"\s*(?:\d{4}([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2\d{2,4})(?:[T ].*)?")
# The share of non-empty cells that must be numbers or dates for the column to count as such.
MOSTLY = 0.9

Cells = Sequence[str]


@dataclass(frozen=True, slots=True)
class Layout:
    """``first`` is the index of the first row of the table, if there is more than blank rows above
    it; the rest is as in Dialect.
    """

    first: int = 0
    header: int = 1
    left: int = 0
    surplus: int = 0

    def notes(self, line: int, width: int) -> Iterator[str]:
        """The findings as sentences; ``line`` is the first line of the table, from 1."""
        if self.first:
            yield f"The table starts in line {line}; the lines above it were skipped."
        if not self.header:
            yield f"There is no header: the columns are named column_1 to column_{width}."
        if self.header > 1:
            yield f"The header has {self.header} rows; the names are joined with ' / '."
        if self.left:
            yield f"The table starts in column {self.left + 1}; the columns before it are empty."
        if self.surplus > 0:
            yield "Every row ends with an extra delimiter, which was ignored."
        if self.surplus < 0:
            yield "The header ends with an extra delimiter, which was ignored."


def find_layout(rows: Sequence[Cells], *, above: bool = True, header: int | None = None) -> Layout:
    """Find the table in the first rows of an input; blank rows have no non-empty cell.

    ``above`` says whether there may be lines above the table; ``header`` is the number of header
    rows, if it is known.
    """
    filled = [place for place, row in enumerate(rows) if any(cell.strip() for cell in row)]
    if not filled:
        return Layout(header=1 if header is None else header)
    width = _usual_width([rows[place] for place in filled])
    table = [rows[place] for place in filled if len(rows[place]) == width]
    # A longer row, such as a complete header above incomplete rows, is not a padded line.
    longer = [rows[place] for place in filled if len(rows[place]) > width]
    left = min([_empty_on_the_left(table), *map(_first_filled, longer)])
    trailing = width > 1 and len(table) > 1 and not any(row[-1].strip() for row in table)
    first = filled[0]
    if above:
        first = _begin(rows, filled, width, left, trailing=trailing)
    begin = filled.index(first)
    body = [rows[place] for place in filled[begin:]]
    if header is None:
        header = _header_rows(body, width, left)
    return Layout(
        first if begin else 0, header, left, _surplus(body, width, header, trailing=trailing)
    )


def _usual_width(rows: Sequence[Cells]) -> int:
    """The usual number of cells per row; rows of one cell are probably lines above the table."""
    widths = Counter(len(row) for row in rows if len(row) > 1)
    if widths:
        width, count = widths.most_common(1)[0]
        if count > 1:
            return width
    return len(rows[0])


def _empty_on_the_left(table: Sequence[Cells]) -> int:
    # Lines above the table may be padded with empty cells.
    while len(table) > 2 and _is_sparse(table[0], len(table[0])):
        table = table[1:]
    if len(table) < 2:
        return 0
    left = 0
    while left < len(table[0]) - 1 and not any(row[left].strip() for row in table):
        left += 1
    return left


def _first_filled(row: Cells) -> int:
    return next(place for place, cell in enumerate(row) if cell.strip())


def _begin(
    rows: Sequence[Cells], filled: Sequence[int], width: int, left: int, *, trailing: bool
) -> int:
    """The index of the first row of the table: its header, or its first row after comments."""
    top = filled[0]
    if width < 2:
        while _is_comment(rows[top], ()) and top != filled[-1]:
            top = filled[filled.index(top) + 1]
        return top
    above: list[int] = []
    for place in filled:
        row = rows[place]
        fits = len(row) == width or _fits_but_for_the_end(row, width, trailing=trailing)
        if fits and not _is_sparse(row, width - left):
            break
        above.append(place)
    else:
        return top
    if not above:
        return top
    body = [rows[at] for at in filled if at >= place]
    fitting = sum(len(row) == width for row in body)
    if fitting < 2 - trailing or fitting < 0.8 * (len(body) - trailing):
        return top
    head = rows[place][left:]
    if all(_is_comment(rows[at], rows[place]) for at in above):
        return place
    if any(_kind(cell) for cell in head) or not all(cell.strip() for cell in head[:-1]):
        return top
    differs = _differs(head, [row[left:] for row in body[1:]])
    blank_between = place - above[-1] > 1
    if any(len(rows[at]) == width for at in above) and not (differs or blank_between):
        return top
    if not blank_between and any(width > len(rows[at]) > max(1, width // 2) for at in above):
        return top
    return place if differs or blank_between or width > 2 else top


def _fits_but_for_the_end(row: Cells, width: int, *, trailing: bool) -> bool:
    return (trailing and len(row) == width - 1) or (len(row) == width + 1 and not row[-1].strip())


def _is_sparse(row: Cells, width: int) -> bool:
    """Whether a row is a line of text that is padded with empty cells."""
    return width > 2 and sum(bool(cell.strip()) for cell in row) <= max(1, width // 3)


def _is_comment(row: Cells, header: Cells) -> bool:
    return len(row) != len(header) and COMMENT.match(row[0]) is not None


def _header_rows(body: Sequence[Cells], width: int, left: int) -> int:
    table = [row[left:] for row in body if len(row) == width]
    head = body[0][left:]
    rest = table[1:] if len(body[0]) == width else table
    if len(body) > 3 and len(body[0]) == len(body[1]) == width:
        below = [row[left:] for row in body[2:] if len(row) == width]
        if _goes_on(head, body[1][left:], below):
            return 2
    return 0 if len(body[0]) == width and _is_data(head, rest) else 1


def _goes_on(top: Cells, sub: Cells, body: Sequence[Cells]) -> bool:
    """Whether the second row continues a header whose first row has gaps."""
    gaps = [place for place, cell in enumerate(top) if not cell.strip()]
    if not gaps or not any(cell.strip() for cell in top) or any(map(_kind, sub)):
        return False
    if len(body) < 2 or not all(sub[place].strip() for place in gaps):
        return False
    empty = [place for place, cell in enumerate(sub) if not cell.strip()]
    if empty:
        # No data row has these cells empty.
        return all(row[place].strip() for row in body for place in empty)
    repeats = len(set(sub)) < len(sub)
    return repeats and len(gaps) < len(top) - 1 and _differs(sub, body)


def _is_data(head: Cells, rest: Sequence[Cells]) -> bool:
    """Whether the first row is data: its cells have the types of those below."""
    if len(rest) < 2:
        return False
    typed = [
        (cell, kind) for cell, kind in zip(head, _kinds(rest), strict=True) if kind and cell.strip()
    ]
    if not typed or any(_kind(cell) != kind for cell, kind in typed):
        return False
    # A header above numbers may consist of years.
    return not all(re.fullmatch(r"\s*(?:18|19|20|21)\d\d\s*", cell) for cell, _ in typed)


def _differs(head: Cells, rest: Sequence[Cells]) -> bool:
    """Whether some column has a word above numbers or dates."""
    kinds = _kinds([row[: len(head)] for row in rest if len(row) >= len(head)])
    return any(
        kind and head[place].strip() and not _kind(head[place]) for place, kind in enumerate(kinds)
    )


def _kinds(rows: Sequence[Cells]) -> list[str]:
    """The type of each column: "number", "date" or "" for neither."""
    if not rows:
        return []
    width = min(map(len, rows))
    found = []
    for column in range(width):
        kinds = [_kind(row[column]) for row in rows if row[column].strip()]
        kind, count = Counter(kinds).most_common(1)[0] if kinds else ("", 0)
        found.append(kind if count >= MOSTLY * len(kinds) else "")
    return found


def _kind(cell: str) -> str:
    if DATE.fullmatch(cell):
        return "date"
    return "number" if NUMBER.fullmatch(cell) else ""


def _surplus(body: Sequence[Cells], width: int, header: int, *, trailing: bool) -> int:
    """How many extra cells the rows have; -1 if the header has one."""
    if header != 1 or len(body) < 2:
        return 0
    if trailing and len(body[0]) == width - 1:
        return 1
    if len(body[0]) == width + 1 and not body[0][-1].strip() and width > 1:
        return -1
    return 0
