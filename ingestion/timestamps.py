"""Text -> moments in time. Pure: no Django, no tables."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from functools import lru_cache

ISO = "iso"
UNIX = "unix"

# In the order in which they are tried: of two that fit alike, the first is taken.
DATES = (
    "%Y/%m/%d",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%d.%m.%Y",
    "%d.%m.%y",
    "%m-%d-%Y",
    "%d-%m-%Y",
    "%Y-%m",
    "%Y.%m.%d",
    "%Y%m%d",
    "%d %b %Y",
    "%d %B %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%b %Y",
    "%Y",
)
TIMES = ("", " %H:%M:%S", " %H:%M", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", "T%H:%M:%S")
FORMATS = (ISO, *(date + time for date in DATES for time in TIMES), UNIX)

# fromisoformat also takes week dates and bare digits, which may as well be something else.
_ISO_START = re.compile(r"\d{4}-\d\d-\d\d")
# Seconds, or thousandths of them, between 1973 and 5138.
_UNIX = re.compile(r"\d{9,11}(?:\.\d{1,9})?|\d{12,14}")

Parser = Callable[[str], datetime | None]


def parser(pattern: str, zone: tzinfo = UTC) -> Parser:
    """A function from text to an aware moment in UTC, or None for what it can't read.

    ``pattern`` is ISO, UNIX or one of strptime's; ``zone`` is where a time without an offset is
    local.
    """

    # Without a change of offset, which costs as much as the parsing.
    plain = UTC if str(zone) == "UTC" else zone

    # Dates repeat from row to row, and strptime is slow.
    @lru_cache(maxsize=1 << 14)
    def parse(text: str) -> datetime | None:
        text = text.strip()
        try:
            if pattern == ISO:
                moment = datetime.fromisoformat(text) if _ISO_START.match(text) else None
            elif pattern == UNIX:
                moment = _from_unix(text)
            else:
                moment = datetime.strptime(text, pattern)  # noqa: DTZ007 (zone below)
            if moment is None:
                return None
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=plain)
            return moment if moment.tzinfo is UTC else moment.astimezone(UTC)
        except (ValueError, OverflowError, re.error):
            return None

    return parse


def _from_unix(text: str) -> datetime | None:
    if not _UNIX.fullmatch(text):
        return None
    seconds = float(text)
    return datetime.fromtimestamp(seconds / 1000 if seconds >= 1e11 else seconds, UTC)


def detect_format(texts: Iterable[str]) -> tuple[str | None, str | None]:
    """The format that reads most of the texts, and another one that reads as many but otherwise.

    The first is None where no format reads at least half of the texts that are not empty.
    """
    filled = [text for text in dict.fromkeys(texts) if text.strip()]
    likely = _fitting(filled[:20], FORMATS, at_least=0.5)
    shares = _fitting(filled, likely, at_least=0.5)
    if not shares:
        return None, None
    best, *others = sorted(shares, key=lambda name: -shares[name])
    reads = parser(best)
    rivals = [
        other
        for other in others
        if shares[other] == shares[best]
        and any(reads(text) != parser(other)(text) for text in filled)
    ]
    return best, rivals[0] if rivals else None


def _fitting(texts: Sequence[str], formats: Iterable[str], *, at_least: float) -> dict[str, float]:
    """The share of the texts that each format reads, for those that read enough of them."""
    if not texts:
        return {}
    shares = {name: sum(map(bool, map(parser(name), texts))) / len(texts) for name in formats}
    return {name: share for name, share in shares.items() if share >= at_least}
