"""Reads numbers as people and programs write them. Pure: no Django, no tables.

A style says how the numbers of a column are written. Rules convert by it, and detection
(records.number_styles) looks for the one that reads a whole column, so both agree on each cell.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

# Digits as in a number, without what float() takes besides: underscores, names, other scripts.
# Each text can match in one way only: else a long one that matches in none would take hours.
NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
# In a text of these alone, float() takes nothing but numbers.
_PLAIN = b"0123456789+-.eE \t\r\n"
# Words behind a number that say on which side of an account it stands.
CREDIT = ("CR", "C", "H")
DEBIT = ("DR", "DB", "D", "S")
# Longer texts are no numbers, and not converted character by character.
LONGEST = 1_000

Reader = Callable[[object], float | None]


class Style(NamedTuple):
    """How numbers are written; the names and defaults are those of the rule ``number``.

    ``thousands`` is "", or one of , . ' and a space. ``lakh``: groups as in 12,34,567. ``percent``:
    12% is 0.12. ``currency``: symbols before or behind. ``variants``: other minus signs, a minus
    behind or parentheses for a negative number, all kinds of spaces and apostrophes, digits of
    other scripts. ``credit``: "plus" or "minus" is what CR means behind a number; DR is the
    opposite.
    """

    decimal: str = "."
    thousands: str = ""
    lakh: bool = False
    percent: bool = False
    currency: tuple[str, ...] = ()
    variants: bool = False
    credit: str = ""

    def parameters(self) -> dict[str, Any]:
        """The style as parameters of the rule, without those that have their default."""
        said = {
            name: value
            for name, value in self._asdict().items()
            if value != self._field_defaults[name]
        }
        return said | ({"currency": list(self.currency)} if self.currency else {})


PLAIN = Style()
# The choices of the signs.
DECIMALS = (".", ",")
THOUSANDS = ("", ",", ".", " ", "'")
CREDITS = ("", "plus", "minus")
# More currency symbols, or longer ones, would take minutes to compile into a pattern.
MOST_SYMBOLS, LONGEST_SYMBOL = 100, 20


def style_of(parameters: Mapping[str, Any]) -> Style:
    """The style that parameters of the rule describe; others among them are ignored."""
    said = {name: parameters[name] for name in Style._fields if name in parameters}
    return Style(**said | {"currency": tuple(said.get("currency") or ())})


def style_problem(parameters: object) -> str | None:
    """Why parameters describe no style, as a part of a sentence; None if they do."""
    if not isinstance(parameters, dict):
        return 'must be an object such as {"decimal": ","}'
    if unknown := sorted(set(parameters) - set(Style._fields)):
        return f"has no {unknown[0]!r}; it may have {', '.join(Style._fields)}"
    symbols = parameters.get("currency", [])
    if not isinstance(symbols, list) or not all(map(_is_symbol, symbols)):
        return "must have a list of currency symbols without digits and signs as 'currency'"
    if len(symbols) > MOST_SYMBOLS:
        return f"can have {MOST_SYMBOLS} currency symbols at most"
    style = style_of(parameters)
    chosen = {"decimal": DECIMALS, "thousands": THOUSANDS, "credit": CREDITS}
    for name, choices in chosen.items():
        if getattr(style, name) not in choices:
            return f"must have one of {', '.join(map(repr, choices))} as {name!r}"
    for name in ("lakh", "percent", "variants"):
        if not isinstance(getattr(style, name), bool):
            return f"must have true or false as {name!r}"
    if style.decimal == style.thousands or (style.lakh and not style.thousands):
        return "must have different signs for decimals and thousands"
    return None


def _is_symbol(text: object) -> bool:
    return (
        isinstance(text, str)
        and 0 < len(text.strip()) <= LONGEST_SYMBOL
        and not set(text) & set("0123456789+-.,%\0")
    )


def read_number(cell: object) -> float | None:
    """A cell as a finite number, or None if it is none."""
    if isinstance(cell, str):
        cell = cell.strip()
        if not NUMBER.fullmatch(cell):
            return None
    elif not isinstance(cell, int | float) or isinstance(cell, bool):
        return None
    try:
        number = float(cell)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def plain_numbers(cells: Sequence[object]) -> list[float] | None:
    """All cells as numbers, if they are texts that float() alone can read; else None."""
    try:
        text = "".join(cells)  # type: ignore[arg-type]
        if text.encode().translate(None, _PLAIN):
            return None
        numbers = list(map(float, cells))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return numbers if all(map(math.isfinite, numbers)) else None


def styled_numbers(cells: Sequence[object], style: Style) -> list[float] | None:
    """All cells as numbers, if each has the common form of the style: a sign at the beginning, a
    currency symbol. Else None, and they have to be read one by one."""
    line, removed = _common_form(style)
    if line is None:
        return None
    try:
        text = "\n".join(cells)  # type: ignore[arg-type]
    except TypeError:
        return None
    if len(line.findall(text)) != len(cells) or text.count("\n") != len(cells) - 1:
        return None
    numbers = list(map(float, text.translate(removed).split("\n")))
    return numbers if all(map(math.isfinite, numbers)) else None


@lru_cache(maxsize=256)
def _common_form(style: Style) -> tuple[re.Pattern[str] | None, dict[int, str | None]]:
    """A pattern for a line of this form, and the characters to remove or replace for float()."""
    symbols = "".join(style.currency)
    if set(symbols) & set("0123456789.,'+-\n"):
        return None, {}
    signs = _symbols(style.currency)
    before, behind = (f"(?:{signs} ?)?", f"(?: ?{signs})?") if signs else ("", "")
    point = re.escape(style.decimal)
    line = re.compile(
        rf"^[+-]?{before}(?:{_whole(style)}(?:{point}[0-9]*)?|{point}[0-9]+){behind}$", re.MULTILINE
    )
    gone = {*map(ord, symbols), *map(ord, _separators(style)), ord(" ")}
    removed: dict[int, str | None] = dict.fromkeys(gone)
    return line, removed | {ord(style.decimal): "."}


def _separators(style: Style) -> str:
    # A space that separates thousands is often one that does not break.
    return " \u00a0\u202f" if style.thousands == " " else style.thousands


def _whole(style: Style) -> str:
    """The pattern of the digits before the decimal sign."""
    if not style.thousands:
        return "[0-9]+"
    separator = f"[{re.escape(_separators(style))}]"
    if style.lakh:
        return rf"(?:[0-9]{{1,2}}(?:{separator}[0-9]{{2}}(?![0-9]))*+{separator}[0-9]{{3}}|[0-9]+)"
    return rf"(?:[0-9]{{1,3}}(?:{separator}[0-9]{{3}})+|[0-9]+)"


def _symbols(currency: Sequence[str]) -> str:
    # The longest first: "US$" before "$".
    longest_first = sorted(map(str.strip, currency), key=len, reverse=True)
    return f"(?:{'|'.join(map(re.escape, longest_first))})" if longest_first else ""


@lru_cache(maxsize=256)
def reader(style: Style) -> Reader:
    """The function that reads cells of a style; None for one that is no such number."""
    if style == PLAIN:
        return read_number
    decimal, percent = style.decimal, style.percent
    pattern = re.compile(_variants(style) if style.variants or style.credit else _usual(style))
    separator = re.compile(f"[{re.escape(_separators(style))}]") if style.thousands else None

    def read(cell: object) -> float | None:
        if not isinstance(cell, str):
            return read_number(cell)
        text = cell.strip()
        if style.variants:
            text = usual_signs(text)
        found = pattern.fullmatch(text)
        if found is None:
            return None
        said = found.groupdict("")
        negative = _negative(said, style.credit)
        if negative is None:
            return None
        digits = separator.sub("", said["digits"]) if separator else said["digits"]
        result = float(("-" if negative else "") + digits.replace(decimal, "."))
        if percent and said["percent"]:
            result /= 100
        return result if math.isfinite(result) else None

    return read


def _digits(style: Style) -> str:
    point = re.escape(style.decimal)
    return rf"(?:{_whole(style)}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?"


def _usual(style: Style) -> str:
    """The pattern of a number with its sign at the beginning."""
    signs = _symbols(style.currency)
    hundredth = r"(?P<percent>\s*+%)?" if style.percent else ""
    if signs:
        return (
            rf"(?P<minus>[+-]?)\s*+(?:{signs}\s*+)?(?P<sign>[+-]?)(?P<digits>{_digits(style)})"
            rf"(?:\s*+{signs})?{hundredth}"
        )
    return rf"(?P<minus>[+-]?)(?P<digits>{_digits(style)}){hundredth}"


def _variants(style: Style) -> str:
    """The pattern of a number with signs before and behind, in parentheses, of an account."""
    signs = [_symbols(tuple(map(usual_signs, style.currency))), "%" if style.percent else ""]
    unit = "|".join(filter(None, signs))
    before = rf"(?:(?:{unit})\s*+)?" if unit else ""
    behind = rf"(?:\s*+(?:{unit})){{0,2}}" if unit else ""
    # One capturing group for a percent sign wherever it stands: found by looking ahead.
    hundredth = r"(?=(?P<percent>[^%]*+%)?)" if style.percent else ""
    sides = "|".join((*CREDIT, *DEBIT))
    side = rf"(?:\s*+(?P<side>(?i:{sides}))\.?)?" if style.credit else ""
    return (
        rf"{hundredth}(?P<minus>[+-]?)\s*+{before}(?:(?P<open>\()\s*+)?{before}"
        rf"(?P<sign>[+-]?)\s*+(?P<digits>{_digits(style)}){behind}"
        rf"(?:\s*+(?P<trailing>[+-]))?(?(open)\s*+\)){behind}{side}"
    )


def _negative(said: Mapping[str, str], credit: str) -> bool | None:
    """Whether the signs of a number make it negative; None if there are two."""
    signs = [said[name] for name in ("minus", "sign", "trailing") if said.get(name)]
    if said.get("open"):
        signs.append("-")
    if side := said.get("side", "").upper():
        if signs:
            return None
        return (side in CREDIT) is (credit == "minus")
    return None if len(signs) > 1 else signs == ["-"]


def usual_signs(text: str) -> str:
    """A text with the usual characters for minus signs, spaces, apostrophes and digits."""
    if text.isascii():
        return text.replace("`", "'")
    return text.translate(_usual_characters) if len(text) <= LONGEST else text


# Enough for the characters of any script.
_REMEMBERED = 10_000


class _UsualCharacters(dict[int, str | int | None]):
    """For ``str.translate``: the usual character for each, found out when it first occurs."""

    def __missing__(self, code: int) -> str | int | None:
        character = chr(code)
        match unicodedata.category(character):
            case "Nd":
                usual: str | int | None = str(unicodedata.decimal(character))
            case "Zs":
                usual = " "
            case "Pd":
                usual = "-"
            case "Cf":
                usual = None
            case _:
                usual = code
        usual = code if code < 128 else usual
        if len(self) < _REMEMBERED:
            self[code] = usual
        return usual


_GIVEN = {"\u2212": "-", "\u207b": "-", "\ufe62": "+", "\u066a": "%", "\u066b": ".",
          "\u066c": ",", "\uffe5": "\u00a5", "\uffe1": "\u00a3", "\uffe0": "\u00a2"}  # fmt: skip
_APOSTROPHES = dict.fromkeys("`\u2019\u2018\u02bc\u00b4\u2032", "'")
_usual_characters = _UsualCharacters(
    {
        **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
        **{ord(one): other for one, other in {**_GIVEN, **_APOSTROPHES}.items()},
    }
)
