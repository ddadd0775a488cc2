"""How large what rules make may become. Pure: no Django, no tables.

Steps that put cells together can double them, and thirty steps a billion times. The result of a
record does not depend on those in the same batch: a batch that becomes too large is carried out in
parts, a record that does fails.
"""

from collections.abc import Sequence

from records.rows import MAX_CELL_CHARACTERS

# All cells that rules have made of one record, with what its repairs were before.
MAX_RECORD_CHARACTERS = 1 << 24
# The same of all records of a batch: they are in memory together.
MAX_BATCH_CHARACTERS = 1 << 25

CELL_TOO_LONG = f"would have more than {MAX_CELL_CHARACTERS:,} characters"
RECORD_TOO_LONG = f"would make the record longer than {MAX_RECORD_CHARACTERS:,} characters in total"


class BatchTooLarge(Exception):
    """What rules make of several records is too large to be in memory together."""


def lengths_of(cells: Sequence[object]) -> list[int]:
    """How many characters cells have as far as rules can make them grow: as texts."""
    return [len(cell) if isinstance(cell, str) else 0 for cell in cells]


def too_long(lengths: Sequence[int]) -> list[int]:
    """The places of cells that are longer than any cell may be."""
    if max(lengths, default=0) <= MAX_CELL_CHARACTERS:
        return []
    return [place for place, length in enumerate(lengths) if length > MAX_CELL_CHARACTERS]


class Sizes:
    """How many characters the columns have that rules have made of some records.

    ``ever`` counts those as well that other cells have replaced.
    """

    def __init__(self, records: int) -> None:
        self.ever = 0
        self._records = records
        self._columns: dict[str, tuple[int, Sequence[int]]] = {}
        self._noted: dict[int, int] = {}
        self._total = 0

    def put(self, name: str, lengths: Sequence[int]) -> list[int]:
        """Count the cells of a column; the places of cells by which a record becomes too large.

        Raises BatchTooLarge.
        """
        self.drop(name)
        size = sum(lengths)
        self._columns[name] = size, lengths
        self._total += size
        self.ever += size
        if self._total <= MAX_RECORD_CHARACTERS:
            return []
        if self._total > MAX_BATCH_CHARACTERS and self._records > 1:
            raise BatchTooLarge
        return [place for place in range(len(lengths)) if self._of(place) > MAX_RECORD_CHARACTERS]

    def drop(self, name: str) -> None:
        """Forget a column."""
        self._total -= self._columns.pop(name, (0, ()))[0]

    def note(self, place: int, cell: object) -> None:
        """Count a cell that is kept beside the columns of a record."""
        (length,) = lengths_of([cell])
        self._noted[place] = self._noted.get(place, 0) + length
        self._total += length

    def _of(self, place: int) -> int:
        made = sum(lengths[place] for _, lengths in self._columns.values())
        return made + self._noted.get(place, 0)


def length_of_parts(parts: Sequence[str], separator: str) -> int:
    """How long texts become when they are joined."""
    return sum(map(len, parts)) + len(separator) * max(len(parts) - 1, 0)
