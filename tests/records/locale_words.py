"""Makes records/locale_words.json from the Unicode locale data, after an update of Babel:

python -m tests.records.locale_words
"""

import json
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from babel import Locale
from babel.numbers import list_currencies

from records.dates.names import plain
from records.locale_words import WORDS
from records.number_text import usual_signs

# Croatian is left out: its "listopad" is October, that of Polish and Czech is November.
LANGUAGES = (
    "en", "en_GB", "en_AU", "de", "de_AT", "fr", "fr_CA", "es", "es_MX", "it", "pt", "pt_PT", "nl",
    "pl", "ru", "tr", "sv", "da", "nb", "fi", "cs", "sk", "hu", "ro", "uk", "bg", "el", "sl", "et",
    "lv", "lt", "ca", "id", "is",
)  # fmt: skip
# What stands before a month in Catalan: "de gener", "d'abril".
PARTICLES = ("de ", "d\u2019", "d'")
# German Excel writes the third month like this.
MORE_MONTHS = {"mrz": 3}
# How many letters of a name are enough where no other name begins with them.
SHORT = 3

# The locales whose currency symbols are known.
LOCALES = (
    "en", "de", "fr", "es", "pt", "it", "nl", "pl", "cs", "sk", "sv", "da", "nb", "fi", "hu", "ro",
    "tr", "ru", "uk", "bg", "hr", "sr", "el", "ja", "zh", "ko", "hi", "ar", "he", "id", "ms", "vi",
    "th", "en_AU", "en_CA", "en_IN", "en_ZA", "es_MX", "es_PE", "pt_BR", "de_CH", "fr_CH",
)  # fmt: skip
# What people write and locales don't list.
WRITTEN = {
    "Fr": "CHF", "SFr": "CHF", "sFr": "CHF", "Rs": "INR", "TL": "TRY",
    "\u0440\u0443\u0431": "RUB", "\u0433\u0440\u043d": "UAH",
    "lei": "RON", "Euro": "EUR", "euro": "EUR", "Euros": "EUR", "RMB": "CNY", "kr": "SEK",
}  # fmt: skip


def words() -> dict[str, Any]:
    """All that the file holds."""
    return {
        "months": known("months"),
        "weekdays": known("days"),
        "halves": halves(),
        "currencies": currencies(),
    }


def known(kind: Literal["months", "days"]) -> dict[str, int]:
    """The names of the locale data, and those made from them that mean one thing only."""
    found = dict(names(kind))
    if kind == "months":
        found |= MORE_MONTHS
    made: dict[str, set[int]] = {}
    for name, number in found.items():
        for other in variants(name):
            made.setdefault(other, set()).add(number)
    for name, numbers in made.items():
        if name not in found and len(numbers) == 1:
            found[name] = next(iter(numbers))
    return found


def names(kind: Literal["months", "days"]) -> Iterator[tuple[str, int]]:
    for language in LANGUAGES:
        of_kind = getattr(Locale.parse(language), kind)
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in of_kind[context][width].items():
                    for particle in PARTICLES:
                        name = name.removeprefix(particle)
                    if (said := plain(name)).isalpha() or "ΐ" in said:
                        yield said, number


def variants(name: str) -> Iterable[str]:
    bare = "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c))
    return {bare, name[:SHORT], bare[:SHORT]} if len(name) > SHORT else {bare}


def halves() -> dict[str, int]:
    found = {"am": 0, "pm": 1, "a": 0, "p": 1}
    for language in LANGUAGES:
        periods = Locale.parse(language).day_periods["format"]
        for width in ("wide", "abbreviated"):
            for half, period in enumerate(("am", "pm")):
                if name := periods.get(width, {}).get(period):
                    found.setdefault(plain(name), half)
    return found


def currencies() -> dict[str, list[str]]:
    found: dict[str, set[str]] = {code: {code} for code in list_currencies()}
    found |= {word: {code} for word, code in WRITTEN.items()}
    for name in LOCALES:
        for code, symbol in Locale.parse(name).currency_symbols.items():
            word = usual_signs(symbol).strip()
            # A single letter is a unit as well.
            if len(word) > 1 or not word.isalpha():
                found.setdefault(word, set()).add(code)
                found.setdefault(word.removesuffix("."), set()).add(code)
    found.setdefault("$", set()).update(
        code for word, codes in list(found.items()) if word.endswith("$") for code in codes
    )
    return {word: sorted(codes) for word, codes in found.items() if word}


if __name__ == "__main__":
    text = json.dumps(words(), ensure_ascii=False, indent=0, sort_keys=True)
    WORDS.write_text(text + "\n", encoding="utf-8")
