"""Reads dates by their format. Pure: no Django, no tables.

A format is ``iso``, ``unix`` (seconds, or milliseconds where a number has 12 to 14 digits),
``unix_ms``, ``unix_us``, ``unix_ns``, ``excel`` (days since 1900), a pattern with the directives of
strptime, or several of these with "|" between them: the first that reads a text is used.

Of the directives, %b and %B read the month names of all large languages, %p their words for AM and
PM, %f any number of digits, and %z offsets, abbreviations and regions.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

from records.dates import names
from records.dates.zones import WRITTEN, zone_of

ISO, UNIX, EXCEL = "iso", "unix", "excel"
UNIX_MS, UNIX_US, UNIX_NS = "unix_ms", "unix_us", "unix_ns"
# Units of Unix time, each in seconds.
UNITS = {UNIX_MS: 1_000, UNIX_US: 1_000_000, UNIX_NS: 1_000_000_000}
NAMED = (ISO, UNIX, *UNITS, EXCEL)
OR = "|"
# Longer texts are not dates.
LONGEST = 100

Reader = Callable[[str, tzinfo], datetime | None]

_DIGITS = re.compile(r"[0-9]+(?:\.[0-9]{1,9})?")
_ISO = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"(?:(?:[Tt_]|\s{1,3})([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,30}))?)?"
    rf"(?:\s?({WRITTEN}))?(?:\[[\w/+-]{{1,40}}\])?)?"
)
_ISO_START = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Excel counts a 29 February 1900 that never was, so days before March 1900 are not certain.
_EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 (a local day)
_EXCEL_LEAST, _EXCEL_MOST = 61, 2_958_466

# The regular expression of each directive; those in the second place stand directly before or
# behind other digits.
_DIRECTIVES = {
    "Y": ("(?P<Y>[0-9]{4})",) * 2,
    "y": ("(?P<y>[0-9]{2})",) * 2,
    "m": ("(?P<m>[0-9]{1,2})", "(?P<m>[0-9]{2})"),
    "d": ("(?P<d>[0-9]{1,2})(?:st|nd|rd|th|er|º)?", "(?P<d>[0-9]{2})"),
    "H": ("(?P<H>[0-9]{1,2})", "(?P<H>[0-9]{2})"),
    "I": ("(?P<I>[0-9]{1,2})", "(?P<I>[0-9]{2})"),
    "M": ("(?P<M>[0-9]{1,2})", "(?P<M>[0-9]{2})"),
    "S": ("(?P<S>[0-9]{1,2})", "(?P<S>[0-9]{2})"),
    "j": ("(?P<j>[0-9]{1,3})", "(?P<j>[0-9]{3})"),
    "f": ("(?P<f>[0-9]{1,30})",) * 2,
    "G": ("(?P<G>[0-9]{4})",) * 2,
    "V": ("(?P<V>[0-9]{1,2})", "(?P<V>[0-9]{2})"),
    "u": ("(?P<u>[1-7])",) * 2,
    "b": (r"(?P<b>[^\W\d_]{1,15})\.?",) * 2,
    "a": (r"(?P<a>[^\W\d_]{1,15})\.?",) * 2,
    "p": (r"\s?(?P<p>[^\W\d_]{1,15}\.?(?:\s?[^\W\d_]{1,2}\.)?)",) * 2,
    "z": (rf"\s?(?P<z>{WRITTEN})(?:\s\([^()]{{1,60}}\))?",) * 2,
}
_DIRECTIVES |= {"B": _DIRECTIVES["b"], "h": _DIRECTIVES["b"], "A": _DIRECTIVES["a"]}
_DIRECTIVES |= {"Z": _DIRECTIVES["z"]}
_NUMERIC = frozenset("YymdHIMSjfGVu")
_TOKEN = re.compile(r"%(.)|(\s+)|([^%\s])", re.DOTALL)


def read_moment(pattern: str) -> Reader:
    """A function from a text and the zone of local times to a moment.

    The moment is aware if the text says its offset; else it is naive, and local.
    """
    readers = tuple(map(_reader, pattern.split(OR)))

    def read(text: str, zone: tzinfo) -> datetime | None:
        text = text.strip()
        if len(text) > LONGEST:
            return None
        for reader in readers:
            try:
                moment = reader(text, zone)
            except (ValueError, OverflowError):
                continue
            if moment is not None:
                return moment
        return None

    return read


def reads_years(pattern: str) -> bool:
    """Whether texts in the pattern give back their year: a time of day alone is no date."""
    return all(_gives_back(part, lambda moment: moment.year) for part in pattern.split(OR))


def reads_months(pattern: str) -> bool:
    """Whether texts in the pattern give back their year and month."""
    return all(
        _gives_back(part, lambda moment: (moment.year, moment.month)) for part in pattern.split(OR)
    )


@lru_cache(maxsize=512)
def _reader(pattern: str) -> Reader:
    if pattern == ISO:
        return _from_iso
    if pattern == UNIX or pattern in UNITS:
        return lambda text, zone: _from_unix(text, pattern)
    if pattern == EXCEL:
        return lambda text, zone: _from_excel(text)
    try:
        expression = _expression(pattern)
    except (KeyError, re.error):
        # A directive that is seldom used, such as %c; one that is given twice is refused below.
        return lambda text, zone: _by_strptime(text, pattern)
    return lambda text, zone: _from_fields(expression.fullmatch(text), zone)


def _expression(pattern: str) -> re.Pattern[str]:
    """The pattern as a regular expression. Raises KeyError for an unknown directive."""
    tokens = list(_TOKEN.finditer(pattern))
    if "".join(token[0] for token in tokens) != pattern:
        raise KeyError(pattern)
    parts = []
    for place, token in enumerate(tokens):
        directive, space, _ = token.groups()
        if directive == "%" or directive is None:
            parts.append(r"\s{1,10}" if space else re.escape("%" if directive else token[0]))
            continue
        beside = tokens[max(place - 1, 0) : place + 2]
        is_joined = sum(one[1] in _NUMERIC for one in beside if one[1]) > 1
        parts.append(_DIRECTIVES[directive][is_joined])
    return re.compile("".join(parts), re.IGNORECASE)


def _from_fields(found: re.Match[str] | None, zone: tzinfo) -> datetime | None:
    if found is None:
        return None
    fields = found.groupdict()
    day = _day(fields)
    if day is None:
        return None
    hour = fields.get("H") or fields.get("I") or "0"
    half = fields.get("p")
    shift = 0
    if half is not None:
        afternoon = names.half_number(half)
        if afternoon is None or not 1 <= int(hour) <= 12:
            return None
        shift = 12 * afternoon - (12 if int(hour) == 12 else 0)
    if (name := fields.get("a")) is not None and not names.is_weekday(name):
        return None
    return _moment(
        day,
        int(hour) + shift,
        fields.get("M"),
        fields.get("S"),
        fields.get("f"),
        fields.get("z"),
        zone,
    )


def _day(fields: dict[str, str | None]) -> datetime | None:
    """The day that the fields of a pattern give."""
    if (week_year := fields.get("G")) is not None:
        week, weekday = int(fields.get("V") or 1), int(fields.get("u") or 1)
        return datetime.fromisocalendar(int(week_year), week, weekday)
    year = fields.get("Y")
    if year is None and (short := fields.get("y")) is not None:
        # As strptime does it: 69 to 99 are of the last century.
        year = str(int(short) + (1900 if int(short) >= 69 else 2000))
    if year is None:
        return None
    if (day_of_year := fields.get("j")) is not None:
        first = datetime(int(year), 1, 1)  # noqa: DTZ001 (a local day)
        found = first + timedelta(days=int(day_of_year) - 1)
        return found if found.year == first.year else None
    name = fields.get("b")
    month = int(fields.get("m") or 1) if name is None else names.month_number(name)
    if month is None:
        return None
    return datetime(int(year), month, int(fields.get("d") or 1))  # noqa: DTZ001 (a local day)


def _from_iso(text: str, zone: tzinfo) -> datetime | None:
    found = _ISO.fullmatch(text)
    if found is None:
        # What else the standard allows: hours only, times without colons.
        return datetime.fromisoformat(text) if _ISO_START.match(text) else None
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    start = datetime(int(year), int(month), int(day))  # noqa: DTZ001 (a local day)
    if hour is None:
        return start
    return _moment(start, int(hour), minute, second, fraction, offset, zone)


def _moment(
    day: datetime,
    hour: int,
    minute: str | None,
    second: str | None,
    fraction: str | None,
    offset: str | None,
    zone: tzinfo,
) -> datetime | None:
    microsecond = int(fraction[:6].ljust(6, "0")) if fraction else 0
    time = (int(minute or 0), int(second or 0), microsecond)
    if hour == 24 and time == (0, 0, 0):
        moment = day + timedelta(days=1)
    else:
        moment = day.replace(hour=hour, minute=time[0], second=time[1], microsecond=time[2])
    if offset is None:
        return moment
    said = zone_of(offset, zone)
    return None if said is None else moment.replace(tzinfo=said)


def _from_unix(text: str, unit: str) -> datetime | None:
    if not _DIGITS.fullmatch(text):
        return None
    whole, _, fraction = text.partition(".")
    if len(whole) > 20:
        return None
    per_second = UNITS.get(unit) or (1_000 if 12 <= len(whole) <= 14 else 1)
    number = int(whole)
    microseconds = number * 1_000_000 // per_second
    if fraction:
        microseconds += int(fraction.ljust(9, "0")) // (1_000 * per_second)
    return _EPOCH + timedelta(microseconds=microseconds)


def _from_excel(text: str) -> datetime | None:
    if len(text) > 25 or not re.fullmatch(r"[0-9]{1,7}(?:\.[0-9]+)?", text):
        return None
    days = float(text)
    if not _EXCEL_LEAST <= days < _EXCEL_MOST:
        return None
    # A day has fewer seconds than the number can tell apart; Excel shows no finer time.
    return _EXCEL_EPOCH + timedelta(seconds=round(days * 86_400))


def _by_strptime(text: str, pattern: str) -> datetime | None:
    try:
        return datetime.strptime(text, pattern)  # noqa: DTZ007 (a local time, or with an offset)
    except re.error:
        # A directive that is given twice.
        return None


def _gives_back(pattern: str, part: Callable[[datetime], object]) -> bool:
    if pattern in NAMED:
        return True
    for sample in (datetime(2025, 12, 31, 13, tzinfo=UTC), datetime(1987, 1, 23, 13, tzinfo=UTC)):
        try:
            moment = _reader(pattern)(sample.strftime(pattern), UTC)
        except (ValueError, OverflowError):
            return False
        if moment is None or part(moment) != part(sample):
            return False
    return True
