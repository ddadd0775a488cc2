"""Cells of CSV files that spreadsheets show as the text they are, and never carry out as formulas.

Pure: no Django, no tables.

A spreadsheet may open a file with another separator than the comma: with ``;`` in much of Europe,
or with tabs. Wherever a cell of ours has such a character or a line end inside, a cell of its own
may then begin, even within quotes, which count only at the beginning of a cell. So an apostrophe,
which marks text, is put before each formula at the beginning of a cell or behind such a character.
It can be taken off again.

In a file with another separator, the comma divides cells for those who open it with commas.
"""

import re
from collections.abc import Sequence
from operator import itemgetter

# With these a spreadsheet takes text for a formula; the wide ones are those of Asian keyboards.
STARTS = "-=+@\uff1d\uff0b\uff0d\uff20"
# What may divide cells where the comma does not.
SEPARATORS = ";\t\r\n"
# Numbers as programs write them, and as people do: digits with their separators, a currency symbol
# or a percent sign. No formula can be made of these alone.
_SYMBOL = "[$\u00a2-\u00a5\u20a0-\u20cf]"
PLAIN_NUMBER = re.compile(
    r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
    rf"|-?(?:{_SYMBOL}[ \u00a0]?)?"
    r"[0-9](?:[.,'\u2019]?[0-9]|[ \u00a0\u2009\u202f](?=[0-9]{3}(?![0-9])))*"
    rf"(?:[ \u00a0\u202f]?(?:%|{_SYMBOL}))?"
)

# A formula, also behind apostrophes that are the cell's own: so that ours can be told from them.
_FORMULA = f"'*[{STARTS}]"
# At the beginning of a cell a tab or a line end may be passed over.
_AT_FIRST = f"'*[{STARTS}\t\r\n]"
_place = re.compile(rf'\A(?={_AT_FIRST})|([{SEPARATORS}]"*)(?={_FORMULA})')
_guard = re.compile(rf"""\A'(?={_AT_FIRST})|([{SEPARATORS}]"*)'(?={_FORMULA})""")
_formula_inside = re.compile(rf'[{SEPARATORS}]"*{_FORMULA}').search
_behind_commas = re.compile(rf'(,"*)(?={_FORMULA})')

_FIRST_CHARACTERS = frozenset(f"'{STARTS}\t\r\n")
_first_character = itemgetter(slice(1))


def guarded(cell: str, *, opens_line: bool = False) -> str:
    """The cell with an apostrophe before each formula that a spreadsheet might find in it.

    Numbers stay as they are, negative ones too; but not where they open a line, as with another
    separator the cells that follow would be part of a formula.
    """
    if not opens_line and PLAIN_NUMBER.fullmatch(cell):
        return cell
    return _place.sub(r"\1'", cell)


def guarded_column(cells: Sequence[str], *, delimiter: str = ",") -> Sequence[str]:
    """The cells of a column, none of which opens a line, each of them guarded.

    Most columns need no guard, which a look at all of their text tells at once.
    """
    if delimiter != "," and any(map(_behind_commas.search, cells)):
        cells = [
            cell if PLAIN_NUMBER.fullmatch(cell) else _behind_commas.sub(r"\1'", cell)
            for cell in cells
        ]
    if _FIRST_CHARACTERS.isdisjoint(map(_first_character, cells)):
        text = "".join(cells)
        has_separator = any(separator in text for separator in SEPARATORS)
        if not (has_separator and _formula_inside(text)):
            return cells
    return list(map(guarded, cells))


def unguarded(cell: str) -> str:
    """The cell as it was before it was guarded."""
    return _guard.sub(r"\1", cell) if "'" in cell else cell
