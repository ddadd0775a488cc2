"""Reads the dates of a column as moments in UTC, chunk by chunk. Pure: no Django, no tables."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ingestion.parsing.timestamps.calendar_dates import Dates, Flags, written
from ingestion.parsing.timestamps.layouts import Cells, Layout, layout_of
from ingestion.parsing.timestamps.local_times import Count, Order, ZoneTable, in_utc, offsets_of
from records.dates.formats import LONGEST, OR, read_moment
from records.dates.zones import zone_of

# So many layouts of a column are read in columns; cells of others one by one.
MOST_LAYOUTS = 24
# The offsets of so many zones are remembered.
MOST_TABLES = 100
# So many different texts that name no zone are remembered.
MOST_ZONES = 20
# Fewer cells than this are faster one by one.
FEW_CELLS = 12
# Days that often stand for an unknown date.
PLACEHOLDERS = frozenset({(1, 1, 1), (1753, 1, 1), (1900, 1, 1), (2999, 12, 31), (9999, 12, 31)})
_OLDEST_USUAL, _NEWEST_USUAL = 1900, 2999

_DIGIT = re.compile("[0-9]")
_LETTER = re.compile("[A-Za-z]")


class Moment(NamedTuple):
    """The timestamp of a cell; ``later`` is the second one of a local time that exists twice."""

    time: str | None
    later: str | None = None
    never: bool = False
    placeholder: str = ""


UNREAD = Moment(None)


class Moments:
    """Turns the cells of a column into timestamps as in records.rows.Row.

    ``pattern`` is a format of records.dates, ``zone`` where a time without an offset is local.
    ``never`` counts local times that never were, ``placeholders`` days such as 0001-01-01, and
    ``unknown_zones`` texts that name no zone or more than one.
    """

    def __init__(self, pattern: str, zone: tzinfo = UTC) -> None:
        self._parts = pattern.split(OR)
        self._home = zone
        self._read = read_moment(pattern)
        self._layouts: dict[str, Layout | None] = {}
        self._has_names = any(name in pattern for name in ("%b", "%B", "%h", "%a", "%A"))
        self._tables: dict[str, ZoneTable] = {}
        self.order = Order()
        self.never = Count()
        self.placeholders: Counter[str] = Counter()
        self.unknown_zones: Counter[str] = Counter()
        # Dates repeat from row to row.
        self._moment = lru_cache(maxsize=1 << 14)(self._one)

    def __call__(
        self, texts: Sequence[str], lines: Sequence[int], zones: Sequence[str] | None = None
    ) -> list[str | None]:
        """The timestamps of consecutive cells; ``zones`` are their zones, as text."""
        later: dict[int, str] = {}
        if zones is None or not any(map(str.strip, zones)):
            times = self._chunk(texts, lines, self._home, later)
        else:
            times = self._by_zone(texts, lines, zones, later)
        if str(self._home) != "UTC" or zones is not None:
            self.order.settle(times, later, lines)
        return times

    def _by_zone(
        self,
        texts: Sequence[str],
        lines: Sequence[int],
        zones: Sequence[str],
        later: dict[int, str],
    ) -> list[str | None]:
        places: dict[str, list[int]] = {}
        for place, name in enumerate(zones):
            places.setdefault(name, []).append(place)
        times: list[str | None] = [None] * len(texts)
        for name, group in places.items():
            zone = zone_of(name, self._home) if name.strip() else self._home
            if zone is None:
                if len(self.unknown_zones) < MOST_ZONES or name in self.unknown_zones:
                    self.unknown_zones[name] += len(group)
                continue
            doubled: dict[int, str] = {}
            found = self._chunk(
                [texts[place] for place in group], [lines[place] for place in group], zone, doubled
            )
            for place, time in zip(group, found, strict=True):
                times[place] = time
            later.update((group[place], time) for place, time in doubled.items())
        return times

    def _chunk(
        self, texts: Sequence[str], lines: Sequence[int], zone: tzinfo, later: dict[int, str]
    ) -> list[str | None]:
        times: list[str | None] = [None] * len(texts)
        rest: Sequence[int] = range(len(texts))
        if len(texts) >= FEW_CELLS:
            unread = np.ones(len(texts), bool)
            times = self._in_columns(Cells(texts), unread, texts, lines, zone, later, times)
            if not unread.any():
                return times
            rest = np.flatnonzero(unread).tolist()
        for place in rest:
            text = texts[place]
            # Texts that are too long for a date are not remembered.
            if not text or len(text) > 2 * LONGEST:
                text = text.strip()[: LONGEST + 1]
            moment = self._moment(text, zone)
            times[place] = moment.time
            if moment.later is not None:
                later[place] = moment.later
            if moment.never:
                self.never.add(lines[place])
            if moment.placeholder:
                self.placeholders[moment.placeholder] += 1
        return times

    def _in_columns(
        self,
        cells: Cells,
        unread: Flags,
        texts: Sequence[str],
        lines: Sequence[int],
        zone: tzinfo,
        later: dict[int, str],
        times: list[str | None],
    ) -> list[str | None]:
        """Read the cells that have a layout; those are no longer ``unread``."""
        untried = unread.copy()
        known = [layout for layout in self._layouts.values() if layout is not None]
        for _ in range(MOST_LAYOUTS):
            if not untried.any():
                break
            layout = known.pop(0) if known else self._next_layout(texts, untried)
            dates = None if layout is None else cells.read(layout, unread)
            if layout is None or dates is None:
                continue
            self._count_placeholders(dates)
            if layout.is_local and str(zone) != "UTC":
                dates = self._from_local(dates, lines, zone, later)
            unread[dates.places] = untried[dates.places] = False
            found = written(dates)
            if len(found) == len(times):
                return list(found)
            for place, time in zip(dates.places.tolist(), found, strict=True):
                times[place] = time
        return times

    def _next_layout(self, texts: Sequence[str], untried: Flags) -> Layout | None:
        """The layout of the first cell that was not looked at; None if it has none of its own."""
        place = int(untried.argmax())
        untried[place] = False
        text = texts[place]
        look = _DIGIT.sub("0", text[: LONGEST + 1])
        if self._has_names:
            look = _LETTER.sub("a", look)
        if look in self._layouts or not text.strip() or len(text) > LONGEST:
            return None
        if len(self._layouts) < MOST_LAYOUTS:
            self._layouts[look] = self._layout(text)
            return self._layouts[look]
        return None

    def _layout(self, text: str) -> Layout | None:
        """The layout in the first of the formats that reads the text."""
        for part in self._parts:
            layout = layout_of(part, text)
            if layout is not None or read_moment(part)(text, self._home) is not None:
                return layout
        return None

    def _from_local(
        self, dates: Dates, lines: Sequence[int], zone: tzinfo, later: dict[int, str]
    ) -> Dates:
        seconds = dates.seconds
        first, second = self._table(zone).offsets(seconds)
        moved = dates.moved(seconds - first)
        for place in np.flatnonzero(first != second).tolist():
            if first[place] < second[place]:
                self.never.add(lines[dates.places[place]])
            else:
                one = dates.taken(np.arange(len(seconds)) == place)
                (time,) = written(one.moved(one.seconds - second[place]))
                later[int(dates.places[place])] = time
        return moved.taken((moved.year >= 1) & (moved.year <= 9999))

    def _table(self, zone: tzinfo) -> ZoneTable:
        if len(self._tables) >= MOST_TABLES:
            self._tables.clear()
        return self._tables.setdefault(str(zone), ZoneTable(zone))

    def _count_placeholders(self, dates: Dates) -> None:
        odd = (dates.year <= _OLDEST_USUAL) | (dates.year >= _NEWEST_USUAL)
        if odd.any():
            some = dates.taken(odd)
            for day in zip(some.year.tolist(), some.month.tolist(), some.day.tolist(), strict=True):
                if day in PLACEHOLDERS:
                    self.placeholders[_said(day)] += 1

    def _one(self, text: str, zone: tzinfo) -> Moment:
        moment = self._read(text, zone)
        if moment is None:
            return UNREAD
        time, later, never = _text(in_utc(moment, zone)), None, False
        if moment.tzinfo is None and str(zone) != "UTC":
            first, second = offsets_of(moment, zone)
            never = first < second
            if first > second:
                later = _text(in_utc(moment.replace(fold=1), zone))
        day = (moment.year, moment.month, moment.day)
        return Moment(time, later, never, _said(day) if day in PLACEHOLDERS else "")


def _said(day: tuple[int, int, int]) -> str:
    return "{:04}-{:02}-{:02}".format(*day)


def _text(moment: datetime) -> str:
    return moment.isoformat(" ").removesuffix("+00:00")
