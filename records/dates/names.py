"""The names of months, weekdays and halves of the day in the large languages. Pure: no Django.

The names are those of the Unicode locale data. Croatian is left out: its "listopad" is October,
that of Polish and Czech is November.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Literal

from babel import Locale

LANGUAGES = (
    "en", "en_GB", "en_AU", "de", "de_AT", "fr", "fr_CA", "es", "es_MX", "it", "pt", "pt_PT", "nl",
    "pl", "ru", "tr", "sv", "da", "nb", "fi", "cs", "sk", "hu", "ro", "uk", "bg", "el", "sl", "et",
    "lv", "lt", "ca", "id", "is",
)  # fmt: skip

# What stands before a month in Catalan: "de gener", "d'abril".
_PARTICLES = ("de ", "d\u2019", "d'")
# German Excel writes the third month like this.
_MORE_MONTHS = {"mrz": 3}
# How many letters of a name are enough where no other name begins with them.
_SHORT = 3


def plain(name: str) -> str:
    """A name as it is looked up: in lower case, without dots and spaces."""
    # The lower case of the Turkish İ is an i with a dot above it.
    folded = name.casefold().replace("i\u0307", "i")
    return "".join(part for part in folded if part not in ". \u00a0\u202f")


@cache
def months() -> dict[str, int]:
    """The number of each month's name, in full and abbreviated, with and without accents."""
    return dict(_known("months"))


@cache
def weekdays() -> frozenset[str]:
    return frozenset(_known("days"))


@cache
def halves() -> dict[str, int]:
    """The names of the two halves of the day: 0 for the morning, 1 for the afternoon."""
    found = {"am": 0, "pm": 1, "a": 0, "p": 1}
    for language in LANGUAGES:
        periods = Locale.parse(language).day_periods["format"]
        for width in ("wide", "abbreviated"):
            for half, period in enumerate(("am", "pm")):
                if name := periods.get(width, {}).get(period):
                    found.setdefault(plain(name), half)
    return found


def month_number(name: str) -> int | None:
    """1 to 12; None for a word that names no month."""
    return months().get(plain(name))


def half_number(name: str) -> int | None:
    return halves().get(plain(name))


def is_weekday(name: str) -> bool:
    return plain(name) in weekdays()


def _known(kind: Literal["months", "days"]) -> dict[str, int]:
    """The names of the locale data, and those made from them that mean one thing only."""
    known = dict(_names(kind))
    if kind == "months":
        known |= _MORE_MONTHS
    made: dict[str, set[int]] = {}
    for name, number in known.items():
        for other in _variants(name):
            made.setdefault(other, set()).add(number)
    for name, numbers in made.items():
        if name not in known and len(numbers) == 1:
            known[name] = next(iter(numbers))
    return known


def _names(kind: Literal["months", "days"]) -> Iterator[tuple[str, int]]:
    for language in LANGUAGES:
        of_kind = getattr(Locale.parse(language), kind)
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in of_kind[context][width].items():
                    for particle in _PARTICLES:
                        name = name.removeprefix(particle)
                    if (said := plain(name)).isalpha() or "ΐ" in said:
                        yield said, number


def _variants(name: str) -> Iterable[str]:
    bare = "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c))
    return {bare, name[:_SHORT], bare[:_SHORT]} if len(name) > _SHORT else {bare}
