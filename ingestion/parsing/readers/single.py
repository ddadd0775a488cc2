"""Parses the text of a single row, such as a rejected one. Pure: no Django, no tables."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from ingestion.errors import RowError
from ingestion.parsing.dialect import Dialect, Format, Spaces
from ingestion.parsing.readers.json_rows import read_json_row
from ingestion.parsing.readers.row_text import malformed, ragged
from ingestion.parsing.readers.splitting import (
    MARK,
    csv_reader,
    finished,
    split_lines,
    unwrapped,
)


def read_row(
    text: str, *, dialect: Dialect, columns: Sequence[str], fill: bool = False
) -> dict[str, Any]:
    """The cells of the one row in ``text``, parsed with a dialect. Raises RowError.

    With ``fill`` a row with too few cells gets blank ones.
    """
    if dialect.format in (Format.JSON, Format.NDJSON):
        return read_json_row(text, dialect=dialect, columns=columns)
    found = rows_of(text, dialect)
    if len(found) != 1:
        what = "no row" if not found else f"{len(found)} rows"
        raise RowError("not_one_row", f"Expected one row, but found {what}.")
    cells = found[0]
    left, end = dialect.left, dialect.left + len(columns)
    width = end + max(dialect.surplus, 0)
    if len(cells) < width and (fill or 0 < dialect.fewest <= len(cells)):
        cells = [*cells, *[""] * (width - len(cells))]
    if len(cells) != width:
        raise RowError(*ragged(len(cells), width))
    if any(cells[:left]) or any(cells[end:]):
        raise RowError("cell_outside_table", "There is text outside the columns of the table.")
    return dict(zip(columns, cells[left:end], strict=True))


def split_row(text: str, *, dialect: Dialect, columns: Sequence[str]) -> dict[str, str]:
    """The cells of a row as far as they can be parsed, for a person to fix.

    A missing cell is empty; extra cells are in the last column.
    """
    try:
        cells = rows_of(text, dialect)[0][dialect.left :]
    except (RowError, IndexError):
        cells = text.rstrip("\r\n").split(dialect.delimiter)[dialect.left :]
    surplus = cells[len(columns) - 1 :]
    if len(surplus) > 1:
        while len(surplus) > 1 and not surplus[-1]:
            surplus.pop()
        cells = [*cells[: len(columns) - 1], dialect.delimiter.join(surplus)]
    return dict(zip(columns, [*cells, *[""] * len(columns)], strict=False))


def write_row(cells: Sequence[str], *, dialect: Dialect) -> str:
    """Cells as the text of a row, without a line end, that ``read_row`` can parse again."""
    padded = [*[""] * dialect.left, *cells, *[""] * max(dialect.surplus, 0)]
    if dialect.cuts:
        return _aligned(padded, dialect.cuts)
    written = _written(padded, dialect)
    return _written([written], dialect) if dialect.wrapped else written


def _written(cells: Sequence[str], dialect: Dialect) -> str:
    out = io.StringIO()
    csv.writer(
        out,
        delimiter=dialect.delimiter,
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        # In quotes, a quote is doubled, and an escape character is like any other.
        escapechar=None if dialect.quote else (dialect.escape or "\\"),
        lineterminator="\r\n",
    ).writerow(cells)
    return out.getvalue().removesuffix("\r\n")


def _aligned(cells: Sequence[str], cuts: Sequence[int]) -> str:
    """Cells at the beginnings of their columns; one that is too long moves those after it."""
    line = ""
    for cell, start in zip(cells, cuts, strict=True):
        line = line.ljust(start) + cell
    return line


def rows_of(text: str, dialect: Dialect) -> list[list[str]]:
    """The non-blank rows in a text. Raises RowError."""
    lines = [line.removeprefix(MARK) for line in io.StringIO(text, newline="")]
    if dialect.cuts or dialect.spaces == Spaces.RUNS:
        return [row for row in split_lines([line.rstrip("\r\n") for line in lines], dialect) if row]
    try:
        rows = finished([row for row in csv_reader(lines, dialect) if row], dialect)
        if dialect.wrapped:
            rows = [unwrapped(row[0], dialect) if len(row) == 1 else row for row in rows]
    except csv.Error as error:
        raise RowError(*malformed(error)) from error
    return rows
