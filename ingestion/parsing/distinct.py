"""Whether the cells of a column repeat, for inputs of any length. Pure: no Django, no tables.

Cells are compared by hashes of 64 bits. The probability that any two of 10 million different cells
have the same hash is one to 400,000.
"""

import tempfile
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.int64]

# So many hashes are kept in memory (1 MB). More of them go to a temporary file, in sorted runs.
RUN = 1 << 17
HASH_BYTES = 8
# Where the 256 parts begin in which runs are compared with each other; the first one is open.
BOUNDS = np.arange(-127, 128, dtype=np.int64) << 56
# A column that is looked at until its first repetition is looked at after so many cells at first.
FIRST_LOOK = 500


class KeyCells:
    """Counts the cells that are blank, and those that repeat an earlier one, in flat memory.

    With ``gives_up`` the first repetition ends the count, as do blank cells in more than the share
    ``most_blank`` of the first rows: further cells then cost nothing. Several columns are one key:
    their cells are given as one text.
    """

    def __init__(self, *, gives_up: bool = False, most_blank: float = 1.0) -> None:
        self._gives_up, self._most_blank = gives_up, most_blank
        self.filled = self.blank = 0
        # Whether further cells are looked at.
        self.is_open = True
        self._hashes: list[Hashes] = []
        self._held = 0
        self._next_look = FIRST_LOOK
        self._runs: _Runs | None = None

    def add(self, cells: Sequence[str]) -> None:
        """Add the cells of further rows."""
        if not self.is_open:
            return
        if not all(map(str.strip, cells)):
            filled = [cell for cell in cells if cell.strip()]
            self.blank += len(cells) - len(filled)
            cells = filled
        self.filled += len(cells)
        self._hashes.append(np.fromiter(map(hash, cells), dtype=np.int64, count=len(cells)))
        self._held += len(cells)
        if self._gives_up and self._held >= self._next_look:
            self._look()
        if self._held >= RUN:
            self._spill()

    def _look(self) -> None:
        """Give up if the cells that are held repeat; with more of them, look less often."""
        self._next_look = min(self._held * 2, RUN)
        is_blank = self.blank > (self.filled + self.blank) * self._most_blank
        if is_blank or _distinct(self._sorted()) < self._held:
            self.close()

    def _sorted(self) -> Hashes:
        """The hashes that are held, as one array."""
        hashes = np.concatenate(self._hashes) if self._hashes else np.empty(0, dtype=np.int64)
        hashes.sort()
        self._hashes = [hashes]
        return hashes

    def _spill(self) -> None:
        if self._runs is None:
            self._runs = _Runs()
        self._runs.write(self._sorted())
        self._hashes, self._held, self._next_look = [], 0, RUN

    def repeats(self) -> int:
        """How many filled cells repeat an earlier one. Raises ValueError once it has given up."""
        if not self.is_open:
            raise ValueError("the cells were not all looked at")
        if self._runs is None:
            return self.filled - _distinct(self._sorted())
        if self._held:
            self._spill()
        return self.filled - self._runs.distinct()

    @property
    def never_repeats(self) -> bool:
        """Whether no filled cell repeats an earlier one."""
        return self.is_open and not self.repeats()

    def close(self) -> None:
        """Look at no further cells, and free memory and disk."""
        self.is_open = False
        self._hashes.clear()
        if self._runs is not None:
            self._runs.close()


class _Runs:
    """Sorted arrays of hashes in a temporary file."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (closed by ``close``)
        # For each array where its parts begin, and its end, counted in hashes.
        self._places: list[npt.NDArray[np.int64]] = []
        self._length = 0

    def write(self, hashes: Hashes) -> None:
        inner = np.searchsorted(hashes, BOUNDS)
        self._places.append(np.concatenate(([0], inner, [len(hashes)])) + self._length)
        self._length += len(hashes)
        self._file.seek(0, 2)
        self._file.write(hashes.tobytes())

    def distinct(self) -> int:
        """How many different hashes they have together."""
        return sum(map(_distinct, map(self._part, range(len(BOUNDS) + 1))))

    def _part(self, part: int) -> Hashes:
        slices = []
        for places in self._places:
            start, end = int(places[part]), int(places[part + 1])
            self._file.seek(start * HASH_BYTES)
            slices.append(np.frombuffer(self._file.read((end - start) * HASH_BYTES), np.int64))
        hashes = np.concatenate(slices)
        hashes.sort()
        return hashes

    def close(self) -> None:
        self._file.close()


def _distinct(hashes: Hashes) -> int:
    """How many different hashes a sorted array has."""
    return int(np.count_nonzero(hashes[1:] != hashes[:-1])) + 1 if len(hashes) else 0
