"""Reads many dates at once, if their numbers stand in the same places. Pure: no Django, no tables.

The cells of a column are one array of bytes. Those that look like one example, such as
15.01.2024 10:22, are cut into columns of digits; nothing is done cell by cell.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingestion.parsing.timestamps.calendar_dates import Dates, Flags, Numbers, Places, day_of
from records.dates import names
from records.dates.formats import ISO, UNITS, UNIX

Bytes = NDArray[np.uint8]

# The digits of each field: at least and at most.
WIDTHS = {
    "Y": (4, 4), "y": (2, 2), "m": (1, 2), "d": (1, 2), "j": (3, 3), "H": (1, 2), "I": (1, 2),
    "M": (2, 2), "S": (2, 2), "f": (1, 30),
}  # fmt: skip
_TOKEN = re.compile(r"%(.)|(.)", re.DOTALL)
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
    r"(?:([T ])[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(?:([.,])[0-9]{1,30})?)?(.+)?)?",
    re.DOTALL,
)
_OFFSET = re.compile(r"(\s?)(?:(Z|UTC|GMT)|([+-])([0-9]{2})(:?)([0-9]{2})?)", re.DOTALL)
_HALF = re.compile(r"([AaPp])[Mm]")
_WORD = re.compile(r"[A-Za-z]{3,15}")
# The directives for names: of months, and of weekdays, which only have to be some.
NAMES = {"b": "month", "B": "month", "h": "month", "a": "weekday", "A": "weekday"}
# A column has no more different names than this.
MOST_NAMES = 64
LAST_SECOND = 253_402_300_799
SINCE_1970 = frozenset({UNIX, *UNITS})


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the fields of a date stand in a text of a certain length.

    ``signs`` are what is no digit: the place, and the bytes that may stand there. ``fields`` are
    where each number begins and ends, ``words`` where the names of months and weekdays do. ``half``
    is the place of the A or P of AM and PM, ``sign`` that of the sign of an offset. ``is_local``:
    the texts say no offset. A number of Unix time has so many ``unit``s a second.
    """

    width: int
    signs: tuple[tuple[int, bytes], ...]
    fields: dict[str, tuple[int, int]]
    half: int | None = None
    sign: int | None = None
    is_local: bool = True
    unit: int = 1
    words: dict[str, tuple[int, int]] = field(default_factory=dict)


class Cells:
    """The cells of a column as bytes."""

    def __init__(self, texts: Sequence[str]) -> None:
        # A character that is no ASCII is in no layout.
        self.bytes = np.frombuffer("\n".join([*texts, ""]).encode("ascii", "replace"), np.uint8)
        lengths = np.fromiter(map(len, texts), np.int32, len(texts))
        self.lengths = lengths
        self.starts = np.cumsum(lengths + 1) - lengths - 1

    def read(self, layout: Layout, among: Flags) -> Dates | None:
        """The dates of the cells ``among`` that look like the layout and are in the calendar."""
        fitting = among & (self.lengths == layout.width)
        if fitting.all():
            places = np.arange(len(self.lengths))
            rows = self.bytes.reshape(-1, layout.width + 1)
        else:
            places = np.flatnonzero(fitting)
            if not len(places):
                return None
            rows = self.bytes[self.starts[places, None] + np.arange(layout.width)]
        columns = np.ascontiguousarray(rows.T)
        good = _looks_like(columns, layout)
        if not good.all():
            places, columns = places[good], columns[:, good]
        return _dates(places, columns, layout) if len(places) else None


# The longest numbers of Unix time that 64 bits hold.
_EPOCH = re.compile(r"[0-9]{1,18}|1[0-9]{18}")


@lru_cache(maxsize=1024)
def layout_of(pattern: str, text: str) -> Layout | None:
    """Where the fields of a text in a format are; None if they can't be found by their places."""
    if pattern in SINCE_1970:
        if not _EPOCH.fullmatch(text):
            return None
        unit = UNITS.get(pattern) or (1_000 if 12 <= len(text) <= 14 else 1)
        return Layout(len(text), (), {"epoch": (0, len(text))}, is_local=False, unit=unit)
    if pattern == ISO:
        found = _ISO.fullmatch(text)
        if found is None:
            return None
        gap, second, comma, offset = found.groups()
        seconds = ("" if second is None else ":%S") + (f"{comma}%f" if comma else "")
        pattern = "%Y-%m-%d" + (f"{gap}%H:%M{seconds}" if gap else "") + ("%z" if offset else "")
    return _Builder(text).build(pattern)


class _Builder:
    """Walks through a text along a pattern."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._signs: list[tuple[int, bytes]] = []
        self._fields: dict[str, tuple[int, int]] = {}
        self._half: int | None = None
        self._sign: int | None = None
        self._is_local = True
        self._words: dict[str, tuple[int, int]] = {}

    def build(self, pattern: str) -> Layout | None:
        tokens = _TOKEN.findall(pattern)
        for place, (directive, literal) in enumerate(tokens):
            beside = [one for one, _ in tokens[max(place - 1, 0) : place + 2]]
            is_joined = sum(name in WIDTHS for name in beside) > 1
            if not (self._literal(literal) if literal else self._field(directive, is_joined)):
                return None
        if self._at != len(self._text):
            return None
        return Layout(
            len(self._text), tuple(self._signs), self._fields, self._half, self._sign,
            self._is_local, words=self._words,
        )  # fmt: skip

    def _literal(self, literal: str) -> bool:
        if (
            literal.isdigit()
            or not literal.isascii()
            or not self._text.startswith(literal, self._at)
        ):
            return False
        self._signs.append((self._at, literal.encode()))
        self._at += 1
        return True

    def _field(self, name: str, is_joined: bool) -> bool:
        if name == "z":
            return self._offset()
        if name in NAMES:
            return self._word(NAMES[name])
        if name == "p":
            found = _HALF.match(self._text, self._at)
            if found is None:
                return False
            self._half = self._at
            self._signs += [(self._at, b"AaPp"), (self._at + 1, b"Mm")]
            self._at = found.end()
            return True
        if name not in WIDTHS or name in self._fields:
            return False
        least, most = WIDTHS[name]
        end = self._at
        while end < len(self._text) and end - self._at < most and self._text[end] in "0123456789":
            end += 1
        if end - self._at < (most if is_joined and name != "f" else least):
            return False
        self._fields[name] = (self._at, end)
        self._at = end
        return True

    def _word(self, kind: str) -> bool:
        found = _WORD.match(self._text, self._at)
        if found is None or kind in self._words:
            return False
        self._words[kind] = found.span()
        self._at = found.end()
        return True

    def _offset(self) -> bool:
        found = _OFFSET.match(self._text, self._at)
        if found is None:
            return False
        self._is_local = False
        for place in range(self._at, found.end()):
            if not self._text[place].isdigit():
                self._signs.append((place, self._text[place].encode("ascii", "replace")))
        if found[3]:
            self._sign = found.start(3)
            self._signs[self._signs.index((self._sign, found[3].encode()))] = (self._sign, b"+-")
            self._fields["hours"] = found.span(4)
            if found[6]:
                self._fields["minutes"] = found.span(6)
        self._at = found.end()
        return True


def _looks_like(columns: Bytes, layout: Layout) -> Flags:
    good = np.ones(columns.shape[1], bool)
    others = {place for place, _ in layout.signs}
    for start, end in layout.words.values():
        others.update(range(start, end))
    for place, allowed in layout.signs:
        matching = columns[place] == allowed[0]
        for other in allowed[1:]:
            matching |= columns[place] == other
        good &= matching
    for place in range(layout.width):
        if place not in others:
            good &= (columns[place] - 48) <= 9
    return good


def _dates(places: Places, columns: Bytes, layout: Layout) -> Dates | None:
    zero = np.zeros(len(places), np.int16)
    if "epoch" in layout.fields:
        return _since_1970(places, _number(columns, 0, layout.width, np.int64), layout.unit, zero)
    numbers = {name: _number(columns, *ends) for name, ends in layout.fields.items() if name != "f"}
    for kind, ends in layout.words.items():
        if (numbers_of := _named(columns, *ends, kind)) is None:
            return None
        numbers["m" if kind == "month" else kind] = numbers_of
    year, month, day, good = day_of(numbers, zero)
    good &= numbers.get("weekday", zero) >= 0
    hour, minute, second = (numbers.get(name, zero) for name in "HMS")
    if "I" in numbers and layout.half is not None:
        good &= (numbers["I"] >= 1) & (numbers["I"] <= 12)
        is_late = (columns[layout.half] | 32) == ord("p")
        hour = numbers["I"] % 12 + np.where(is_late, np.int16(12), np.int16(0))
    elif "I" in numbers or layout.half is not None:
        return None
    good &= (hour < 24) & (minute < 60) & (second < 60)
    microsecond = None
    if "f" in layout.fields:
        start, end = layout.fields["f"]
        end = min(end, start + 6)
        microsecond = _number(columns, start, end, np.int32) * 10 ** (6 - end + start)
    found = Dates(places, year, month, day, hour, minute, second, microsecond)
    if layout.sign is not None:
        minutes = numbers["hours"].astype(np.int64) * 60 + numbers.get("minutes", zero)
        good &= (minutes <= 15 * 60) & (numbers.get("minutes", zero) < 60)
        offset = np.where(columns[layout.sign] == ord("-"), -60, 60) * minutes
        if not good.all():
            found, offset, good = found.taken(good), offset[good], good[good]
        found = found.moved(found.seconds - offset)
        good = (found.year >= 1) & (found.year <= 9999)
    return found.taken(good)


def _named(columns: Bytes, start: int, end: int, kind: str) -> Numbers | None:
    """The numbers of months, 0 for a word that is none; of weekdays only -1 for what is none."""
    words = np.ascontiguousarray(columns[start:end].T).view(f"S{end - start}").ravel()
    different, places = np.unique(words, return_inverse=True)
    if len(different) > MOST_NAMES:
        return None
    texts = [word.decode("ascii") for word in different.tolist()]
    if kind == "month":
        found = [names.month_number(text) or 0 for text in texts]
    else:
        found = [0 if names.is_weekday(text) else -1 for text in texts]
    return np.array(found, np.int16)[places]


def _since_1970(places: Places, number: Numbers, unit: int, zero: Numbers) -> Dates:
    seconds, rest = np.divmod(number, unit)
    microsecond = None if unit == 1 else rest * 1_000_000 // unit
    # Seconds beyond the year 9999 are no dates, and would not fit below.
    good = seconds <= LAST_SECOND
    start = Dates(places, zero + 1970, zero + 1, zero + 1, zero, zero, zero, microsecond)
    return start.taken(good).moved(seconds[good])


def _number(columns: Bytes, start: int, end: int, kind: Any = np.int16) -> Numbers:
    number = columns[start].astype(kind) - 48
    for place in range(start + 1, end):
        number = number * 10 + (columns[place] - 48)
    return number
