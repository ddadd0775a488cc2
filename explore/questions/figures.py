"""The figures of a question: the SQL that they are made of, and how."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from explore.questions.fields import Field
from explore.questions.question import Measure

Figure = int | float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """One measure among the columns of a query.

    ``place`` tells its columns from those of other measures. The sum of numbers is that of the
    decimals as they are written, rounded once; of numbers with more than 12 digits before or 18
    behind the decimal point it is the compensated sum of 64-bit numbers.
    """

    measure: Measure
    field: Field | None
    place: int

    def cells(self) -> list[str]:
        """What each record gives."""
        if self.field is None:
            return []
        n, d, t = self._names()
        if not self.measure.is_of_numbers:
            return [f"{self.field.text} AS {t}"]
        cells = [f"{self.field.number} AS {n}"]
        return [*cells, f"{self.field.decimal} AS {d}"] if self._is_sum else cells

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
        total = Decimal(exact) if numbers == decimals else close
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
