"""Column summaries of an input, from one pass in flat memory. Pure: no Django, no tables."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from ingestion.parsing.row_mapper import column_texts
from ingestion.parsing.time_columns import may_hold_dates
from ingestion.parsing.timestamps.moments import Moments
from ingestion.parsing.timestamps.search import FormatSearch, detect_format
from records.number_text import PLAIN, Style, reader

# Up to so many distinct cells are counted exactly; beyond that the number is estimated.
EXACT = 16_384
# How many distinct cells are candidates for the most frequent ones, and how many are shown.
CANDIDATES = 4_096
TOP = 5
# Cells are compared by their first characters, so that long ones don't fill the memory.
SHOWN_CHARACTERS = 120
# How many distinct cells are checked to see whether a column contains dates.
DATE_SAMPLE = 200
# The share of non-empty cells that must be of a type for the column to have it.
LOOKS_LIKE = 0.95

NUMBER = re.compile(r"\s*[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?\s*", re.ASCII)
WHOLE = re.compile(r"\s*\d+\s*", re.ASCII)
HASHES = 1 << 64


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """The summary of a column.

    ``distinct`` is an estimate if it is not ``exact``, and the counts in ``top`` are then lower
    bounds. ``numbers`` is the share of non-empty cells that are numbers, 0 to 1; ``least`` and
    ``greatest`` are cells of the input, compared as numbers or as dates if the column looks like
    these, else as text. ``looks_like`` is one of empty, id, date, number, category, text.
    """

    name: str
    filled: int
    empty: int
    distinct: int
    exact: bool
    numbers: float
    least: str
    greatest: str
    top: list[tuple[str, int]]
    looks_like: str


class Profile:
    """Collects the column summaries of an input, chunk by chunk.

    ``formats`` are the date formats of columns, and ``styles`` the number styles, where they are
    known.
    """

    def __init__(
        self,
        columns: Sequence[str],
        formats: Mapping[str, str] | None = None,
        styles: Mapping[str, Style] | None = None,
    ) -> None:
        formats, styles = formats or {}, styles or {}
        self._columns = {
            name: _Column(name, formats.get(name), styles.get(name)) for name in columns
        }

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        for name, column in self._columns.items():
            column.add(column_texts(rows, name))

    def columns(self) -> list[ColumnProfile]:
        return [column.profile() for column in self._columns.values()]


def _plain_number(cell: str) -> float | None:
    return float(cell) if NUMBER.fullmatch(cell) else None


class _Column:
    def __init__(self, name: str, date_format: str | None, style: Style | None) -> None:
        self._name = name
        self._read = reader(style) if style and style != PLAIN else _plain_number
        # None until the first cells have told whether there is a date format.
        self._dates = _Dates(date_format) if date_format else None
        self._filled = self._empty = self._numbers = self._whole = 0
        # The smallest hashes of all cells: their density gives the number of distinct cells.
        self._hashes = np.empty(0, dtype=np.uint64)
        self._exact = True
        self._counts: Counter[str] = Counter()
        self._sample: list[str] = []
        self._texts: tuple[str, str] | None = None
        self._values: tuple[tuple[float, str], tuple[float, str]] | None = None

    def add(self, cells: Sequence[str]) -> None:
        counts = Counter(cells)
        for cell in [cell for cell in counts if not cell.strip()]:
            self._empty += counts.pop(cell)
        if not counts:
            return
        self._filled += counts.total()
        self._add_hashes(counts)
        self._add_numbers(counts)
        self._add_texts(counts)
        self._add_dates(counts)

    def _add_hashes(self, counts: Counter[str]) -> None:
        # Python's own hashes are fast, and random enough.
        new = np.fromiter(map(hash, counts), dtype=np.int64, count=len(counts)).view(np.uint64)
        merged = np.union1d(self._hashes, new)
        self._exact = self._exact and len(merged) <= EXACT
        self._hashes = merged[:EXACT]

    def _add_numbers(self, counts: Counter[str]) -> None:
        numbers = {cell: number for cell in counts if (number := self._read(cell)) is not None}
        if not numbers:
            return
        self._numbers += sum(map(counts.__getitem__, numbers))
        self._whole += sum(counts[cell] for cell in numbers if WHOLE.fullmatch(cell))
        values = [(number, _shown(cell)) for cell, number in numbers.items()]
        known = self._values or (values[0], values[0])
        self._values = min(known[0], *values), max(known[1], *values)

    def _add_texts(self, counts: Counter[str]) -> None:
        texts: Counter[str] = Counter()
        for cell, count in counts.items():
            texts[_shown(cell)] += count
        self._counts += texts
        if len(self._counts) > CANDIDATES:
            self._counts = Counter(dict(self._counts.most_common(CANDIDATES // 2)))
        known = self._texts or (next(iter(texts)),) * 2
        self._texts = min(known[0], *texts), max(known[1], *texts)
        if len(self._sample) < DATE_SAMPLE:
            self._sample += islice(counts, DATE_SAMPLE - len(self._sample))

    def _add_dates(self, counts: Counter[str]) -> None:
        if self._dates is None:
            self._dates = _Dates(_format_of(list(islice(counts, DATE_SAMPLE))))
        self._dates.add(list(counts))

    def profile(self) -> ColumnProfile:
        looks_like = self._looks_like()
        least, greatest = self._texts or ("", "")
        if looks_like == "date":
            if self._dates is not None and self._dates.ends is not None:
                (_, least), (_, greatest) = self._dates.ends
        elif self._values and self._numbers >= self._filled * LOOKS_LIKE:
            (_, least), (_, greatest) = self._values
        return ColumnProfile(
            name=self._name,
            filled=self._filled,
            empty=self._empty,
            distinct=self._distinct(),
            exact=self._exact,
            numbers=self._numbers / self._filled if self._filled else 0.0,
            least=least,
            greatest=greatest,
            top=self._counts.most_common(TOP),
            looks_like=looks_like,
        )

    def _distinct(self) -> int:
        if self._exact:
            return len(self._hashes)
        # The k-th smallest of n evenly spread hashes lies at about k/n of their range.
        estimate = round((EXACT - 1) / (int(self._hashes[-1]) / HASHES))
        return min(estimate, self._filled)

    def _looks_like(self) -> str:
        if not self._filled:
            return "empty"
        never_repeats = self._distinct() >= self._filled * (1.0 if self._exact else 0.9)
        if self._numbers >= self._filled * LOOKS_LIKE:
            # 20250102 and 1735776000 are also numbers, and too ambiguous to count as dates.
            return "id" if never_repeats and self._whole == self._filled > 1 else "number"
        if any(map(str.isdigit, "".join(self._sample[:20]))) and detect_format(self._sample):
            return "date"
        if never_repeats and self._filled > 1 and not self._empty and not _is_prose(self._sample):
            return "id"
        return "category" if self._exact and self._distinct() * 2 <= self._filled else "text"


class _Dates:
    """The first and the last date of a column, each with its cell."""

    def __init__(self, date_format: str | None) -> None:
        self._moments = Moments(date_format) if date_format else None
        self.ends: tuple[tuple[str, str], tuple[str, str]] | None = None

    def add(self, cells: Sequence[str]) -> None:
        if self._moments is None:
            return
        times = self._moments(cells, range(len(cells)))
        dated = [(time, cell) for time, cell in zip(times, cells, strict=True) if time]
        if dated:
            first, last = min(dated), max(dated)
            first, last = (first[0], _shown(first[1])), (last[0], _shown(last[1]))
            known = self.ends or (first, last)
            self.ends = min(known[0], first), max(known[1], last)


def _format_of(cells: Sequence[str]) -> str | None:
    """The date format of cells; None if they have none, or if it is not certain."""
    if not may_hold_dates(cells):
        return None
    search = FormatSearch(cells)
    return None if search.doubt else search.best


def _shown(cell: str) -> str:
    return cell if len(cell) <= SHOWN_CHARACTERS else cell[:SHOWN_CHARACTERS] + "…"


def _is_prose(cells: Sequence[str]) -> bool:
    """Whether most cells contain spaces, unlike identifiers."""
    return sum(" " in cell.strip() for cell in cells) * 2 > len(cells)
