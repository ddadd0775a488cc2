"""The figures of a question: the SQL that they are made of, and how."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from explore.questions.fields import Field
from explore.questions.question import Measure

Figure = int | float | None

# Numbers of less than 16 digits, of which 6 stand behind the decimal point at the most, are added
# as whole numbers of millionths: a 64-bit number that is the nearest one to such a decimal is
# written as that decimal.
SCALE, GREATEST = 1_000_000, 1_000_000_000


@dataclass(frozen=True, slots=True)
class Figures:
    """One measure among the columns of a query.

    ``place`` tells its columns from those of other measures. The sum of numbers is that of the
    decimals as they are written, rounded once; of numbers with more than 12 digits before or 18
    behind the decimal point it is the compensated sum of 64-bit numbers. ``is_scaled``: the
    decimals are read as millionths, which is quick; where that ``is_not_enough``, as they are
    written.
    """

    measure: Measure
    field: Field | None
    place: int
    is_scaled: bool = True

    def cells(self) -> list[str]:
        """What each record gives."""
        if self.field is None:
            return []
        n, d, t = self._names()
        if not self.measure.is_of_numbers:
            return [f"{self.field.text} AS {t}"]
        cells = [f"{self.field.number} AS {n}"]
        if not self._is_sum:
            return cells
        scaled = (
            f"CASE WHEN abs({n}) < {GREATEST} AND round({n} * {SCALE}) / {SCALE} = {n} "
            f"THEN CAST(round({n} * {SCALE}) AS BIGINT) END"
        )
        return [*cells, f"{scaled if self.is_scaled else self.field.decimal} AS {d}"]

    def aggregates(self) -> list[str]:
        """What is made of the records of each group."""
        if self.field is None:
            return []
        n, d, t = self._names()
        match self.measure.function:
            case "count":
                return [f"count({t}) FILTER (WHERE {t} <> '')"]
            case "distinct":
                return [f"count(DISTINCT {t}) FILTER (WHERE {t} <> '')"]
            case "sum" | "share" | "mean":
                exact = f"sum({d}) FILTER (WHERE {n} IS NOT NULL)"
                return [f"count({n})", f"count({d}) FILTER (WHERE {n} IS NOT NULL)", exact,
                        f"fsum({n})"]  # fmt: skip
            case "median":
                return [f"quantile_cont({n}, 0.5)"]
            case "p95":
                return [f"quantile_cont({n}, 0.95)"]
            case function:
                return [f"{function}({n})"]

    def rank(self) -> str:
        """What groups are ordered by to find the top ones."""
        n, _, _ = self._names()
        if self.field is None:
            return "count(*)"
        match self.measure.function:
            case "sum" | "share":
                return f"fsum({n})"
            case "mean":
                return f"fsum({n}) / count({n})"
            case _:
                return self.aggregates()[0]

    def is_not_enough(self, found: Sequence[Any]) -> bool:
        """Whether decimals that are no millionths are among the aggregates of a group."""
        return self.field is not None and self._is_sum and self.is_scaled and found[0] != found[1]

    def as_written(self) -> "Figures":
        """The same figures, of decimals as they are written."""
        return replace(self, is_scaled=False)

    def figure(self, records: int, found: Sequence[Any]) -> Figure:
        """The figure of a group, of its number of records and its aggregates; None without any.

        That of "share" is yet to be divided by that of all.
        """
        if self.field is None:
            return records
        if not self._is_sum:
            return _finite(found[0])
        numbers, decimals, exact, close = found
        if not numbers:
            return None
        if numbers == decimals:
            total = Decimal(exact) / SCALE if self.is_scaled else Decimal(exact)
        else:
            total = close
        if self.measure.function == "mean":
            total = total / numbers
        return _finite(float(total))

    @property
    def _is_sum(self) -> bool:
        return self.measure.function in ("sum", "share", "mean")

    def _names(self) -> tuple[str, str, str]:
        return f"n{self.place}", f"d{self.place}", f"t{self.place}"


def _finite(figure: Figure) -> Figure:
    return figure if figure is None or math.isfinite(figure) else None
