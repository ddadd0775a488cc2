"""The formats that a text may have, as far as one text tells. Pure: no Django, no tables."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from functools import lru_cache

from records.dates import names
from records.dates.formats import (
    EXCEL,
    ISO,
    LONGEST,
    NAMED,
    UNIX,
    UNIX_MS,
    UNIX_NS,
    UNIX_US,
    read_moment,
)
from records.dates.zones import looks_like_zone

# The dates of each kind, in the order in which they are tried: if two fit equally well, the first
# is used. %b reads full names as well as abbreviations.
WITH_SIGNS = (
    "%Y-%m-%d", "%Y/%m/%d", "%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%d/%m/%y", "%y/%m/%d",
    "%d.%m.%Y", "%d.%m.%y", "%y.%m.%d", "%m-%d-%Y", "%d-%m-%Y", "%m-%d-%y", "%d-%m-%y",
    "%y-%m-%d", "%Y.%m.%d", "%Y.%m.%d.", "%Y. %m. %d.", "%Y. %m. %d", "%d. %m. %Y", "%d.%m.%Y.",
    "%d %m %Y", "%Y %m %d", "%Y:%m:%d", "%Y年%m月%d日", "%Y년 %m월 %d일",
    "%Y-%j", "%G-W%V-%u", "%G-W%V", "%Y-%m", "%Y/%m", "%Y.%m", "%m/%Y", "%m.%Y", "%m-%Y",
    "%Y年%m月", "%Y년 %m월",
)  # fmt: skip
WITH_NAMES = (
    "%d %b %Y", "%d. %b %Y", "%d-%b-%Y", "%d-%b-%y", "%d/%b/%Y", "%d.%b.%Y", "%d %b %y",
    "%d%b%Y", "%d%b%y", "%d %b, %Y", "%d de %b de %Y", "%d de %b, %Y", "%d %b de %Y",
    "%b %d, %Y", "%b %d %Y", "%b. %d, %Y", "%Y %b %d", "%Y-%b-%d", "%Y. %b %d.", "%Y. %b %d",
    "%d %b %Y \u0433.", "%d %b %Y r.", "%b %Y", "%b-%Y", "%b-%y", "%b %y", "%b/%Y", "%b de %Y",
    "%Y-%b", "%Y %b",
    "%b %d %H:%M:%S %Y", "%b %d %H:%M:%S %z %Y", "%b %d %Y %H:%M:%S %z",
)  # fmt: skip
# Bare digits by their number; what only says a day comes before the seconds since 1970.
OF_DIGITS = {
    4: ("%Y",),
    5: (EXCEL,),
    6: ("%Y%m", "%y%m%d", "%d%m%y", "%m%d%y"),
    7: ("%Y%j",),
    8: ("%Y%m%d", "%d%m%Y", "%m%d%Y"),
    9: (UNIX,),
    10: ("%Y%m%d%H", UNIX),
    12: ("%Y%m%d%H%M", UNIX_MS),
    13: (UNIX_MS,),
    14: ("%Y%m%d%H%M%S",),
    15: (UNIX_US,),
    16: (UNIX_US,),
    17: ("%Y%m%d%H%M%S%f",),
    18: (UNIX_NS,),
    19: (UNIX_NS,),
}
BARE = frozenset(pattern for patterns in OF_DIGITS.values() for pattern in patterns)
SINCE = frozenset({UNIX, UNIX_MS, UNIX_US, UNIX_NS, EXCEL})
FORMATS = tuple(
    dict.fromkeys(
        [ISO, *WITH_SIGNS[1:], *WITH_NAMES, *(p for ps in OF_DIGITS.values() for p in ps), *NAMED]
    )
)

# Bare digits are dates only in these years; other texts in any.
FIRST_YEAR, LAST_YEAR = 1900, 2100

_BARE = re.compile(r"([0-9]{4,19})(\.[0-9]{1,17})?")
_TIME = re.compile(
    r"(?P<date>.{4,}?)(?P<gap>,?\s{1,3}(?:(?:um|at|om|a las|kl\.?|-)\s)?|[Tt_]|(?<=/[0-9]{4}):"
    r"|-(?=[0-9]{2}\.))"
    r"[0-9]{1,2}(?P<sign>[:.h])[0-9]{2}"
    r"(?P<second>(?P=sign)[0-9]{2}(?:(?P<comma>[.,])[0-9]{1,30})?)?(?![0-9])(?P<tail>.{0,60})",
    re.DOTALL,
)
_COMPACT = re.compile(
    r"(?P<date>[0-9]{8})(?P<gap>[Tt_ -])[0-9]{4}"
    r"(?P<second>[0-9]{2}(?:(?P<comma>[.,])[0-9]{1,30})?)?(?![0-9])(?P<tail>.{0,60})",
    re.DOTALL,
)
_HALF = re.compile(r"(\s?)([^\W\d_]{1,15}\.?(?:\s?[^\W\d_]{1,2}\.)?)(?=[\s+\-]|\Z)")
_CLOCK = re.compile(r"\s?(?:Uhr|uhr|hrs|h)(?=\s|\Z)")
_COMMENT = re.compile(r"\s\([^()]{1,60}\)\Z")
_WEEKDAY = re.compile(r"([^\W\d_]{2,15})\.?(,?)\s{1,3}(?=\S)")
_TIME_OF_DAY = re.compile(
    r"\s*[0-9]{1,2}[:.h][0-9]{2}(?:[:.][0-9]{2}(?:[.,][0-9]{1,9})?)?(\s?\D{1,6})?\s*"
)
_WORD = re.compile(r"[^\W\d_]{3,15}")
_DIGITS = re.compile(r"[0-9]+")
# The patterns by what stands between their digits.
_BY_SIGNS: dict[str, list[str]] = {"": ["%Y%m%d"]}
for _pattern in WITH_SIGNS:
    _BY_SIGNS.setdefault(re.sub("%[a-zA-Z]", "", _pattern), []).append(_pattern)

_RANKS = {
    name: place
    for place, name in enumerate(
        [*WITH_SIGNS, *WITH_NAMES, *(name for names_ in OF_DIGITS.values() for name in names_)]
    )
}

_reader = lru_cache(maxsize=512)(read_moment)


def patterns_of(text: str) -> Iterator[tuple[str, str]]:
    """The formats that read a text, each with the one for its date alone.

    A column has one format of dates; with that the times of day may be written in several ways.
    """
    text = text.strip()
    if not 4 <= len(text) <= LONGEST or not any(map(str.isdigit, text)):
        return
    if (bare := _BARE.fullmatch(text)) is not None:
        yield from _of_digits(text, bare)
        return
    date, time = _split(text)
    date, weekday = _without_weekday(date)
    for pattern in _possible(date):
        if read(pattern, date) is not None:
            is_iso = pattern == WITH_SIGNS[0] and not weekday and read(ISO, text) is not None
            yield weekday + pattern, ISO if is_iso else weekday + pattern + time


def rank(name: str) -> int:
    """The place of a way to write dates: if two fit equally well, the lower one is preferred."""
    return _RANKS.get(name[name.find("%", 1) :] if name.startswith("%a") else name, len(_RANKS))


def shape(name: str) -> str:
    """What dates of a format look like: the place of a long year, and what is between numbers."""
    return re.sub("%[a-zA-Z]", "0", name.replace("%Y", "0000"))


def is_time_of_day(text: str) -> bool:
    """Whether a text says a time of day and no date, such as 23:22:11 or 9:05 PM."""
    found = _TIME_OF_DAY.fullmatch(text) if len(text) <= LONGEST else None
    return found is not None and (not found[1] or names.half_number(found[1]) is not None)


def read(pattern: str, text: str, zone: tzinfo = UTC) -> datetime | None:
    """The moment that a text says by a format, as ``records.dates.formats`` reads it."""
    return _reader(pattern)(text, zone)


def _possible(date: str) -> Sequence[str]:
    """The patterns that may read a date, by what it consists of besides digits."""
    signs = re.sub(r"\s+", " ", _DIGITS.sub("", date))
    if signs == "-" and len(date) == len("YYYY-DDD"):
        return ["%Y-%j"]
    if signs in _BY_SIGNS:
        return [pattern for pattern in _BY_SIGNS[signs] if pattern != "%Y-%j"]
    words = _WORD.findall(date)
    return WITH_NAMES if any(names.month_number(word) for word in words) else ()


def _of_digits(text: str, bare: re.Match[str]) -> Iterator[tuple[str, str]]:
    for pattern in OF_DIGITS.get(len(bare[1]), ()):
        if bare[2] and pattern == "%Y%m%d%H%M%S":
            pattern += ".%f"
        elif bare[2] and pattern not in SINCE:
            continue
        moment = read(pattern, text)
        if moment is not None and FIRST_YEAR <= moment.year <= LAST_YEAR:
            yield pattern, pattern


def _split(text: str) -> tuple[str, str]:
    """The date of a text, and the directives for the time behind it."""
    found = _COMPACT.fullmatch(text) or _TIME.fullmatch(text)
    tail = None if found is None else _tail(found["tail"])
    if found is None or tail is None:
        return text, ""
    sign = found["sign"] if found.re is _TIME else ""
    clock = sign.join(["%I" if "%p" in tail else "%H", "%M", *(["%S"] if found["second"] else [])])
    fraction = f"{found['comma']}%f" if found["comma"] else ""
    return found["date"], re.sub(r"\s+", " ", found["gap"]) + clock + fraction + tail


def _tail(text: str) -> str | None:
    """The directives for what stands behind a time; None if that is something else."""
    said = ""
    if (clock := _CLOCK.match(text)) is not None:
        said, text = clock[0], text[clock.end() :]
    half = _HALF.match(text)
    if half is not None and names.half_number(half[2]) is not None:
        said += " %p" if half[1] else "%p"
        text = text[half.end() :]
    text = _COMMENT.sub("", text)
    if not text.strip():
        return said
    if not looks_like_zone(text):
        return None
    return said + (" " if text[0].isspace() else "") + "%z"


def _without_weekday(text: str) -> tuple[str, str]:
    found = _WEEKDAY.match(text)
    if found is None or not names.is_weekday(found[1]):
        return text, ""
    return text[found.end() :], f"%a{found[2]} "
