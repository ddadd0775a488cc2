"""Decides how the numbers of a column are written, from the shapes of its cells. Pure.

A shape is a cell with each digit replaced by 0.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from records.number_parts import Parts, currencies
from records.number_text import PLAIN, Style, reader, usual_signs

# Which signs a number may have, the simplest first.
SIGNS = (
    PLAIN,
    Style(","),
    Style(".", ","),
    Style(",", "."),
    Style(".", " "),
    Style(",", " "),
    Style(".", "'"),
    Style(",", "'"),
    Style(".", ",", lakh=True),
)
# One group of three digits: thousands, or three decimals.
EITHER = re.compile(r"0{1,3}(?P<sign>[.,])000")
# Signs that read nearly as many cells as the best are in doubt as well.
CLOSE = 0.99
NO_PARTS = Parts("")
# So much of the numbers has the same word behind it if the word is a unit.
SAME_UNIT = 0.9


@dataclass(slots=True)
class Shape:
    """What is known of the cells of a shape: how many, the first of them, its parts."""

    line: int
    cell: str
    parts: Parts | None
    count: int = 0


@dataclass(frozen=True, slots=True)
class Doubt:
    """Two styles that read a whole column, and a cell that they read differently."""

    best: Style
    rival: Style
    text: str

    @property
    def readings(self) -> list[tuple[str, str]]:
        """Each of the styles as a format, with its reading of the cell."""
        return [
            (format_of(style), spelled(reader(style)(self.text)))
            for style in (self.best, self.rival)
        ]


def format_of(style: Style) -> str:
    """The signs of a style as an example of a number: 1.234,56."""
    if style.lakh:
        return f"12{style.thousands}34{style.thousands}567{style.decimal}89"
    return f"1{style.thousands}234{style.decimal}56"


FORMATS = {format_of(style): style for style in SIGNS}


def with_signs(style: Style, signs: Style) -> Style:
    """A style with the decimal and thousands signs of another."""
    return style._replace(decimal=signs.decimal, thousands=signs.thousands, lakh=signs.lakh)


def described(style: Style) -> str:
    """A style in words: as 1.234,56, with the currency €."""
    words = [f"as {format_of(style)}"]
    if style.currency:
        words.append(f"with {' or '.join(style.currency)}")
    if style.percent:
        words.append("12% as 0.12")
    if style.variants:
        words.append("negative with any minus sign or in parentheses")
    return ", ".join(words)


def spelled(number: float | None) -> str:
    """A number for people, without any sign that could be misread: 1234.5."""
    return "no number" if number is None else f"{number:.15g}"


def reads(style: Style, shape: str) -> bool:
    """Whether a style reads the cells of a shape."""
    return reader(style)(shape.replace("0", "1")) is not None


@dataclass
class Decision:
    """How the cells of ``shapes`` are written; ``plain`` more are plain numbers, some with a
    decimal point. ``zero_led`` are the signs that follow a single 0: these are decimal."""

    shapes: Mapping[str, Shape]
    plain: int
    zero_led: frozenset[str]

    @cached_property
    def _numbers(self) -> list[Shape]:
        return [shape for shape in self.shapes.values() if shape.parts]

    def style(
        self, known: Style | None, decimal: str, *, is_sure: bool
    ) -> tuple[Style, Doubt | None, list[str]]:
        """The style, the doubt that is left, and what was decided without proof."""
        if not self._numbers:
            return known or PLAIN, None, []
        beside, notes = self._beside()
        best, *others = self._best_signs()
        rival, text = self._rival(best, others)
        if known is not None:
            has_proof = is_sure or rival is None
            return self._widened(known, beside, signs=has_proof), None, []
        if rival is None:
            return self._simplest(with_signs(beside, best)), None, notes
        settled, note = self._settled(best, rival, text, decimal)
        notes += [note] if note else []
        if settled is not None:
            return self._simplest(with_signs(beside, settled)), None, notes
        first, second = (self._simplest(with_signs(beside, signs)) for signs in (best, rival))
        doubt = Doubt(first, second, text)
        return doubt.best, doubt, notes

    def _best_signs(self) -> list[Style]:
        """The signs by which most cells can be read; the simplest first."""
        digits: Counter[str] = Counter()
        for shape in self._numbers:
            digits[(shape.parts or NO_PARTS).digits] += shape.count
        fits = {
            signs: self.plain * (signs.decimal == ".")
            + sum(count for core, count in digits.items() if reads(signs, core))
            for signs in SIGNS
        }
        most = max(fits.values())
        best = next(signs for signs, fit in fits.items() if fit == most)
        # A few cells don't prove what most of the others contradict.
        close = [signs for signs, fit in fits.items() if most * CLOSE <= fit < most]
        return [
            *(signs for signs, fit in fits.items() if fit == most),
            *(signs for signs in close if self._reads_differently(best, signs) * 2 > most),
        ]

    def _reads_differently(self, one: Style, other: Style) -> int:
        """How many cells two styles read as different numbers."""
        return sum(
            shape.count
            for shape in self._numbers
            if len({_value(one, shape), _value(other, shape), None}) == 3
        )

    def _rival(self, best: Style, others: Iterable[Style]) -> tuple[Style | None, str]:
        """Other signs that read some cell differently, and the digits of the first such cell."""
        for shape in sorted(self._numbers, key=lambda shape: shape.line):
            for other in others:
                if len({_value(best, shape), _value(other, shape), None}) == 3:
                    found = re.search(r"[0-9][0-9.,' ]*", usual_signs(shape.cell))
                    return other, found[0].strip() if found else shape.cell
        return None, ""

    def _settled(
        self, best: Style, rival: Style, text: str, decimal: str
    ) -> tuple[Style | None, str]:
        """The signs that some evidence speaks for, and the sentence that tells of it."""
        sign = next(character for character in text if character in ".,")
        as_decimal, as_thousands = (
            next(one for one in (best, rival) if (one.decimal == sign) is is_decimal)
            for is_decimal in (True, False)
        )
        if sign in self.zero_led:
            return as_decimal, ""
        read = spelled(reader(as_thousands)(text)), spelled(reader(as_decimal)(text))
        if decimal:
            found = as_decimal if decimal == sign else as_thousands
            number = read[1] if found is as_decimal else read[0]
            return found, f"{text!r} is read as {number}, like the numbers of other columns."
        cores = [(shape.parts or NO_PARTS).digits for shape in self._numbers]
        lengths = {len(core) for core in cores if core.isdigit()}
        if sign == "," and lengths and max(lengths) <= 3:
            return as_thousands, (
                f"{text!r} is read as {read[0]}: no number without a comma is 1000 or more."
            )
        is_money = any(shape.parts and shape.parts.symbols for shape in self._numbers)
        if sign == "." and not lengths and not is_money:
            return as_decimal, (
                f"{text!r} is read as {read[1]}, with a decimal point. If it means {read[0]}, "
                "set the number format."
            )
        return None, ""

    def _beside(self) -> tuple[Style, list[str]]:
        """What stands beside the digits: currency symbols or a unit, percent signs, CR and DR."""
        words, units, sides = Counter[str](), Counter[str](), Counter[str]()
        total, percent = 0, 0
        for shape in self._numbers:
            parts, count = shape.parts or NO_PARTS, shape.count
            total += count
            percent += count * parts.percent
            words.update(dict.fromkeys(parts.symbols, count))
            if parts.unit:
                units[parts.unit] += count
            if parts.side:
                sides[parts.side] += count
        total += self.plain
        notes = list(_percent_notes(percent, total))
        symbols, others = _one_currency(words)
        if others:
            notes.append(
                f"Numbers with {' or '.join(others)} are not read, so that currencies are never "
                f"mixed with {symbols[0]}."
            )
        if not symbols and units:
            unit, count = units.most_common(1)[0]
            symbols = [unit] if count >= total * SAME_UNIT else []
        style = Style(percent=percent > 0, currency=tuple(sorted(symbols)), variants=True)
        if _are_sides(sides):
            notes.append("CR is read as positive, DR as negative.")
            style = style._replace(credit="plus")
        return style, notes

    def _widened(self, known: Style, beside: Style, *, signs: bool) -> Style:
        """A known style with what else the cells need, as far as that reads more of them.

        ``signs``: also a sign between thousands.
        """
        best, most = known, self._fit(known)
        wider = known._replace(
            percent=known.percent or beside.percent,
            currency=tuple(sorted({*known.currency, *beside.currency}))
            if _are_one(known.currency, beside.currency)
            else known.currency,
            variants=True,
            credit=known.credit or beside.credit,
        )
        tried = [wider]
        if signs and not known.thousands:
            same = [style for style in SIGNS if style.decimal == known.decimal]
            tried += [wider._replace(thousands=s.thousands, lakh=s.lakh) for s in same]
        for style in tried:
            if (fit := self._fit(style)) > most:
                best, most = style, fit
        return best if best is known else self._simplest(best)

    def _simplest(self, style: Style) -> Style:
        """The style without what no cell needs."""
        most = self._fit(style)
        simpler = style._replace(variants=False)
        return simpler if self._fit(simpler) == most else style

    def _fit(self, style: Style) -> int:
        """How many cells a style reads."""
        return self.plain * (style.decimal == ".") + sum(
            shape.count for name, shape in self.shapes.items() if shape.parts and reads(style, name)
        )


def _value(style: Style, shape: Shape) -> float | None:
    return reader(style)((shape.parts or NO_PARTS).digits.replace("0", "1"))


def _percent_notes(percent: int, total: int) -> Iterator[str]:
    if percent and percent < total:
        yield (
            f"{percent:,} of {total:,} numbers have a percent sign: 12% is read as 0.12, "
            "numbers without the sign as they are."
        )


def _one_currency(words: Counter[str]) -> tuple[list[str], list[str]]:
    """The symbols of the most frequent currency, and those of others."""
    symbols: list[str] = []
    others: list[str] = []
    for word, _ in words.most_common():
        (symbols if _are_one(symbols, [word]) else others).append(word)
    return symbols, others


def _are_one(known: Iterable[str], more: Iterable[str]) -> bool:
    """Whether symbols can all mean the same currency; units only if they are the same."""
    words = {*known, *more}
    codes = [currencies(word) for word in words]
    return len(words) < 2 or bool(frozenset.intersection(*codes))


def _are_sides(sides: Counter[str]) -> bool:
    """Whether words behind numbers say on which side of an account they stand: CR and DR do, one
    letter only if that of the other side is there as well."""
    if {"CR", "DR", "DB"} & sides.keys():
        return True
    return {"C", "D"} <= sides.keys() or {"H", "S"} <= sides.keys()
