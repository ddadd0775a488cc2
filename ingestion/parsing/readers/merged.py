"""Fills cells that are merged over several rows with their value. Pure: no Django, no tables."""

from ingestion.parsing.readers.books import Book


class MergedCells:
    """Fills the rows of a sheet as they are read, below its header, which ends in line ``header``.

    Excel keeps the value of merged cells in the first of them, so the other rows lack it. Rows
    without any other cell stay blank.
    """

    def __init__(self, book: Book, header: int) -> None:
        self._book = book
        self._header = header
        self._next = 0
        # The merged cells that reach the current row: their last row, column and value.
        self._open: list[tuple[int, int, str]] = []
        self.filled = 0
        self._first = ""

    def fill(self, line: int, cells: list[str]) -> None:
        """Fill the merged cells of a row."""
        if self._open:
            self._open = [merged for merged in self._open if merged[0] >= line]
            if cells:
                for _, column, value in self._open:
                    self._set(line, cells, column, value)
        merged = self._book.merged
        while self._next < len(merged) and merged[self._next].first <= line:
            first, last, column = merged[self._next]
            self._next += 1
            if first == line and first > self._header and column < len(cells) and cells[column]:
                self._open.append((last, column, cells[column]))

    def _set(self, line: int, cells: list[str], column: int, value: str) -> None:
        if column < len(cells) and cells[column]:
            return
        cells += [""] * (column + 1 - len(cells))
        cells[column] = value
        self.filled += 1
        if not self._first:
            # Loaded where it is needed, since every reader of sheets loads this module.
            from openpyxl.utils import get_column_letter

            self._first = f"{get_column_letter(column + 1)}{line}"

    def note(self) -> str:
        """What was filled, as a sentence; "" if nothing was."""
        if not self.filled:
            return ""
        cells = "1 cell was" if self.filled == 1 else f"{self.filled:,} cells were"
        return (
            f"{cells} filled with the value of the merged cells above, as Excel shows them; the "
            f"first is {self._first}."
        )
