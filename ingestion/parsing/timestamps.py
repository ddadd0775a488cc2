"""Parses timestamps and detects their format. Pure: no Django, no tables."""

import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from itertools import combinations

ISO = "iso"
UNIX = "unix"

# In the order in which they are tried: if two fit equally well, the first is used.
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

# fromisoformat also accepts week dates and bare digits, which may be something else.
_ISO_START = re.compile(r"\d{4}-\d\d-\d\d")
# Longer texts are not dates.
LONGEST = 100
# Seconds or milliseconds, between 1973 and 5138.
_UNIX = re.compile(r"\d{9,11}(?:\.\d{1,9})?|\d{12,14}")
# The shape of a cell that databases accept almost as it is: 0 stands for any digit.
_PLAIN = "0000-00-00 00:00:00\n"
_SHAPE = str.maketrans("123456789T", "000000000 ")

Parser = Callable[[str], datetime | None]


def parser(pattern: str, zone: tzinfo = UTC) -> Parser:
    """A function from text to an aware moment in UTC, or None for what it can't read.

    ``pattern`` is ISO, UNIX or one of strptime's; ``zone`` is where a time without an offset is
    local.
    """

    # Skips the conversion of the offset, which costs as much as the parsing.
    plain = UTC if str(zone) == "UTC" else zone

    def parse(text: str) -> datetime | None:
        text = text.strip()
        if len(text) > LONGEST:
            return None
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


def sql_times(pattern: str, zone: tzinfo = UTC) -> Callable[[Sequence[str]], list[str | None]]:
    """A function from cells to timestamps as in records.rows.Row; see ``parser``."""
    parse = parser(pattern, zone)

    # Dates repeat from row to row, and strptime is slow.
    @lru_cache(maxsize=1 << 14)
    def sql_time(text: str) -> str | None:
        moment = parse(text)
        return None if moment is None else moment.isoformat(" ").removesuffix("+00:00")

    def read(texts: Sequence[str]) -> list[str | None]:
        if pattern == ISO and str(zone) == "UTC" and (plain := _plain(texts)) is not None:
            return plain
        # Texts that are too long for a date are not cached.
        return [
            sql_time(text if len(text) <= 2 * LONGEST else text.strip()[: LONGEST + 1])
            for text in texts
        ]

    return read


def _plain(texts: Sequence[str]) -> list[str | None] | None:
    """Timestamps without an offset, converted all at once if none needs parsing; else None."""
    lines = "\n".join([*texts, ""])
    if lines.translate(_SHAPE) != _PLAIN * len(texts):
        return None
    try:
        deque(map(datetime.fromisoformat, texts), maxlen=0)
    except ValueError:
        return None
    return list(lines.replace("T", " ").split("\n")[:-1])


def _from_unix(text: str) -> datetime | None:
    if not _UNIX.fullmatch(text):
        return None
    seconds = float(text)
    return datetime.fromtimestamp(seconds / 1000 if seconds >= 1e11 else seconds, UTC)


def detect_format(texts: Iterable[str]) -> str | None:
    """The format that reads most of the texts; None if none reads at least half of them."""
    return FormatSearch(texts).best


def spelled(moment: datetime) -> str:
    """An unambiguous date for people: 3 April 2025, or 3 April 2025, 13:08:00."""
    time = f"{moment:, %H:%M:%S}" if moment.time().isoformat() != "00:00:00" else ""
    return f"{moment.day} {moment:%B %Y}{time}"


@dataclass(frozen=True, slots=True)
class Doubt:
    """Two formats that fit the dates of an input equally well, and a date they read differently."""

    best: str
    rival: str
    text: str

    @property
    def readings(self) -> list[tuple[str, str]]:
        """Each of the formats, with its reading of the date."""
        moments = [(name, parser(name)(self.text)) for name in (self.best, self.rival)]
        return [(name, spelled(moment) if moment else "no date") for name, moment in moments]


class FormatSearch:
    """Detects the date format of an input: from the first dates, and from more if needed.

    Formats that read equally many of the first texts are candidates; a later text that only some
    candidates can read settles it for these.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        filled = _filled(texts)
        likely = _fitting(filled[:20], FORMATS, at_least=0.5)
        shares = _fitting(filled, likely, at_least=0.5)
        most = max(shares.values(), default=0)
        self._candidates = {name: parser(name) for name in shares if shares[name] == most}
        # For each pair of candidates the first text that they read differently.
        self._apart: dict[tuple[str, str], str] = {}
        if self.is_open:
            # A text that both can read is preferred to one that only one can.
            for text in sorted(filled, key=self._is_read_by_all, reverse=True):
                self._compare(text)

    @property
    def is_open(self) -> bool:
        """Whether further texts may settle anything."""
        return len(self._candidates) > 1

    @property
    def best(self) -> str | None:
        return next(iter(self._candidates), None)

    @property
    def doubt(self) -> Doubt | None:
        """The ambiguity; None if all candidates read all texts so far the same way."""
        best, *others = self._candidates or [""]
        for other in others:
            if (best, other) in self._apart:
                return Doubt(best, other, self._apart[best, other])
        return None

    def add(self, texts: Iterable[str]) -> None:
        """Narrow down the candidates by further texts."""
        for text in _filled(texts):
            if not self.is_open:
                return
            able = {name: read for name, read in self._candidates.items() if read(text)}
            if able:
                self._candidates = able
                self._compare(text)

    def _is_read_by_all(self, text: str) -> bool:
        return all(read(text) for read in self._candidates.values())

    def _compare(self, text: str) -> None:
        moments = [(name, read(text)) for name, read in self._candidates.items()]
        for (one, first), (other, second) in combinations(moments, 2):
            if first != second:
                self._apart.setdefault((one, other), text)


def _filled(texts: Iterable[str]) -> list[str]:
    return [text for text in dict.fromkeys(texts) if text.strip()]


def _fitting(texts: Sequence[str], formats: Iterable[str], *, at_least: float) -> dict[str, float]:
    """The share of the texts that each format reads, for those that read enough of them."""
    if not texts:
        return {}
    shares = {name: sum(map(bool, map(parser(name), texts))) / len(texts) for name in formats}
    return {name: share for name, share in shares.items() if share >= at_least}
