"""Local times in UTC, also those that exist twice or never. Pure: no Django, no tables.

When clocks are set back, an hour of local times exists twice. Rows in the order of time tell them
apart: where the times of that hour jump back once, the second ones begin.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo

import numpy as np
from numpy.typing import NDArray

Seconds = NDArray[np.int64]
# The offsets of a local time: as the first of two times, and as the second.
Offsets = tuple[int, int]

DAY = 86_400
_START = datetime(1970, 1, 1)  # noqa: DTZ001 (a local time)
# How many rows back the order of the rows is looked for.
LOOKED_BACK = 100
# A zone's days that are remembered.
MOST_DAYS = 1 << 16


def in_utc(moment: datetime, zone: tzinfo) -> datetime:
    """A moment in UTC; a naive one is local to the zone.

    The first hours of the year 1 and the last of 9999 have no other name in UTC, so they keep the
    one they have.
    """
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        return moment.replace(tzinfo=UTC)


def offsets_of(moment: datetime, zone: tzinfo) -> Offsets:
    """The offsets of a naive moment in seconds: they differ if it exists twice or never."""
    first = moment.replace(tzinfo=zone, fold=0).utcoffset() or timedelta()
    second = moment.replace(tzinfo=zone, fold=1).utcoffset() or timedelta()
    return int(first.total_seconds()), int(second.total_seconds())


class ZoneTable:
    """The offsets of a zone, for many local times at once."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        # Per day since 1970: its offset, or None if that changes on this day.
        self._days: dict[int, int | None] = {}

    def offsets(self, seconds: Seconds) -> tuple[Seconds, Seconds]:
        """The first and the second offset of local times, given in seconds since 1970."""
        if len(self._days) > MOST_DAYS:
            self._days.clear()
        days, places = np.unique(seconds // DAY, return_inverse=True)
        known = [self._of_day(day) for day in days.tolist()]
        first = np.array([0 if one is None else one for one in known], np.int64)[places]
        second = first.copy()
        changing = np.array([one is None for one in known])[places]
        for place in np.flatnonzero(changing).tolist():
            first[place], second[place] = self._offsets(int(seconds[place]))
        return first, second

    def _of_day(self, day: int) -> int | None:
        if day not in self._days:
            ends = {*self._offsets(day * DAY), *self._offsets(day * DAY + DAY)}
            self._days[day] = ends.pop() if len(ends) == 1 else None
        return self._days[day]

    def _offsets(self, seconds: int) -> Offsets:
        try:
            return offsets_of(_START + timedelta(seconds=seconds), self._zone)
        except OverflowError:
            return 0, 0


@dataclass(slots=True)
class Count:
    """How many rows have something, and the line of the first of them."""

    rows: int = 0
    first: int | None = None

    def add(self, line: int, rows: int = 1) -> None:
        self.rows += rows
        self.first = line if self.first is None else min(self.first, line)


@dataclass(slots=True)
class Order:
    """The order of the rows of an input, as far as it tells times apart that exist twice.

    ``untold`` counts the rows whose order does not tell.
    """

    untold: Count = field(default_factory=Count)
    # Whether times rise (1) or fall (-1) before the hour that exists twice, and never repeat.
    _direction: int = 0
    _has_risen: bool = False
    _is_strict: bool = True
    _last: str | None = None
    # The hour that is being read: the last time in it, the one of two that is meant, how often
    # the times jumped, and the rows.
    _in_hour: str | None = None
    _second: bool = False
    _jumps: int = 0
    _open: Count = field(default_factory=Count)

    def settle(self, times: list[str | None], later: dict[int, str], lines: Sequence[int]) -> None:
        """Replace the first by the second time where the order says so.

        ``later`` has the second time for the places in ``times`` of those that exist twice.
        """
        if len(times) == 1:
            # A row by itself, such as a fixed one, has no order.
            self.untold.add(lines[0], len(later))
            return
        if not later and not self._open.rows:
            times = times[-LOOKED_BACK:]
        for place, time in enumerate(times):
            if time is None:
                continue
            if place in later:
                if self._is_second(time):
                    times[place] = later[place]
                self._open.add(lines[place])
                continue
            self.close()
            if self._last is not None and time != self._last:
                self._direction = 1 if time > self._last else -1
                self._has_risen |= time > self._last
            elif self._last is not None:
                self._is_strict = False
            self._last = time

    def close(self) -> None:
        """End an hour that exists twice: only one jump in it tells its times apart."""
        if self._open.rows and self._jumps != 1 and self._open.first is not None:
            self.untold.add(self._open.first, self._open.rows)
        if self._open.rows:
            self._in_hour, self._jumps, self._open = None, 0, Count()

    def _is_second(self, time: str) -> bool:
        if self._in_hour is None:
            self._second = self._direction < 0 and not self._has_risen
        else:
            rises = (time > self._in_hour) - (time < self._in_hour)
            expected = self._direction or 1
            if rises == -expected or (rises == 0 and self._is_strict):
                self._jumps += 1
                if self._jumps == 1:
                    self._second = not self._second
        self._in_hour = time
        return self._second
