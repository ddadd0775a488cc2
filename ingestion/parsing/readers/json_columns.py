"""Columns of JSON rows: nested objects become columns with dots in their names. Pure."""

from collections.abc import Iterator
from typing import Any

from ingestion.errors import InputTooLarge, RowError
from ingestion.parsing.limits import MAX_COLUMNS, MAX_NESTED, MAX_NESTED_COLUMNS
from ingestion.parsing.readers.header import check_columns_fit, is_text

Path = tuple[str, ...]


def flat(row: dict[str, Any], depth: int) -> dict[str, Any]:
    """The row with the members of nested objects as cells of their own, ``depth`` levels down.

    Lists and empty objects stay cells. Raises RowError if two cells get the same name.
    """
    # Types are compared in C, and most rows have nothing nested.
    if not depth or dict not in map(type, row.values()):
        return row
    cells: dict[str, Any] = {}
    for path, cell in _cells(row, depth):
        name = ".".join(path)
        if name in cells:
            raise RowError("repeated_name", f"The row has two cells that are named {name!r}.", name)
        cells[name] = cell
    return cells


def leaves(row: dict[str, Any]) -> Iterator[Any]:
    """The cells of a row, if all nested objects that may become columns do."""
    return (cell for _, cell in _cells(row, MAX_NESTED))


def _cells(row: dict[str, Any], depth: int, above: Path = ()) -> Iterator[tuple[Path, Any]]:
    for name, cell in row.items():
        if depth and cell and isinstance(cell, dict):
            yield from _cells(cell, depth - 1, (*above, name))
        else:
            yield (*above, name), cell


class ColumnNames:
    """The names of the columns in the rows of an input, in order of appearance.

    ``nested`` is how many levels of nested objects are columns of their own: fewer than ``deepest``
    if there would be too many columns, or two of the same name; ``notes`` then say so.
    """

    _NOTE = (
        "Some nested objects are one cell each: as columns of their own, there would be more than "
        f"{MAX_NESTED_COLUMNS:,} columns, or two of the same name."
    )

    def __init__(self, deepest: int = MAX_NESTED) -> None:
        self._deepest = deepest
        self._paths: dict[Path, None] = {}
        self._latest: list[str] = []
        self.notes: list[str] = []

    def add(self, row: Any) -> None:
        """Add the names of a row; a value that is not an object has none."""
        if not isinstance(row, dict):
            return
        if self._deepest and dict in map(type, row.values()):
            self._update([path for path, _ in _cells(row, self._deepest)])
            while self._deepest and len(self._paths) > MAX_NESTED_COLUMNS and self.nested:
                self._shorten()
        # Most rows have the names of the row before.
        elif (found := list(row)) != self._latest:
            self._latest = found
            self._update([(name,) for name in found])

    def _update(self, paths: list[Path]) -> None:
        if len(self._paths) <= MAX_COLUMNS:
            self._paths.update(dict.fromkeys(paths))

    def _shorten(self) -> None:
        self.notes = [self._NOTE]
        self._deepest -= 1
        self._paths = dict.fromkeys(path[: self._deepest + 1] for path in self._paths)

    @property
    def nested(self) -> int:
        return max(map(len, self._paths), default=1) - 1

    def columns(self, name: str) -> list[str]:
        """The names that are allowed for columns: rows with others are rejected one by one.

        Raises InputTooLarge if the input, called ``name``, has too many of them.
        """
        while self.nested and len(set(map(".".join, self._paths))) < len(self._paths):
            self._shorten()
        if len(self._paths) > MAX_COLUMNS:
            raise InputTooLarge(
                name,
                "rows with too many different names",
                MAX_COLUMNS,
                "Check the path to the rows.",
            )
        names = list(map(".".join, self._paths))
        check_columns_fit(names, name)
        return [name for name in names if "\0" not in name and is_text(name)]
