"""The groups of a question: their SQL, and which records each of them holds.

The SQL gives each record the key of its group as text: ``=`` with a value behind it, or one of the
keys below for records that have none.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from django.utils import timezone

from explore.columns.schema import literal
from explore.filters.operators import WEEKDAYS
from explore.filters.sql import DATE
from explore.questions.fields import IS_PROCESSED, Field
from explore.questions.links import Asked, Narrowing, at, before_day, from_day
from web.numbers import number

UNPROCESSED, UNREAD, UNDATED, OTHERS = "~", "!", "0", "+"
LABELS = {
    UNPROCESSED: "(not processed)",
    UNREAD: "(not a number)",
    UNDATED: "(not a date)",
    OTHERS: "(others)",
}
NOT_PROCESSED = Narrowing(values=(("status", ("raw", "processing", "failed")),))
PROCESSED = Narrowing(values=(("status", ("processed",)),))
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Part:
    """One group: its value for programs, its label for people, and what its records have in common.

    ``order`` sorts groups as time and numbers do; those without a value come last.
    """

    value: str
    label: str
    narrowing: Narrowing | None
    order: tuple[int, float, str]


class Grouping(Protocol):
    """How records are put together: the SQL of the key, and what a key means.

    UNPROCESSED, which means the same in all of them, is left to `not_processed`.
    """

    @property
    def sql(self) -> str: ...

    def part(self, key: str) -> Part: ...


def not_processed() -> Part:
    """The records without a result, by a column of results."""
    return _special(UNPROCESSED, NOT_PROCESSED)


def _special(key: str, narrowing: Narrowing | None) -> Part:
    label = LABELS[key]
    return Part(label, label, narrowing, (1, 0, label))


@dataclass(frozen=True, slots=True)
class ByText:
    """By the cells of a column, exactly as they are; missing ones are empty."""

    field: Field

    @property
    def sql(self) -> str:
        key = f"'=' || coalesce({self.field.text}, '')"
        return _of_processed(self.field, key)

    def part(self, key: str) -> Part:
        text = key[1:]
        narrowing = _narrowing(self.field, self.field.asked("eq", text))
        return Part(text, text or "(empty)", narrowing, (0, 0, text))

    def others(self, keys: Sequence[str]) -> Part:
        """All groups but these, of those that have a value."""
        asked = [self.field.asked("ne", key[1:]) for key in keys]
        return _special(OTHERS, _narrowing(self.field, *asked))


@dataclass(frozen=True, slots=True)
class ByNumber:
    """By the cells of a column of numbers."""

    field: Field

    @property
    def sql(self) -> str:
        key = f"coalesce('=' || CAST({self.field.number} + 0.0 AS VARCHAR), '{UNREAD}')"
        return _of_processed(self.field, key)

    def part(self, key: str) -> Part:
        if key == UNREAD:
            return _special(key, _narrowing(self.field, self.field.asked("nonumber")))
        value = float(key[1:])
        text = repr(value)
        ends = (self.field.asked("ge", text), self.field.asked("le", text))
        shown = text.removesuffix(".0")
        return Part(shown, shown, _narrowing(self.field, *ends), (0, value, ""))


@dataclass(frozen=True, slots=True)
class ByBin:
    """By ranges of the numbers in a column: from each edge up to, but not including, the next."""

    field: Field
    edges: Sequence[float]

    @property
    def sql(self) -> str:
        cases = " ".join(
            f"WHEN {self.field.number} < '{edge!r}'::DOUBLE THEN '={place}'"
            for place, edge in enumerate(self.edges[1:])
        )
        key = f"CASE {cases} ELSE '{UNREAD}' END" if cases else f"'{UNREAD}'"
        return _of_processed(self.field, key)

    def part(self, key: str) -> Part:
        if key == UNREAD:
            return _special(key, _narrowing(self.field, self.field.asked("nonumber")))
        place = int(key[1:])
        low, high = self.edges[place : place + 2]
        end = self.field.asked("lt", repr(high)) if math.isfinite(high) else None
        ends = (self.field.asked("ge", repr(low)), end or self.field.asked("number"))
        text = f"{number(low)} to {number(high)}"
        return Part(text, text, _narrowing(self.field, *ends), (0, place, ""))


@dataclass(frozen=True, slots=True)
class ByFact:
    """By what is known of a record itself: its source or its status."""

    fact: str

    @property
    def sql(self) -> str:
        return f"'=' || {self.fact}"

    def part(self, key: str) -> Part:
        text = key[1:]
        return Part(text, text, Narrowing(values=((self.fact, (text,)),)), (0, 0, text))


@dataclass(frozen=True, slots=True)
class ByTime:
    """By steps of the timestamp, in the time zone of the installation, as filters take days."""

    unit: str

    @property
    def sql(self) -> str:
        zone = timezone.get_default_timezone_name()
        local = f"timezone({literal(zone)}, timestamp)"
        if self.unit == "hour":
            # Hours of the clock on the wall; one that the clock goes through twice is two.
            into = f"(epoch_us({local}) % 3600000000 + 3600000000) % 3600000000"
            key = f"CAST((epoch_us(timestamp) - {into}) // 1000000 AS VARCHAR)"
        elif self.unit == "weekday":
            key = f"CAST(isodow({local}) AS VARCHAR)"
        else:
            inside = (
                f"least(greatest({local}, TIMESTAMP '0001-01-01'), TIMESTAMP '9999-12-31 23:59:59')"
            )
            key = f"strftime({_step(self.unit, inside)}, '%Y-%m-%d')"
        return f"CASE WHEN timestamp IS NULL THEN '{UNDATED}' ELSE '=' || {key} END"

    def part(self, key: str) -> Part:
        if key == UNDATED:
            return _special(key, Narrowing(values=(("dated", ("0",)),)))
        text = key[1:]
        if self.unit == "weekday":
            return _weekday(text, Narrowing(values=(("weekday", (text,)),)))
        if self.unit == "hour":
            start = datetime.fromtimestamp(int(text), UTC)
            local = start.astimezone(timezone.get_default_timezone())
            value = local.isoformat(timespec="minutes")
            label = f"{local:%Y-%m-%d %H:%M}"
            bounds = Narrowing(start=at(start), end=at(start + HOUR))
            return Part(value, label, bounds, (0, int(text), ""))
        first = date.fromisoformat(text)
        following = _following(self.unit, first)
        narrowing = Narrowing(
            start=from_day(first),
            end=before_day(following, following - timedelta(days=1)) if following else None,
        )
        if narrowing == Narrowing():
            narrowing = Narrowing(values=(("dated", ("1",)),))
        said = _said(self.unit, first)
        return Part(said, said, narrowing, (0, first.toordinal(), ""))


@dataclass(frozen=True, slots=True)
class ByDate:
    """By steps of the dates in a column: of cells that begin with a date such as 2026-03-01."""

    field: Field
    unit: str

    @property
    def sql(self) -> str:
        day = f"TRY_CAST(regexp_extract({self.field.text}, '{DATE}') AS DATE)"
        if self.unit == "weekday":
            key = f"CAST(isodow({day}) AS VARCHAR)"
        else:
            key = f"strftime({_step(self.unit, day)}, '%Y-%m-%d')"
        return _of_processed(self.field, f"coalesce('=' || {key}, '{UNDATED}')")

    def part(self, key: str) -> Part:
        if key == UNDATED:
            return _special(key, _narrowing(self.field, self.field.asked("nodate")))
        text = key[1:]
        if self.unit == "weekday":
            return _weekday(text, _narrowing(self.field, self.field.asked("weekday", text)))
        first = date.fromisoformat(text)
        following = _following(self.unit, first)
        # No day is written so, and none of the year before is greater.
        end = following.isoformat() if following else "9999-12-32"
        asked = [self.field.asked("date"), self.field.asked("lt", end)]
        asked.append(self.field.asked("ge", first.isoformat()))
        said = _said(self.unit, first)
        narrowing = _narrowing(self.field, *asked)
        return Part(said, said, narrowing, (0, first.toordinal(), ""))


def _of_processed(field: Field, key: str) -> str:
    """The key of a column; results are those of processed records only."""
    if not field.is_result:
        return key
    return f"CASE WHEN {IS_PROCESSED} THEN {key} ELSE '{UNPROCESSED}' END"


def _narrowing(field: Field, *asked: Asked) -> Narrowing:
    found = Narrowing(conditions=asked)
    return replace(found, values=PROCESSED.values) if field.is_result else found


def _weekday(text: str, narrowing: Narrowing) -> Part:
    name = WEEKDAYS[int(text) - 1]
    return Part(name, name, narrowing, (0, int(text), ""))


def _step(unit: str, day: str) -> str:
    """The first day of the step that a day is in. (The first day of all is a Monday.)"""
    return f"date_trunc('{unit}', {day})"


def _following(unit: str, first: date) -> date | None:
    """The first day of the step after the one that begins so; None for the last of all."""
    try:
        match unit:
            case "day":
                return first + timedelta(days=1)
            case "week":
                return first + timedelta(days=7 - first.weekday())
            case "month" | "quarter":
                months = first.month + (1 if unit == "month" else 3)
                return date(first.year + (months > 12), (months - 1) % 12 + 1, 1)
            case _:
                return date(first.year + 1, 1, 1)
    except (ValueError, OverflowError):
        return None


def _said(unit: str, first: date) -> str:
    """A step of time: 2026, 2026-Q1, 2026-03, or the day that it begins with."""
    text = first.isoformat()
    match unit:
        case "year":
            return text[:4]
        case "quarter":
            return f"{text[:4]}-Q{(first.month + 2) // 3}"
        case "month":
            return text[:7]
        case _:
            return text
