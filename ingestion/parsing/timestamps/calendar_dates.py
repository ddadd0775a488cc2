"""Dates as columns of numbers, and the calendar. Pure: no Django, no tables."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.integer[Any]]
Places = NDArray[np.intp]
Flags = NDArray[np.bool_]

_DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int16)
_BEFORE = np.cumsum(_DAYS).astype(np.int64) - _DAYS
WHOLE_SECONDS = len("2024-01-15 10:22:11")


@dataclass(frozen=True, slots=True)
class Dates:
    """Dates in columns, and the places of the cells that they are from."""

    places: Places
    year: Numbers
    month: Numbers
    day: Numbers
    hour: Numbers
    minute: Numbers
    second: Numbers
    microsecond: Numbers | None

    @property
    def seconds(self) -> NDArray[np.int64]:
        """The seconds since 1970, whatever the zone is."""
        year, month = self.year.astype(np.int64), self.month
        before = year - 1
        days = before * 365 + before // 4 - before // 100 + before // 400 - 719_163
        days += _BEFORE[month - 1] + self.day + (_is_leap(year) & (month > 2))
        of_day = self.hour.astype(np.int64) * 3_600 + self.minute.astype(np.int64) * 60
        return days * 86_400 + of_day + self.second.astype(np.int64)

    def taken(self, good: Flags) -> "Dates":
        """Those of the dates that are flagged."""
        if good.all():
            return self
        fraction = None if self.microsecond is None else self.microsecond[good]
        return Dates(
            self.places[good], self.year[good], self.month[good], self.day[good],
            self.hour[good], self.minute[good], self.second[good], fraction,
        )  # fmt: skip

    def moved(self, seconds: NDArray[np.int64]) -> "Dates":
        """The dates as other seconds since 1970 give them, with the same microseconds."""
        days, rest = np.divmod(seconds, 86_400)
        year, month, day = _calendar(days)
        rest = rest.astype(np.int32)
        hour, rest = np.divmod(rest, 3_600)
        minute, second = np.divmod(rest, 60)
        return Dates(self.places, year, month, day, hour, minute, second, self.microsecond)


def day_of(numbers: dict[str, Numbers], zero: Numbers) -> tuple[Numbers, Numbers, Numbers, Flags]:
    """Year, month and day, and whether they are in the calendar."""
    if "Y" in numbers:
        year = numbers["Y"]
    else:
        year = numbers["y"] + np.where(numbers["y"] >= 69, np.int16(1900), np.int16(2000))
    leap = _is_leap(year)
    if "j" in numbers:
        of_year = numbers["j"]
        good = (year >= 1) & (of_year >= 1) & (of_year <= 365 + leap)
        starts = _BEFORE[None, :] + (leap[:, None] & (np.arange(12) >= 2))
        month = (starts < of_year[:, None]).sum(axis=1)
        day = of_year - starts[np.arange(len(month)), np.maximum(month, 1) - 1]
        return year, month, day, good
    month, day = numbers.get("m", zero + 1), numbers.get("d", zero + 1)
    good = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1)
    most = _DAYS[np.where(good, month, 1) - 1]
    return year, month, day, good & ((day <= most) | (leap & (month == 2) & (day == 29)))


def _is_leap(year: Numbers) -> Flags:
    return (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))


def written(dates: Dates) -> list[str]:
    """Moments in UTC as databases take them; see records.rows.Row."""
    microsecond = dates.microsecond
    if microsecond is None or not (fractions := microsecond != 0).any():
        return _written(dates, None)
    long = _written(dates, microsecond)
    if fractions.all():
        return long
    return [
        text if is_long else text[:WHOLE_SECONDS]
        for text, is_long in zip(long, fractions.tolist(), strict=True)
    ]


def _written(dates: Dates, microsecond: Numbers | None) -> list[str]:
    pattern = b"0000-00-00 00:00:00\n" if microsecond is None else b"0000-00-00 00:00:00.000000\n"
    out = np.empty((len(pattern), len(dates.places)), np.uint8)
    out[:] = np.frombuffer(pattern, np.uint8)[:, None]
    century = dates.year // 100
    numbers = [
        (0, century), (2, dates.year - century * 100), (5, dates.month), (8, dates.day),
        (11, dates.hour), (14, dates.minute), (17, dates.second),
    ]  # fmt: skip
    if microsecond is not None:
        numbers += [
            (20, microsecond // 10_000), (22, microsecond // 100 % 100), (24, microsecond % 100),
        ]  # fmt: skip
    for place, number in numbers:
        small = number.astype(np.uint8)
        tens = small // 10
        out[place] += tens
        out[place + 1] += small - tens * 10
    return out.T.tobytes().decode("ascii").split("\n")[:-1]


def _calendar(days: NDArray[np.int64]) -> tuple[Numbers, Numbers, Numbers]:
    """Year, month and day of days since 1970."""
    # Counted from 1 March of the year 0, so that a leap day is the last day of its year.
    days = (days + 719_468).astype(np.int32)
    era = days // 146_097
    of_era = days - era * 146_097
    year_of_era = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * of_year + 2) // 153
    day = of_year - (153 * shifted + 2) // 5 + 1
    month = np.where(shifted < 10, shifted + 3, shifted - 9)
    return year_of_era + era * 400 + (month <= 2), month, day
