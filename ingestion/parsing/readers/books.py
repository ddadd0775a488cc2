"""The interface of workbooks: sheets with rows of text. Pure: no Django, no tables."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from ingestion.errors import UnreadableInput
from ingestion.parsing.dialect import Dialect

# The number of a row, from 1, and its cells without empty ones at the end.
SheetRow = tuple[int, list[str]]
# The name that means all visible sheets with the same columns. No sheet can have this name.
ALL_SHEETS = "*"
# How many rows of a sheet are searched for a non-empty cell, and for its header.
FIRST_ROWS = 100
# How many sheets are compared with the one that is read.
COMPARED_SHEETS = 100
# How many sheets are named in a note.
TOLD = 10


class Merged(NamedTuple):
    """Cells that are merged over several rows: first and last row, and first column from 0."""

    first: int
    last: int
    column: int


class Book(Protocol):
    """A workbook that is open, and the sheet that was chosen.

    ``sheet`` is its name; for ALL_SHEETS the first visible one. ``sheets`` are the names of all,
    ``hidden`` of those that can't be seen. ``merged`` are the merged cells of the rows that were
    read last, in their order, at least as far as the rows have been read; ``notes`` are sentences
    on these rows. ``share_read`` is how much of their sheet has been read, 0 to 1.
    """

    merged: list[Merged]

    @property
    def sheet(self) -> str: ...

    @property
    def sheets(self) -> list[str]: ...

    @property
    def hidden(self) -> list[str]: ...

    @property
    def notes(self) -> list[str]: ...

    @property
    def share_read(self) -> float: ...

    def rows(self, sheet: str) -> Iterator[SheetRow]:
        """The rows of a sheet; empty ones may be skipped."""
        ...

    def first_rows(self, sheet: str, last: int) -> Iterator[SheetRow]:
        """The rows of a sheet up to the number ``last``, as far as they are cheap to read."""
        ...

    def report_reads(self, on_chunk: Callable[[], None] | None) -> None:
        """Call ``on_chunk`` repeatedly also while rows are read, if that may take long."""
        ...

    def close(self) -> None: ...


def choose(
    sheets: Sequence[str],
    hidden: Sequence[str],
    asked: str,
    has_cells: Callable[[str], bool],
    *,
    name: str,
) -> str:
    """The name of the sheet to read: the one asked for, else the first visible one with cells.

    ``name`` is the name of the workbook. Raises UnreadableInput.
    """
    if asked and asked != ALL_SHEETS:
        if asked not in sheets:
            raise UnreadableInput(
                name,
                f"it has no sheet {asked!r}. Its sheets are: {', '.join(map(repr, sheets[:100]))}.",
            )
        return asked
    unseen = set(hidden)
    for sheet in sheets:
        if sheet not in unseen and has_cells(sheet):
            return sheet
    raise UnreadableInput(name, "all of its sheets are empty.")


def visible(book: Book) -> list[str]:
    """The names of the sheets that can be seen."""
    hidden = set(book.hidden)
    return [sheet for sheet in book.sheets if sheet not in hidden]


def named(sheets: Sequence[str]) -> str:
    """Names of sheets for a sentence."""
    names = ", ".join(map(repr, sheets[:TOLD]))
    return f"{names} and {len(sheets) - TOLD:,} more" if len(sheets) > TOLD else names


def header_of(book: Book, sheet: str, dialect: Dialect) -> list[list[str]]:
    """The cells of the header of a sheet, if its table begins where the dialect says."""
    rows = book.first_rows(sheet, dialect.skip + dialect.header)
    return [
        [cell.strip() for cell in cells] for line, cells in rows if line > dialect.skip and cells
    ]
