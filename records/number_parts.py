"""Takes texts that may be numbers apart: digits, signs, currency symbols. Pure: no Django."""

import re
from typing import NamedTuple

from records.locale_words import locale_words
from records.number_text import CREDIT, DEBIT, usual_signs

LONGEST_WORD = 12
SIGNS = "-+()%"

# What stands around digits: a sign or a word. A point may end a word, as in "Fr.".
_TOKEN = re.compile(r"\s*+(?:(?P<sign>[-+()%])|(?P<word>[^-+()%\s0-9.,':;=<>~*#\"@]+\.?))")
# The digits with what may stand among and around them.
_CORE = re.compile(r"[.,]?[0-9](?:[0-9.,' ]*[0-9])?[.,]?(?:[eE][+-]?[0-9]+(?![0-9.,]))?")


class Parts(NamedTuple):
    """A text that may be a number. ``unit`` is a word that is no currency symbol, ``side`` CR, DR
    or a letter that may stand for them."""

    digits: str
    percent: bool = False
    symbols: tuple[str, ...] = ()
    unit: str = ""
    side: str = ""


def parts_of(text: str) -> Parts | None:
    """The parts of a text; None if it can't be a number however numbers are written."""
    text = usual_signs(text.strip())
    found = _CORE.search(text)
    if found is None:
        return None
    before, behind = _tokens(text[: found.start()]), _tokens(text[found.end() :])
    if before is None or behind is None or not _are_signs([*before, "0", *behind]):
        return None
    words = [one for one in (*before, *behind) if one not in SIGNS]
    symbols = tuple(word for word in words if currencies(word))
    others = [word for word in words if not currencies(word)]
    if len(others) > 1 or (others and others[0] in before):
        return None
    unit = others[0] if others else ""
    is_side = unit.upper().removesuffix(".") in (*CREDIT, *DEBIT)
    return Parts(
        digits=found[0],
        percent="%" in (*before, *behind),
        symbols=symbols,
        unit="" if is_side else unit,
        side=unit.upper().removesuffix(".") if is_side else "",
    )


def _tokens(text: str) -> list[str] | None:
    """The signs and words of a text; None if there is anything else."""
    found: list[str] = []
    end = 0
    while text[end:].strip():
        token = _TOKEN.match(text, end)
        if token is None or len(found) == 4:
            return None
        found.append(token["sign"] or token["word"])
        if len(found[-1]) > LONGEST_WORD:
            return None
        end = token.end()
    return found


def _are_signs(tokens: list[str]) -> bool:
    """Whether there is one sign at most, and no parenthesis is open."""
    signs = sum(one in "-+" for one in tokens if one != "0")
    place = tokens.index("0")
    is_open = "(" in tokens[:place]
    is_closed = ")" in tokens[place:]
    pairs = tokens.count("(") <= 1 and tokens.count(")") <= 1 and is_open is is_closed
    return pairs and signs + is_open <= 1 and tokens.count("%") <= 1 and ")" not in tokens[:place]


def currencies(word: str) -> frozenset[str]:
    """The codes of the currencies that a symbol or code may mean; none if it is no such word."""
    known = locale_words("currencies")
    word = usual_signs(word)
    return frozenset(known.get(word) or known.get(word.removesuffix("."), ()))
