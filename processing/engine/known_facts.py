"""Facts that rules ask for. Pure: no Django, no tables.

Those about a whole source are gathered in one pass over its rows.
The pass carries out the steps that come before the one that asks, so that values are measured and
compared as that step finds them. It sees all rows of the source in the order of their ids, so what
it finds does not depend on how they come in batches. Facts that are gathered once and handed to
everybody who works on a run give every record the same outcome, whoever processes it.
"""

import base64
import hashlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from processing.engine.pipeline import carry_out
from processing.rules import KINDS, Batch, Step, in_force, is_missing, read_number
from processing.rules.anomaly import category_of
from processing.rules.facts import Matched, Middle, Reference, Table
from processing.rules.size import BatchTooLarge
from records.json_text import json_text

# Of so many categories the middle is known, the first ones in the order of ids; values of others
# are not judged. A column with more is none of categories, and would fill the memory.
MOST_CATEGORIES = 10_000
# What makes deviations comparable with the standard deviation of values that are spread evenly.
OF_SOURCE = frozenset({"middles", "repeats"})
MAD_SCALE, MEAN_SCALE = 1.4826, 1.2533

Digests = npt.NDArray[np.uint64]
NONE: Digests = np.empty(0, dtype=np.uint64)


class Repeats(NamedTuple):
    """The digests of cells that several records have, in their order, and for each that of the
    smallest id among these records."""

    cells: Digests
    first: Digests


class Values(NamedTuple):
    """The values of a column: each has the number of its category in ``categories``."""

    categories: dict[str, int]
    codes: "array[int]"
    values: "array[float]"

    def middles(self) -> dict[str, Middle]:
        return dict(zip(self.categories, middles_of(self.codes, self.values), strict=True))


class KnownFacts:
    """Answers that were gathered before. They can be kept as JSON and read again."""

    def __init__(
        self,
        middles: Mapping[tuple[str, str], Mapping[str, Middle]],
        repeats: Mapping[tuple[str, ...], Repeats],
        tables: Mapping[Reference, Table] | None = None,
    ) -> None:
        self._middles = middles
        self._repeats = repeats
        self._tables = tables or {}

    def middle(self, column: str, by: str, category: str) -> Middle | None:
        return self._middles.get((column, by), {}).get(category)

    def is_repeated(
        self, columns: Sequence[str], cells: Sequence[object], record_id: str, *, first: bool
    ) -> bool:
        known = self._repeats.get(tuple(columns))
        if known is None:
            return False
        digest = _digest_of_cells(cells)
        place = int(known.cells.searchsorted(np.uint64(digest)))
        if place == len(known.cells) or known.cells[place] != digest:
            return False
        return not first or int(known.first[place]) != _digest(record_id)

    def table(self, reference: Reference) -> Table | None:
        return self._tables.get(reference)

    def as_json(self) -> dict[str, Any]:
        """The facts as plain JSON."""
        return {
            "middles": [
                [column, by, {category: list(middle) for category, middle in known.items()}]
                for (column, by), known in self._middles.items()
            ],
            "repeats": [
                [list(columns), _encoded(known.cells), _encoded(known.first)]
                for columns, known in self._repeats.items()
            ],
            "tables": [
                [list(reference), table.problem, table.matched]
                for reference, table in self._tables.items()
            ],
        }

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> "KnownFacts":
        """The facts that ``as_json`` gave."""
        return cls(
            {
                (column, by): {category: _middle(*middle) for category, middle in known.items()}
                for column, by, known in facts["middles"]
            },
            {
                tuple(columns): Repeats(_decoded(cells), _decoded(first))
                for columns, cells, first in facts["repeats"]
            },
            # Facts from before there were lookups have none.
            {
                Reference(source, key, tuple(columns)): Table(
                    {each: Matched(*found) for each, found in matched.items()}, problem
                )
                for (source, key, columns), problem, matched in facts.get("tables", ())
            },
        )


class Gatherer:
    """Sees all rows of a source, batch by batch in the order of their ids, and knows the facts.

    Memory: 12 bytes a record for each column whose median is needed, three times as much while the
    medians are computed, and 16 bytes for each set of columns that has to be unique.
    """

    def __init__(
        self, rules: Iterable[Step], tables: Mapping[Reference, Table] | None = None
    ) -> None:
        self._rules = measuring(rules)
        self._tables = tables or {}
        self._known = KnownFacts({}, {}, self._tables)
        self._values: dict[tuple[str, str], Values] = {}
        self._digests: dict[tuple[str, ...], tuple[array[int], array[int]]] = {}

    def add(self, ids: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
        try:
            values, digests = self._found(ids, rows)
        except BatchTooLarge:
            middle = len(rows) // 2
            self.add(ids[:middle], rows[:middle])
            self.add(ids[middle:], rows[middle:])
            return
        for asked, found in values.items():
            self._keep_values(asked, found)
        for names, (cells, of_ids) in digests.items():
            known = self._digests.setdefault(names, (array("Q"), array("Q")))
            known[0].extend(cells)
            known[1].extend(of_ids)

    def _found(
        self, ids: Sequence[str], rows: Sequence[Mapping[str, Any]]
    ) -> tuple[
        dict[tuple[str, str], list[tuple[str, float]]],
        dict[tuple[str, ...], tuple[list[int], list[int]]],
    ]:
        """What the steps find in some rows: values by category, and digests of cells and ids."""
        batch = Batch(rows, facts=self._known, ids=ids)
        values: dict[tuple[str, str], list[tuple[str, float]]] = {}
        digests: dict[tuple[str, ...], tuple[list[int], list[int]]] = {}
        for step in self._rules:
            kind = KINDS[step["rule"]]
            full = kind.complete(step)
            if kind.facts not in OF_SOURCE:
                carry_out(batch, step)
            elif kind.facts == "middles":
                asked = full["column"], full["by"] or ""
                if asked not in values:
                    values[asked] = _values_in(batch, *asked)
            elif (names := tuple(full["columns"])) not in digests:
                digests[names] = _digests_in(batch, names)
        return values, digests

    def _keep_values(self, asked: tuple[str, str], found: Iterable[tuple[str, float]]) -> None:
        values = self._values.setdefault(asked, Values({}, array("I"), array("d")))
        for category, value in found:
            code = values.categories.get(category)
            if code is None:
                code = len(values.categories)
                if code == MOST_CATEGORIES:
                    continue
                values.categories[category] = code
            values.codes.append(code)
            values.values.append(value)

    def facts(self) -> KnownFacts:
        """What has been found, when all rows have been seen."""
        return KnownFacts(
            {
                asked: dict(
                    zip(values.categories, middles_of(values.codes, values.values), strict=True)
                )
                for asked, values in self._values.items()
            },
            {names: repeats_of(*found) for names, found in self._digests.items()},
            self._tables,
        )


def _values_in(batch: Batch, name: str, by: str) -> list[tuple[str, float]]:
    """The numbers in a column that are no repairs, each with its category."""
    categories = batch.cells(by) if by else None
    values = []
    for place, cell in enumerate(batch.cells(name)):
        found = cell if type(cell) is float else read_number(cell)
        if found is None or (batch.repairs and batch.is_repaired(place, name)):
            continue
        values.append((category_of(categories[place]) if categories else "", found))
    return values


def _digests_in(batch: Batch, names: Sequence[str]) -> tuple[list[int], list[int]]:
    """The digests of the cells in some columns, where all of them say something, and of the ids."""
    digests, ids = [], []
    columns = [batch.cells(name) for name in names]
    for record_id, *cells in zip(batch.ids, *columns, strict=True):
        if not any(map(is_missing, cells)):
            digests.append(_digest_of_cells(cells))
            ids.append(_digest(record_id))
    return digests, ids


def asking(rules: Iterable[Step]) -> bool:
    """Whether a step in force asks for facts."""
    return any(KINDS[step["rule"]].facts for step in in_force(rules))


def measuring(rules: Iterable[Step]) -> list[Step]:
    """The steps in force up to the last that asks about the whole source; none if none does."""
    steps = in_force(rules)
    asks = [place for place, step in enumerate(steps) if KINDS[step["rule"]].facts in OF_SOURCE]
    return steps[: asks[-1] + 1] if asks else []


def columns_asked(rules: Iterable[Step]) -> list[str]:
    """The columns without which the facts of the whole source can't be gathered."""
    return sorted({name for step in measuring(rules) for name in KINDS[step["rule"]].columns(step)})


def middles_of(codes: Sequence[int], values: Sequence[float]) -> list[Middle]:
    """Size, median and usual deviation of the values of each category, in the order of their codes.

    ``codes`` are 0, 1, .. without a gap. The usual deviation is the median absolute deviation
    (MAD), scaled as the standard deviation of values that are spread evenly. Where more than half
    of the values are the same, their MAD is 0 and the mean deviation stands in for it. A spread
    that is too large for a number becomes 0.0: nothing is far from the median then.
    """
    # It takes half a second to load, and few rules ask for this.
    import pandas as pd

    frame = pd.DataFrame({"category": codes, "value": np.asarray(values, dtype=np.float64)})
    with np.errstate(all="ignore"):
        by_category = frame.groupby("category")["value"]
        sizes, medians = by_category.size(), by_category.median()
        frame["value"] = (frame["value"] - medians.to_numpy()[frame["category"]]).abs()
        deviations = frame.groupby("category")["value"]
        spreads = MAD_SCALE * deviations.median()
        spreads = spreads.where(spreads != 0, MEAN_SCALE * deviations.mean())
        is_finite = np.isfinite(spreads) & np.isfinite(medians)
    found = zip(sizes, medians.where(is_finite, 0.0), spreads.where(is_finite, 0.0), strict=True)
    return [Middle(int(size), float(median), float(spread)) for size, median, spread in found]


def repeats_of(cells: Sequence[int], ids: Sequence[int]) -> Repeats:
    """What several records have, from the digests of cells and ids in the order of the ids."""
    digests = np.asarray(cells, dtype=np.uint64)
    if not len(digests):
        return Repeats(NONE, NONE)
    # A stable sort: the smallest id stays the first among records that are the same.
    order = np.argsort(digests, kind="stable")
    ordered = digests[order]
    begins = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    lengths = np.diff(np.append(begins, len(ordered)))
    repeated = begins[lengths > 1]
    return Repeats(ordered[repeated], np.asarray(ids, dtype=np.uint64)[order[repeated]])


def _digest_of_cells(cells: Sequence[object]) -> int:
    return _digest(json_text(list(cells)))


def _digest(text: str) -> int:
    """64 bits of a digest: among 5 million records two share one by chance in one of a million."""
    made = hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8)
    return int.from_bytes(made.digest(), "big")


def _middle(size: int, median: float, spread: float) -> Middle:
    # A database may give 1e300 back as a whole number.
    return Middle(size, float(median), float(spread))


def _encoded(digests: Digests) -> str:
    return base64.b64encode(digests.astype("<u8").tobytes()).decode()


def _decoded(text: str) -> Digests:
    return np.frombuffer(base64.b64decode(text), dtype="<u8").astype(np.uint64)
