"""Time zones as files and people write them. Pure: no Django."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

# Hours before or behind UTC. An abbreviation that is common for several zones is in AMBIGUOUS.
ABBREVIATIONS = {
    "Z": 0, "UTC": 0, "GMT": 0, "UT": 0, "WET": 0, "WEST": 1, "CET": 1, "MEZ": 1, "CEST": 2,
    "MESZ": 2, "EET": 2, "EEST": 3, "MSK": 3, "SAST": 2, "PKT": 5, "WIB": 7, "HKT": 8, "SGT": 8,
    "AWST": 8, "JST": 9, "KST": 9, "ACST": 9.5, "ACDT": 10.5, "AEST": 10, "AEDT": 11, "NZST": 12,
    "NZDT": 13, "NST": -3.5, "NDT": -2.5, "ADT": -3, "BRT": -3, "ART": -3, "EST": -5, "EDT": -4,
    "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8, "HST": -10,
}  # fmt: skip
AMBIGUOUS = {
    "CST": "US Central, China or Cuba", "CDT": "US Central or Cuba",
    "IST": "India, Israel or Ireland", "BST": "United Kingdom or Bangladesh",
    "AST": "Atlantic or Arabia",
}  # fmt: skip

OFFSET = re.compile(r"(?:UTC|GMT|UT)?\s?([+\-\u2212])(\d{1,2})(?::?([0-5]\d)(?::?([0-5]\d))?)?")
# An offset, an abbreviation or a region, as a part of a pattern for a whole date.
WRITTEN = (
    r"(?:(?:UTC|GMT|UT)?\s?[+\-\u2212]\d{1,2}(?::?\d\d(?::?\d\d)?)?"
    r"|[A-Za-z]+/[A-Za-z_]+(?:/[A-Za-z_]+)?|[A-Za-z]{1,5})"
)
LONGEST = 50
# No zone is further from UTC.
MOST = timedelta(hours=15)


@cache
def names() -> frozenset[str]:
    """The names of the IANA database, such as Europe/Vienna."""
    return frozenset(available_timezones())


@lru_cache(maxsize=1024)
def zone_of(text: str, home: tzinfo = UTC) -> tzinfo | None:
    """The zone that a text names: Europe/Vienna, +01:00, PST; None if it names none.

    An abbreviation that several zones have means that of ``home`` if ``home`` has it.
    """
    text = text.strip()
    if len(text) > LONGEST:
        return None
    if (found := OFFSET.fullmatch(text)) is not None:
        return _offset(*found.groups())
    if text in AMBIGUOUS:
        return _of_home(text, home)
    if (hours := ABBREVIATIONS.get(text.upper())) is not None:
        return timezone(timedelta(hours=hours)) if hours else UTC
    return ZoneInfo(text) if text in names() else None


def home_zone(text: str) -> tzinfo | None:
    """The zone of a source, as a person sets it. CET is meant with its summer time then."""
    return ZoneInfo(text) if text in names() else zone_of(text)


def is_zone(text: str) -> bool:
    """Whether a text may be a time zone for local times."""
    return home_zone(text) is not None


def looks_like_zone(text: str) -> bool:
    """Whether a text is written like a zone, also if nobody can know which it is."""
    return text.strip() in AMBIGUOUS or is_zone(text)


def _offset(sign: str, hours: str, minutes: str | None, seconds: str | None) -> tzinfo | None:
    size = timedelta(hours=int(hours), minutes=int(minutes or 0), seconds=int(seconds or 0))
    if size > MOST:
        return None
    return timezone(size if sign == "+" else -size) if size else UTC


def _of_home(abbreviation: str, home: tzinfo) -> tzinfo | None:
    for month in (1, 7):
        moment = datetime(2024, month, 1, tzinfo=home)
        if moment.tzname() == abbreviation and (offset := moment.utcoffset()) is not None:
            return timezone(offset)
    return None
