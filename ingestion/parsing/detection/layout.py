"""Finds the table and its header in the first rows of an input. Pure."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingestion.parsing.detection.cells import NUMBER, Cells, is_word, kind_of, kinds_of, said_by
from ingestion.parsing.readers.aside import is_comment, is_rule

# The cell of a header above row numbers.
NUMBERED = frozenset(("id", "key", "nr", "no", "#", "code", "index", "nummer", "number", "key_id"))
# A block of rows with at most this share of the rows of another is rather something above it.
MINOR = 1 / 3

__all__ = ["NUMBER", "Layout", "find_layout"]


@dataclass(frozen=True, slots=True)
class Layout:
    """``first`` is the index of the first row of the table, if there is more than blank rows above
    it; the rest is as in Dialect.
    """

    first: int = 0
    header: int = 1
    left: int = 0
    surplus: int = 0
    unnamed: int = 0
    gaps: bool = False

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
        if self.gaps:
            yield "The header has empty cells for which rows have none; they were ignored."
        if self.unnamed:
            yield (
                "The header has no name for the first column, which seems to have the names or "
                "numbers of the rows; it is named column_1."
            )


def find_layout(rows: Sequence[Cells], *, above: bool = True, header: int | None = None) -> Layout:
    """Find the table in the first rows of an input; blank rows have no non-empty cell.

    ``above`` says whether there may be lines above the table; ``header`` is the number of header
    rows, if it is known.
    """
    places = [place for place, row in enumerate(rows) if any(cell.strip() for cell in row)]
    if not places:
        return Layout(header=1 if header is None else header)
    if above:
        places = _first_table(rows, places)
    width = _usual_width([rows[place] for place in places])
    said = [place for place in places if not _is_noise(rows[place], width)] or places
    table = [rows[place] for place in said if len(rows[place]) == width]
    # A longer row, such as a complete header above incomplete rows, is not a padded line.
    longer = [rows[place] for place in said if len(rows[place]) > width]
    left = min([_empty_on_the_left(table), *map(_first_filled, longer)])
    trailing = width > 1 and len(table) > 1 and not any(row[-1] for row in table)
    first = said[0] if above else places[0]
    if above:
        first = _begin(rows, said, width, left, trailing=trailing)
    body = [rows[place] for place in said if place >= first]
    if header is None:
        header = _header_rows(body, width, left)
    shape = _shape(body, header, left)
    if left and header and trailing and all(len(row) == width for row in body):
        # A table in a frame of delimiters.
        shape = int(not body[0][-1].strip()), 0, False
    return Layout(
        first if first > places[0] or (places[0] != 0 and first) else 0, header, left, *shape
    )


def _is_noise(row: Cells, width: int) -> bool:
    """Whether a row is a comment or separates others."""
    return is_rule("".join(row)) or (len(row) != width and is_comment(row[0]))


def _first_table(rows: Sequence[Cells], places: list[int]) -> list[int]:
    """The rows down to the end of the first table, if blank rows separate tables that differ."""
    blocks: list[list[int]] = []
    for place in places:
        if blocks and place == blocks[-1][-1] + 1:
            blocks[-1].append(place)
        else:
            blocks.append([place])
    tables = [block for block in blocks if _is_table([rows[place] for place in block])]
    if len(tables) < 2:
        return places
    most = max(map(len, tables))
    first, *others = [block for block in tables if len(block) > most * MINOR]
    if not others:
        return places
    width = _usual_width([rows[place] for place in first])
    if all(_usual_width([rows[place] for place in block]) == width for block in others):
        return places
    return [place for place in places if place <= first[-1]]


def _is_table(block: Sequence[Cells]) -> bool:
    """Whether rows are a header of words and at least two rows below it."""
    width = _usual_width(block)
    said = [row for row in block if not _is_noise(row, width)]
    if width < 2 or len(said) < 3 or any(len(row) != width for row in said):
        return False
    return not any(row[0].rstrip().endswith(":") for row in said) and _differs(said[0], said[1:])


def _usual_width(rows: Sequence[Cells]) -> int:
    """The usual number of cells per row; rows of one cell are probably lines above the table."""
    widths = Counter(len(row) for row in rows if len(row) > 1)
    if widths:
        width, count = widths.most_common(1)[0]
        if count > 1:
            return width
    said = [row for row in rows if not _is_noise(row, 0)]
    return len(said[0] if said else rows[0])


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
    rows: Sequence[Cells], said: Sequence[int], width: int, left: int, *, trailing: bool
) -> int:
    """The index of the first row of the table: its header, or its first row after comments."""
    top = said[0]
    if width < 2:
        while is_comment(rows[top][0]) and top != said[-1]:
            top = said[said.index(top) + 1]
        return top
    above: list[int] = []
    for place in said:
        row = rows[place]
        fits = len(row) == width or _fits_but_for_the_end(row, width, trailing=trailing)
        if fits and not _is_sparse(row, width - left):
            break
        above.append(place)
    else:
        return top
    if not above:
        return top
    body = [rows[at] for at in said if at >= place]
    fitting = sum(len(row) == width for row in body)
    if fitting < 2 - trailing or fitting < 0.8 * (len(body) - trailing):
        return top
    head = rows[place][left:]
    if any(kind_of(cell) for cell in head):
        return top
    differs = _differs(head, [row[left:] for row in body[1:]])
    if not differs and any(len(rows[at]) > width and all(map(str.strip, rows[at])) for at in above):
        # A complete header above rows that are cut short.
        return top
    blank_between = place - above[-1] > 1
    if not all(cell.strip() for cell in head[:-1]) and not (differs and blank_between):
        return top
    titled = _are_titles([rows[at] for at in above], head)
    if any(len(rows[at]) == width for at in above) and not (differs or blank_between or titled):
        return top
    if not blank_between and any(width > len(rows[at]) > max(1, width // 2) for at in above):
        return top
    return place if differs or blank_between or width > 2 else top


def _are_titles(above: Sequence[Cells], head: Cells) -> bool:
    """Whether rows have several words in their first cell and nothing else, above a header."""
    return all(said_by(row) == 1 and " " in row[0].strip() for row in above) and (
        all(map(str.strip, head)) and len(set(head)) == len(head) and all(map(is_word, head))
    )


def _fits_but_for_the_end(row: Cells, width: int, *, trailing: bool) -> bool:
    return (trailing and len(row) == width - 1) or (len(row) == width + 1 and not row[-1].strip())


def _is_sparse(row: Cells, width: int) -> bool:
    """Whether a row is a line of text that is padded with empty cells."""
    if width == 2:
        return len(row) == 2 and said_by(row) == 1 and bool(row[0].strip())
    return width > 2 and said_by(row) <= max(1, width // 3)


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
    if not gaps or not any(cell.strip() for cell in top) or any(map(kind_of, sub)):
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
        (cell, kind)
        for cell, kind in zip(head, kinds_of(rest), strict=True)
        if kind and cell.strip()
    ]
    if not typed or any(kind_of(cell) != kind for cell, kind in typed):
        return False
    # A header above numbers may consist of years.
    return not all(re.fullmatch(r"\s*(?:18|19|20|21)\d\d\s*", cell) for cell, _ in typed)


def _differs(head: Cells, rest: Sequence[Cells]) -> bool:
    """Whether some column has a word above numbers or dates."""
    kinds = kinds_of([row[: len(head)] for row in rest if len(row) >= len(head)])
    return any(
        kind and head[place].strip() and not kind_of(head[place])
        for place, kind in enumerate(kinds)
    )


def _shape(body: Sequence[Cells], header: int, left: int) -> tuple[int, int, bool]:
    """How the header differs from its rows: surplus, unnamed and gaps of Dialect."""
    rows = body[1:]
    if header != 1 or not rows:
        return 0, 0, False
    head = body[0]
    width, count = Counter(map(len, rows)).most_common(1)[0]
    usual = [row for row in rows if len(row) == width]
    if width == len(head) + 1 and width > 1:
        if not any(row[-1] for row in usual):
            return 1, 0, False
        if count == len(rows) and _are_row_names(head[left:], [row[left:] for row in usual]):
            return 0, 1, False
    names = [cell for cell in head[left:] if cell.strip()]
    if width < len(head) and len(names) + left == width and count > 0.8 * len(rows):
        if all(map(str.strip, head[left:width])):
            return -1, 0, False
        return 0, 0, True
    return 0, 0, False


def _are_row_names(head: Cells, rows: Sequence[Cells]) -> bool:
    """Whether the first cells of rows name or number them, so that the header has none above."""
    if len(rows) < 2 or not all(map(str.strip, head)) or head[0].strip().lower() in NUMBERED:
        return False
    names = [row[0].strip() for row in rows]
    if len(set(names)) < len(names) or not all(names) or any(map(kind_of, head)):
        return False
    if all(map(kind_of, names)):
        first = names[0]
        return first in ("0", "1") and names == [
            str(number) for number in range(int(first), int(first) + len(names))
        ]
    return not any(map(kind_of, names))
