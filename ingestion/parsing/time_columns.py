"""Finds the columns that say when a row happened, by what they hold. Pure: no Django, no tables.

Names only decide between columns that hold dates, and whether bare digits are meant as dates.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from ingestion.parsing.timestamps.patterns import BARE, SINCE, is_time_of_day, patterns_of, read
from ingestion.parsing.timestamps.search import FormatSearch
from records.dates.formats import EXCEL, OR, UNIX_MS, UNIX_NS, UNIX_US
from records.dates.zones import OFFSET, looks_like_zone

# How many columns are looked at closely, and how many of their cells.
TRIED_COLUMNS = 50
TRIED_CELLS = 200
# How many cells of each column are looked at first.
FIRST_CELLS = 5

# Bare digits that are dates also where no name says so, if all are of these years. Phone numbers
# are often seconds since 1970, and many ids are days since 1900 or a year and a month.
SURE_DIGITS = frozenset(
    {
        "%Y%m%d",
        "%Y%m%d%H",
        "%Y%m%d%H%M",
        "%Y%m%d%H%M%S",
        "%Y%m%d%H%M%S%f",
        UNIX_MS,
        UNIX_US,
        UNIX_NS,
    }
)
RECENT = range(1990, 2036)

# Names of the moment of a row, in order of preference; as ``plain_name`` writes them.
USUAL = (
    "timestamp", "datetime", "date time", "occurred at", "recorded at", "measured at",
    "created at", "ordered at", "opened at", "created", "opened", "date", "time", "day",
    "order date", "flight date", "transaction date", "year month", "month",
)  # fmt: skip
# Words for a date or a time, and endings of compound words.
DATES = frozenset({
    "timestamp", "datetime", "date", "dates", "ts", "epoch", "unix", "time", "datum", "fecha",
    "data", "dato", "datas", "tarih", "tarihi", "дата", "kuupäev", "dátum", "päivämäärä", "pvm",
    "zi", "day", "tag", "jour", "día", "dia", "giorno", "dag", "dzień", "den", "день", "gün",
    "when", "at", "on", "created", "submission", "occurred", "booked", "start", "started",
    "begin", "beginn", "début", "inicio", "inizio", "von", "日期", "日付", "날짜", "时间",
    "時間", "日時",
    "month", "monat", "mes", "mois", "mese", "maand", "miesiąc", "ay", "месяц", "quarter",
})  # fmt: skip
TIMES = frozenset({
    "time", "zeit", "uhrzeit", "hora", "heure", "ora", "tijd", "godzina", "czas", "saat", "время",
    "tid", "klockan", "kl", "klo", "aika", "čas", "hour", "stunde", "at", "start", "beginn",
    "begin", "clock", "时间", "時刻", "時間", "시간",
})  # fmt: skip
ENDINGS = ("datum", "tag", "zeit", "zeitpunkt", "dato", "date", "datetime", "timestamp")
YEARS = frozenset({
    "year", "jahr", "año", "anno", "ano", "année", "annee", "jaar", "rok", "y\u0131l", "год", "år",
    "vuosi", "év", "an", "年", "년",
})  # fmt: skip
ZONES = frozenset(
    [
        "zone",
        "timezone",
        "tz",
        "offset",
        "utc",
        "zeitzone",
        "fuseau",
        "zona",
        "huso",
        "tijdzone",
        "strefa",
    ]
)
# Words for moments of something else than the row.
OTHERS = frozenset({
    "birth", "born", "birthday", "dob", "geburt", "geburtsdatum", "geburtstag", "naissance",
    "nacimiento", "nascita", "due", "expiry", "expires", "expiration", "valid", "until", "end",
    "ended", "ende", "bis", "fin", "fine", "einde", "koniec", "updated", "modified", "changed",
    "last", "closed", "valuta", "valutadatum", "wertstellung", "ship", "shipped", "shipping",
    "delivery", "delivered", "paid", "cancelled", "deleted",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class _TimeColumn:
    """A column of dates; the lowest ``rank`` is proposed."""

    name: str
    has_time: bool
    rank: tuple[int, int, int]


def propose_timestamp(
    columns: Sequence[str], names: Mapping[str, str], cells: Mapping[str, Sequence[str]]
) -> list[str]:
    """The column of the moment of a row, or the two of its day and its time; else nothing.

    ``names`` are the names of the columns in plain words, ``cells`` their first cells.
    """
    found = date_columns(columns, names, cells)
    if not found:
        return []
    best = min(found, key=lambda column: column.rank)
    if best.has_time:
        return [best.name]
    return _with_time(best.name, columns, names, cells)


def date_columns(
    columns: Sequence[str], names: Mapping[str, str], cells: Mapping[str, Sequence[str]]
) -> list[_TimeColumn]:
    """The columns that hold dates. Bare digits count if a name says so, or if nothing else does."""
    likely = [column for column in columns if may_hold_dates(cells[column])]
    likely.sort(key=lambda column: _name_rank(names[column]))
    places = {column: place for place, column in enumerate(columns)}
    found = []
    for column in likely[:TRIED_COLUMNS]:
        one = _looked_at(column, names[column], cells[column], places[column])
        if one is not None:
            found.append(one)
    sure = [one for one in found if one.rank[0] < _UNNAMED_DIGITS]
    return sure or found


def propose_zone(
    columns: Sequence[str], names: Mapping[str, str], cells: Mapping[str, Sequence[str]]
) -> str | None:
    """The column that names the time zone of each row; None if there is none."""
    for column in columns:
        filled = [cell for cell in islice(cells[column], TRIED_CELLS) if cell.strip()]
        if not filled or not looks_like_zone(filled[0]):
            continue
        is_named = bool(ZONES.intersection(names[column].split()))
        # -5 is an offset only where a name says so.
        short = any(OFFSET.fullmatch(cell.strip()) and ":" not in cell for cell in filled)
        if all(map(looks_like_zone, filled)) and (is_named or not short):
            return column
    return None


# The ranks of what columns hold.
_DAYS, _SPARSE, _NAMED_DIGITS, _MONTHS, _UNNAMED_DIGITS, _YEARS = range(6)


def may_hold_dates(cells: Sequence[str]) -> bool:
    """Whether it is worth looking for the date format of a column."""
    filled = islice((cell for cell in dict.fromkeys(cells) if cell.strip()), FIRST_CELLS)
    return any(next(patterns_of(cell), None) is not None for cell in filled)


def _looked_at(column: str, name: str, cells: Sequence[str], place: int) -> _TimeColumn | None:
    filled = [cell for cell in cells if cell.strip()]
    search = FormatSearch(islice(dict.fromkeys(filled), TRIED_CELLS))
    pattern = search.best
    if pattern is None:
        return None
    words = set(name.split())
    is_named = _name_rank(name) < _NO_NAME
    parts = set(pattern.split(OR))
    kind: int | None = _DAYS if len(filled) * 2 >= len(cells) else _SPARSE
    if parts <= BARE:
        moments = [read(pattern, cell) for cell in (filled[0], min(filled), max(filled))]
        are_recent = all(one is not None and one.year in RECENT for one in moments)
        kind = _kind_of_digits(
            parts, words, is_named=is_named, share=search.share, are_recent=are_recent
        )
    elif not any("%d" in part or "%j" in part or "%u" in part or part == "iso" for part in parts):
        kind = _MONTHS
    elif search.share < 0.8 and not is_named:
        return None
    if kind is None:
        return None
    has_time = (
        bool(parts & (SINCE - {EXCEL}))
        or "%H" in pattern
        or any(":" in cell for cell in filled[:TRIED_CELLS])
    )
    return _TimeColumn(column, has_time, (kind, _name_rank(name), place))


def _kind_of_digits(
    parts: set[str], words: set[str], *, is_named: bool, share: float, are_recent: bool
) -> int | None:
    """Whether bare digits count as dates: numbers and ids often look like some."""
    if parts <= {"%Y"}:
        return _YEARS if words & YEARS and share == 1 else None
    if is_named and share >= 0.9:
        return _NAMED_DIGITS
    return _UNNAMED_DIGITS if share == 1 and parts <= SURE_DIGITS and are_recent else None


_NO_NAME, _OTHER_NAME = 1_000, 2_000


def _name_rank(name: str) -> int:
    """How well a name fits the moment of a row: the lower, the better."""
    if name in USUAL:
        return USUAL.index(name)
    words = name.split()
    if OTHERS.intersection(words):
        return _OTHER_NAME
    is_date = DATES.intersection(words) or any(word.endswith(ENDINGS) for word in words)
    return len(USUAL) if is_date else _NO_NAME


def _with_time(
    date: str,
    columns: Sequence[str],
    names: Mapping[str, str],
    cells: Mapping[str, Sequence[str]],
) -> list[str]:
    """The column of the day, and that of the time of day if there is one."""
    after = [*columns[columns.index(date) + 1 :], *columns[: columns.index(date)]]
    for column in after:
        words = names[column].split()
        if not (TIMES.intersection(words) or any(word.endswith("zeit") for word in words)):
            continue
        filled = [cell for cell in islice(cells[column], TRIED_CELLS) if cell.strip()]
        are_times = sum(map(is_time_of_day, filled)) * 10 >= 9 * len(filled) > 0
        joined = (f"{day} {time}" for day, time in zip(cells[date], cells[column], strict=True))
        if are_times and FormatSearch(islice(joined, TRIED_CELLS)).best is not None:
            return [date, column]
    return [date]
