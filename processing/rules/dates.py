"""Dates and times, as people and programs write them."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache, partial
from zoneinfo import ZoneInfo, available_timezones

from processing.rules.base import Batch, Kind, Step, filled, listed, replace_failing
from processing.rules.parameters import CHOICE, TEXT, TEXTS, Parameter, column, on_failure
from records.number_text import read_number

ISO, UNIX = "iso", "unix"
# By these it is seen whether a format says year and month; the day may be left out, as in 2025-01.
SAMPLES = datetime(2025, 12, 31, tzinfo=UTC), datetime(1987, 1, 23, tzinfo=UTC)
# No date is written longer.
LONGEST = 100

Parser = Callable[[object], datetime | None]


def date(batch: Batch, step: Step) -> None:
    """The cell becomes a date or a time in ISO 8601; one that says nothing stays what it is."""
    name = step["column"]
    parsers = list(map(_parser, step["formats"]))
    zone, as_date = ZoneInfo(step["zone"]), step["becomes"] == "date"
    # The same dates come again and again.
    known: dict[str, str | None] = {}
    cells, failing = batch.cells(name), []
    for place, cell in filled(batch, name):
        if isinstance(cell, str):
            if cell not in known:
                known[cell] = _written(_read(cell.strip(), parsers, zone), as_date)
            found = known[cell]
        else:
            found = _written(_read(cell, parsers, zone), as_date)
        if found is None:
            failing.append((place, f"is not a date in the format {listed(step['formats'], 'or')}"))
        else:
            cells[place] = found
    batch.put(name, cells)
    replace_failing(batch, name, failing, on_failure=step["on_failure"])


def _read(cell: object, parsers: Sequence[Parser], zone: ZoneInfo) -> datetime | None:
    for parse in parsers:
        try:
            found = parse(cell)
            if found is not None:
                return found if found.tzinfo else found.replace(tzinfo=zone)
        except (ValueError, OverflowError, OSError):
            continue
    return None


def _written(found: datetime | None, as_date: bool) -> str | None:
    if found is None:
        return None
    try:
        return found.date().isoformat() if as_date else found.astimezone(UTC).isoformat()
    except OverflowError:  # the first hours of the year 1, and the last of 9999
        return None


@lru_cache(maxsize=256)
def _parser(written: str) -> Parser:
    if written == UNIX:
        return _from_unix
    return _from_iso if written == ISO else partial(_from_format, written)


def _from_format(written: str, cell: object) -> datetime | None:
    # Digits of other scripts are no digits here, as with numbers.
    if not isinstance(cell, str) or not cell.isascii() or len(cell) > LONGEST:
        return None
    # A time without a zone gets that of the step.
    return datetime.strptime(cell, written)  # noqa: DTZ007


def _from_iso(cell: object) -> datetime | None:
    # fromisoformat takes 20250102 as well, which is a number like any other.
    if not isinstance(cell, str) or not cell.isascii() or cell[4:5] != "-":
        return None
    return datetime.fromisoformat(cell)


def _from_unix(cell: object) -> datetime | None:
    seconds = read_number(cell)
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _says_the_month(written: str) -> bool:
    if written in (ISO, UNIX):
        return True
    try:
        read = [_from_format(written, sample.strftime(written)) for sample in SAMPLES]
    except (ValueError, re.error):
        # A directive given twice makes strptime fail with an error of its regular expression.
        return False
    said = [found and (found.year, found.month) for found in read]
    return said == [(sample.year, sample.month) for sample in SAMPLES]


def conflict(step: Step) -> str | None:
    for written in step["formats"]:
        if not _says_the_month(written):
            return (
                f"in 'formats', {written!r} is not a format with year and month, such as "
                "%d.%m.%Y %H:%M, iso or unix"
            )
    if step["zone"] not in _zones():
        return f"'zone' must be a time zone such as Europe/Vienna, not {step['zone']!r}"
    return None


def describe(step: Step) -> str:
    formats = listed(step["formats"], "or")
    becomes = (
        "a date" if step["becomes"] == "date" else f"a time (time zone {step['zone']} if missing)"
    )
    otherwise = {
        "fail": "fail the record",
        "empty": "are emptied (recorded as repairs)",
    }[step["on_failure"]]
    return (
        f"Convert {step['column']!r} from the format {formats} to {becomes}; "
        f"other values {otherwise}"
    )


KIND = Kind(
    code="date",
    title="Date and time",
    summary="Convert cells to ISO 8601 dates or times; others fail the record or are emptied.",
    parameters=(
        column(),
        Parameter(
            "formats",
            TEXTS,
            "Formats",
            "For example %d.%m.%Y or %Y-%m-%d %H:%M:%S, iso for ISO 8601, or unix for seconds "
            "since 1970. The first matching format is used.",
        ),
        Parameter(
            "becomes",
            CHOICE,
            "Convert to",
            default="time",
            choices=[("time", "Time (UTC)"), ("date", "Date (as written)")],
        ),
        Parameter(
            "zone",
            TEXT,
            "Time zone",
            "For times without a time zone, for example Europe/Vienna.",
            "UTC",
        ),
        on_failure("fail", "empty", "fail"),
    ),
    apply=date,
    describe=describe,
    conflict=conflict,
)
