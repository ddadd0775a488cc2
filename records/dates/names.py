"""The names of months, weekdays and halves of the day in the large languages. Pure: no Django."""

from collections.abc import Mapping

from records.locale_words import locale_words


def plain(name: str) -> str:
    """A name as it is looked up: in lower case, without dots and spaces."""
    # The lower case of the Turkish İ is an i with a dot above it.
    folded = name.casefold().replace("i\u0307", "i")
    return "".join(part for part in folded if part not in ". \u00a0\u202f")


def months() -> Mapping[str, int]:
    """The number of each month's name, in full and abbreviated, with and without accents."""
    return locale_words("months")


def month_number(name: str) -> int | None:
    """1 to 12; None for a word that names no month."""
    return months().get(plain(name))


def half_number(name: str) -> int | None:
    """0 for the morning, 1 for the afternoon; None for a word that names neither."""
    return locale_words("halves").get(plain(name))


def is_weekday(name: str) -> bool:
    return plain(name) in locale_words("weekdays")
