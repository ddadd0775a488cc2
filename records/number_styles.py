"""Tells how the numbers of a column are written, from all of its cells. Pure: no Django, no tables.

Cells are counted by their shape: the cell with each digit replaced by 0. A column of numbers has
few shapes however many cells it has, so memory stays flat, and what has to be decided is decided
once for each shape.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from records.number_decision import EITHER, Decision, Doubt, Shape, reads
from records.number_parts import currencies, parts_of
from records.number_text import PLAIN, Style, plain_numbers

# A column with more shapes, or longer ones, is none of numbers; what exceeds this is put together.
MOST_SHAPES = 5_000
LONGEST_SHAPE = 60
OTHER = "?"
# After so many filled cells a column with fewer numbers than this is one of texts.
ENOUGH, FEWEST = 2_000, 0.1
# In so many chunks it is looked whether cells begin with zeros.
CHUNKS = 5
# How many unreadable cells are kept as examples, and how much of each.
EXAMPLES, CHARACTERS = 5, 60
# Digits of other scripts.
OTHER_DIGIT = "\uff10"

# A single 0 before a sign and three digits: the sign is a decimal one.
_ZERO_LED = re.compile(r"^[^0-9\n]*0([.,])[0-9]{3}(?![0-9.,])", re.MULTILINE)
_CODE = re.compile(r"^\s*0[0-9]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Numbers:
    """How the numbers of a column are written.

    ``unread`` counts the filled cells that the style does not read; ``examples`` are the first of
    these with their lines. ``doubt``: nothing in the column tells its style. ``notes`` say what
    was decided though the cells would allow another reading. ``is_money``: with a currency symbol
    or always two decimals. ``is_code``: some begin with zeros, as postal codes do.
    """

    style: Style = PLAIN
    filled: int = 0
    unread: int = 0
    examples: tuple[tuple[int, str], ...] = ()
    doubt: Doubt | None = None
    notes: tuple[str, ...] = ()
    is_money: bool = False
    is_whole: bool = False
    is_code: bool = False

    @property
    def read(self) -> int:
        return self.filled - self.unread


class NumberColumn:
    """Sees the cells of a column, chunk by chunk.

    With ``always`` a column is followed to its end even if it looks like one of texts.
    """

    def __init__(self, *, always: bool = False) -> None:
        self._always = always
        self._shapes: dict[str, Shape] = {}
        self._is_text = False
        # Plain numbers with a decimal point that were seen at once, without their shapes.
        self._plain = 0
        self._has_point = False
        self._zero_led: set[str] = set()
        self._is_code = False
        self._chunks = self._rows = 0

    @property
    def is_open(self) -> bool:
        """Whether further cells may change what is found."""
        return not self._is_text

    def add(self, cells: Sequence[str], lines: Sequence[int] = ()) -> None:
        """The next cells and their lines; without lines they are counted from 1."""
        if self._is_text or not cells:
            return
        lines = lines or range(self._rows + 1, self._rows + 1 + len(cells))
        self._rows += len(cells)
        if self._has_point and plain_numbers(cells) is not None:
            self._plain += len(cells)
            return
        text = "\n".join(cells)
        shapes = text.translate(_to_shapes).split("\n")
        if len(shapes) != len(cells):
            shapes = [cell.translate(_to_shapes) for cell in cells]
        counts = Counter(shapes)
        if not counts.keys() <= self._shapes.keys():
            self._add_shapes(counts, shapes, cells, lines)
        for shape, count in counts.items():
            self._shapes[shape if shape in self._shapes else OTHER].count += count
        self._look_for_zeros(text, counts)
        if not self._always:
            self._check_whether_text()

    def _add_shapes(
        self,
        counts: Counter[str],
        shapes: Sequence[str],
        cells: Sequence[str],
        lines: Sequence[int],
    ) -> None:
        places = dict(zip(reversed(shapes), reversed(range(len(shapes))), strict=True))
        for shape in counts:
            if shape in self._shapes:
                continue
            is_kept = len(shape) <= LONGEST_SHAPE and len(self._shapes) < MOST_SHAPES
            name = shape if is_kept else OTHER
            if name not in self._shapes:
                place = places[shape]
                parts = parts_of(shape) if is_kept else None
                self._shapes[name] = Shape(lines[place], cells[place][:CHARACTERS], parts)
            elif not is_kept:
                continue
            if parts := self._shapes[name].parts:
                digits = parts.digits
                self._has_point |= "." in digits and _is_point(digits)

    def _look_for_zeros(self, text: str, counts: Counter[str]) -> None:
        if len(self._zero_led) < 2 and any(map(EITHER.search, counts)):
            self._zero_led.update(_ZERO_LED.findall(text))
        self._chunks += 1
        if not self._is_code and self._chunks <= CHUNKS:
            self._is_code = _CODE.search(text) is not None

    def _check_whether_text(self) -> None:
        filled = sum(shape.count for name, shape in self._shapes.items() if name.strip())
        if filled < ENOUGH or self._plain:
            return
        numbers = sum(shape.count for shape in self._shapes.values() if shape.parts)
        if numbers < filled * FEWEST:
            self._is_text = True
            self._shapes.clear()

    def found(
        self,
        *,
        known: Style | None = None,
        is_sure: bool = True,
        widens: bool = True,
        decimal: str = "",
    ) -> Numbers:
        """How the numbers are written.

        ``known`` is the style that a person chose or that earlier inputs had: it stays, and takes
        on what else the cells have; unless it ``is_sure``, only what they leave no doubt about, and
        nothing unless it ``widens``. ``decimal`` is the decimal sign of other columns of the input,
        which settles what the cells leave open.
        """
        shapes = {name: shape for name, shape in self._shapes.items() if name.strip()}
        decision = Decision(shapes, self._plain, frozenset(self._zero_led))
        if known is not None and not widens:
            style, doubt, notes = known, None, list[str]()
        else:
            style, doubt, notes = decision.style(known, decimal, is_sure=is_sure)
        unread = [shape for name, shape in shapes.items() if not reads(style, name)]
        unread.sort(key=lambda shape: shape.line)
        cores = [s.parts.digits for n, s in shapes.items() if s.parts and reads(style, n)]
        return Numbers(
            style=style,
            filled=self._plain + sum(shape.count for shape in shapes.values()),
            unread=sum(shape.count for shape in unread) + self._plain * (style.decimal != "."),
            examples=tuple((s.line, s.cell) for s in unread[:EXAMPLES]),
            doubt=doubt,
            notes=tuple(notes),
            is_money=any(map(currencies, style.currency)) or _have_cents(cores, style.decimal),
            is_whole=bool(cores)
            and not self._plain
            and not any(style.decimal in core for core in cores),
            is_code=self._is_code,
        )


def _is_point(digits: str) -> bool:
    """Whether a point among digits is a decimal one beyond doubt."""
    return "," not in digits and digits.count(".") == 1 and not EITHER.fullmatch(digits)


def _have_cents(cores: Sequence[str], decimal: str) -> bool:
    with_decimals = [core for core in cores if decimal in core]
    return bool(with_decimals) and all(
        re.search(rf"{re.escape(decimal)}[0-9]{{1,2}}$", core) for core in with_decimals
    )


class _Shapes(dict[int, str | int]):
    """For ``str.translate``: one character for all digits, another for those of other scripts."""

    def __missing__(self, code: int) -> str | int:
        return OTHER_DIGIT if chr(code).isdecimal() else code


_to_shapes = _Shapes({code: "0" if chr(code).isdecimal() else code for code in range(128)})
