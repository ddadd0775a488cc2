"""Finds the format in which the dates of a column are written. Pure: no Django, no tables."""

from collections import Counter
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from itertools import combinations

from ingestion.parsing.timestamps.local_times import in_utc
from ingestion.parsing.timestamps.patterns import BARE, SINCE, patterns_of, rank, read, shape
from records.dates.formats import EXCEL, OR

# So many texts tell which formats are tried.
FIRST_TEXTS = 20
# The times of day of one column are written in so many ways at the most, and the dates.
MOST_TIMES = 4
MOST_DATES = 3
# How many texts formats must read together if none of them reads half.
ENOUGH_TOGETHER = 0.9
# Years of two digits: a reading that needs many years is dropped for one that needs few, if
# there are enough dates to tell.
ENOUGH_DATES, FEW_YEARS, MANY_YEARS = 12, 3, 8


def parser(pattern: str, zone: tzinfo = UTC) -> Callable[[str], datetime | None]:
    """A function from text to an aware moment in UTC, or None for what it can't read.

    ``zone`` is where a time without an offset is local; of a time that exists twice there the
    first is meant.
    """

    def parse(text: str) -> datetime | None:
        moment = read(pattern, text, zone)
        return None if moment is None else in_utc(moment, zone)

    return parse


def detect_format(texts: Iterable[str]) -> str | None:
    """The format that reads most of the texts; None if none reads at least half of them."""
    return FormatSearch(texts).best


def spelled(moment: datetime) -> str:
    """An unambiguous date for people: 3 April 2025, or 3 April 2025, 13:08:00."""
    time = f"{moment:, %H:%M:%S}" if moment.time().isoformat() != "00:00:00" else ""
    return f"{moment.day} {moment:%B} {moment.year}{time}"


@dataclass(frozen=True, slots=True)
class Doubt:
    """Two formats that fit the dates of an input equally well, and a date they read differently."""

    best: str
    rival: str
    text: str
    # ``best`` was saved with the source, and reads nearly no date of this input.
    is_misfit: bool = False

    @property
    def readings(self) -> list[tuple[str, str]]:
        """Each of the formats, with its reading of the date."""
        moments = [(name, parser(name)(self.text)) for name in (self.best, self.rival)]
        return [(name, spelled(moment) if moment else "no date") for name, moment in moments]


@dataclass(slots=True)
class _Way:
    """A way to write dates: the formats of the texts that it reads, and their years.

    ``rivals`` are the other ways that read some of the same texts.
    """

    formats: Counter[str] = field(default_factory=Counter)
    rivals: set[str] = field(default_factory=set)
    years: set[int] = field(default_factory=set)
    texts: int = 0

    def add(self, pattern: str, text: str) -> None:
        self.texts += 1
        if len(self.formats) < MOST_TIMES or pattern in self.formats:
            self.formats[pattern] += 1
        moment = read(pattern, text)
        if moment is not None and len(self.years) <= MANY_YEARS * FEW_YEARS:
            self.years.add(moment.year)

    @property
    def pattern(self) -> str:
        return OR.join(pattern for pattern, _ in self.formats.most_common())


class FormatSearch:
    """Detects the date format of a column: from the first dates, and from more if needed.

    Formats that read equally many of the first texts are candidates; a later text that only some
    candidates can read settles it for these. Where no format reads half of the texts, formats that
    look different are combined, if they read nearly all of them.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        filled = _filled(texts)
        # For each pair of candidates the first text that they read differently.
        self._apart: dict[tuple[str, str], str] = {}
        ways = _ways(filled, _likely(filled))
        self._candidates = _of_few_years(ways)
        self._is_judged = len(self._candidates) < len(ways)
        rest = [text for text in filled if not self._readings(text)]
        self._others = _others(rest, taken=set(map(shape, self._candidates)))
        read_by_others = sum(one.texts for one in self._others.values())
        self.share = (len(filled) - len(rest) + read_by_others) / max(len(filled), 1)
        if self.share < (0.5 if self._is_usual(filled) else ENOUGH_TOGETHER):
            self._candidates, self._others = {}, {}
        if self.is_open:
            # A text that both can read is preferred to one that only one can.
            for text in sorted(filled, key=self._is_read_by_all, reverse=True):
                self._compare(text)

    @property
    def is_open(self) -> bool:
        """Whether further texts may settle anything."""
        return len(self._candidates) > 1

    @property
    def is_mixed(self) -> bool:
        """Whether the dates are written in several ways."""
        return bool(self._others)

    @property
    def is_judged(self) -> bool:
        """Whether the dates could mean something else that is less plausible."""
        return self._is_judged or bool(self._candidates.keys() & BARE)

    @property
    def best(self) -> str | None:
        return next(map(self._format, self._candidates.values()), None)

    @property
    def doubt(self) -> Doubt | None:
        """The ambiguity; None if all candidates read all texts so far the same way."""
        best, *others = self._candidates or [""]
        for other in others:
            if (best, other) in self._apart:
                first, second = (self._format(self._candidates[name]) for name in (best, other))
                return Doubt(first, second, self._apart[best, other])
        return None

    def add(self, texts: Iterable[str]) -> None:
        """Narrow down the candidates by further texts."""
        for text in _filled(texts):
            if not self.is_open:
                return
            if able := self._readings(text):
                self._candidates = {name: self._candidates[name] for name in able}
                for name, pattern in able.items():
                    self._candidates[name].add(pattern, text)
                few = _of_few_years(self._candidates)
                self._is_judged |= len(few) < len(self._candidates)
                self._candidates = few
                self._compare(text)

    def _format(self, candidate: _Way) -> str:
        return OR.join(one.pattern for one in (candidate, *self._others.values()))

    def _is_usual(self, texts: Sequence[str]) -> bool:
        """Whether the best candidate by itself reads at least half of the texts."""
        return any(one.texts * 2 >= len(texts) for one in self._candidates.values())

    def _readings(self, text: str) -> dict[str, str]:
        """The candidates that read a text, in their order, each with the format of the text."""
        found = dict(patterns_of(text))
        return {name: found[name] for name in self._candidates if name in found}

    def _is_read_by_all(self, text: str) -> bool:
        return len(self._readings(text)) == len(self._candidates)

    def _compare(self, text: str) -> None:
        able = self._readings(text)
        moments = [
            (name, read(able[name], text) if name in able else None) for name in self._candidates
        ]
        for (one, first), (other, second) in combinations(moments, 2):
            if first != second:
                self._apart.setdefault((one, other), text)


def _filled(texts: Iterable[str]) -> list[str]:
    """The different texts that may be dates: 00000000 is none in any format."""
    return [text for text in dict.fromkeys(texts) if text.strip(" 0")]


def _likely(texts: Sequence[str]) -> set[str]:
    """The ways to write a date that occur among the first texts."""
    return {name for text in texts[:FIRST_TEXTS] for name, _ in patterns_of(text)}


def _ways(texts: Sequence[str], among: Container[str]) -> dict[str, _Way]:
    """The ways to write a date that read most of the texts: several if they read equally many."""
    found = _all_ways(texts, among)
    most = max((one.texts for one in found.values()), default=0)
    # Digits that read as days and hours are no seconds since 1970, even if some are damaged.
    days = {name: one for name, one in found.items() if name not in SINCE}
    most_days = max((one.texts for one in days.values()), default=0)
    if most_days >= most / 2:
        found, most = days, most_days
    tied = {name: one for name, one in found.items() if one.texts == most}
    best = next(iter(tied), "")
    return {
        name: one
        for name, one in tied.items()
        if (shape(name) == shape(best) or name in tied[best].rivals)
        # With dots, the day comes first wherever it can.
        and (name != "%y.%m.%d" or "%d.%m.%y" not in tied)
    }


def _all_ways(texts: Sequence[str], among: Container[str]) -> dict[str, _Way]:
    found: dict[str, _Way] = {}
    for text in texts:
        able = {name: pattern for name, pattern in patterns_of(text) if name in among}
        for name, pattern in able.items():
            way = found.setdefault(name, _Way())
            way.add(pattern, text)
            way.rivals |= able.keys()
    return dict(sorted(found.items(), key=lambda item: rank(item[0])))


def _of_few_years(ways: dict[str, _Way]) -> dict[str, _Way]:
    """Drop readings that spread the dates over many years, if another needs a few only."""
    fewest = min((len(one.years) for one in ways.values()), default=0)
    if fewest > FEW_YEARS:
        return ways
    most = max(MANY_YEARS, FEW_YEARS * fewest)
    return {
        name: one for name, one in ways.items() if one.texts < ENOUGH_DATES or len(one.years) < most
    }


def _others(texts: Sequence[str], *, taken: set[str]) -> dict[str, _Way]:
    """Further ways to write a date, for the texts of a column that the usual one can't read.

    They must look different, since 03/25/2025 beside 25/03/2025 leaves both in doubt, and each
    must be the only one for its texts. Of bare digits, only the days of a spreadsheet can stand
    among dates.
    """
    found: dict[str, _Way] = {}
    while texts and taken and len(found) < MOST_DATES - 1:
        ways = _ways(texts, _likely(texts))
        name = next(iter(ways), "")
        if len(ways) != 1 or shape(name) in taken or not _may_be_mixed(name):
            break
        found |= ways
        taken = taken | {shape(name)}
        texts = [text for text in texts if name not in dict(patterns_of(text))]
    return found


def _may_be_mixed(name: str) -> bool:
    return name == EXCEL or name not in BARE
