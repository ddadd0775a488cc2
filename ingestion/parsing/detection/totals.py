"""Tells rows of totals by their words and their sums. Pure: no Django."""

import math
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress

import re2

# The words for a total, in the large languages.
WORDS = (
    "total", "totals", "subtotal", "subtotals", "sub-total", "sum", "sums", "summe", "summen",
    "gesamt", "gesamtsumme", "gesamtergebnis", "zwischensumme", "teilsumme", "endsumme",
    "insgesamt", "summa", "somme", "sous-total", "totale", "totali", "subtotale", "suma", "sumas",
    "totales",
    "totais", "subtotais", "total geral", "soma", "totaal", "subtotaal", "eindtotaal", "razem",
    "ogółem", "łącznie", "celkem", "celkom", "mezisoučet", "součet", "összesen", "összeg", "toplam",
    "ara toplam", "genel toplam", "yhteensä", "i alt", "sammenlagt", "delsumma", "ukupno", "итого",
    "итог", "всего", "сумма", "разом", "усього", "общо", "σύνολο", "μερικό σύνολο", "jumlah",
    "tổng cộng", "tổng", "סה\"כ", "المجموع", "الإجمالي", "कुल",
)  # fmt: skip
# These need no blank around them.
SIGNS = ("合计", "合計", "总计", "總計", "小计", "小計", "总和", "合计", "합계", "총계", "소계")
# A cell that is no label: longer ones are texts.
LABEL_CHARACTERS = 60

_WORD = "|".join(re.escape(word).replace("\\ ", " +") for word in sorted(WORDS, key=len)[::-1])
_SIGN = "|".join(SIGNS)
LABEL = re.compile(
    rf"(?:^|[\s(*:,/-])(?:{_WORD})(?=$|[\s):.,*/-])|{_SIGN}|^\s*\*+\s*$", re.IGNORECASE
)
# A label that says nothing else.
ALONE = re.compile(
    rf"[\s*(]*(?:(?:grand|overall|final) +)?(?:{_WORD}|{_SIGN})"
    r"(?: +(?:général|general|generale|geral))?[\s:.)*]*|\s*\*+\s*",
    re.IGNORECASE,
)
# To see quickly that a text has none.
_options = re2.Options()
_options.case_sensitive = False
_QUICK = re2.compile("|".join([*(re2.escape(word) for word in (*WORDS, *SIGNS)), r"\*"]), _options)

# Most numbers, whichever sign is the decimal one.
_SIMPLE = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII).fullmatch
# How many of the other cells of a chunk are read once.
_REMEMBERED = 1_000

# Sums of rounded numbers differ a little.
CLOSE = 0.006


def labels(cells: Collection[str]) -> set[str]:
    """The cells that are called a total."""
    if not _QUICK.search("\n".join(cells).encode(errors="replace")):
        return set()
    return {cell for cell in cells if len(cell) <= LABEL_CHARACTERS and LABEL.search(cell)}


def is_alone(cell: str) -> bool:
    """Whether a cell says that it is a total, and nothing else."""
    return ALONE.fullmatch(cell) is not None


def amount(text: str, decimal: str) -> float:
    """A number that is written with this decimal sign; NaN if it can't be read."""
    if decimal == "." or "." not in text:
        # Most numbers are read like this.
        with suppress(ValueError):
            return float(text)
    kept = "".join(sign for sign in text if sign.isdigit() or sign in ".,-\u2212()")
    negative = "-" in kept or "\u2212" in kept or "(" in kept
    thousands = "," if decimal == "." else "."
    kept = kept.strip("-\u2212()").replace(thousands, "").replace(decimal, ".")
    try:
        return -float(kept) if negative else float(kept)
    except ValueError:
        return math.nan


def amounts(cells: Iterable[str]) -> Iterator[tuple[float, float]]:
    """The numbers in cells that have one, as written with "." and with "," as the decimal sign."""
    other: dict[str, tuple[float, float]] = {}
    for cell in cells:
        if _SIMPLE(cell):
            yield float(cell), float(cell.replace(".", ""))
        elif cell in other:
            yield other[cell]
        else:
            found = amount(cell, "."), amount(cell, ",")
            if len(other) < _REMEMBERED:
                other[cell] = found
            yield found


class Sums:
    """The sums of columns: of the rows since the last total, of all rows, and of the totals.

    They are kept for both decimal signs, as a column may have either.
    """

    SIGNS = (".", ",")

    def __init__(self, columns: Sequence[int]) -> None:
        self.columns = columns
        size = len(columns) * len(self.SIGNS)
        self._block, self._all = [0.0] * size, [0.0] * size
        self.rows = 0

    def add(self, rows: Sequence[Sequence[str]]) -> None:
        """Add rows of data."""
        self.rows += len(rows)
        place = 0
        for column in self.columns:
            pairs = list(amounts([row[column] for row in rows]))
            for sign in range(len(self.SIGNS)):
                total = math.fsum(pair[sign] for pair in pairs if pair[sign] == pair[sign])
                self._block[place] += total
                self._all[place] += total
                place += 1

    def end_block(self) -> None:
        """A total ends a block of rows."""
        self._block = [0.0] * len(self._block)
        self.rows = 0

    def matching(self, row: Sequence[str]) -> int:
        """How many cells of a row are the sum of their column; 0 if some other cell is none."""
        found = 0
        for at, column in enumerate(self.columns):
            if not row[column].strip():
                continue
            fits = False
            for shift, sign in enumerate(self.SIGNS):
                number = amount(row[column], sign)
                place = at * len(self.SIGNS) + shift
                fits = fits or any(
                    abs(number - total) <= CLOSE + 1e-9 * abs(total)
                    for total in (self._block[place], self._all[place])
                )
            found += fits
        return found
