"""Tells rows right below the header that describe columns: units, questions. Pure: no Django."""

import json
import re
from collections.abc import Sequence

from ingestion.parsing.detection.cells import Cells, is_word, kinds_of

# No more rows than these describe columns.
MOST = 3
BRACKETED = re.compile(r"\s*[\[(<{].*[\])>}]\s*", re.DOTALL)
UNIT = re.compile(r"\s*[^\W\d]{0,3}[^\s\d]{0,5}(?:[/*·^ ][^\s]{1,5}){0,3}\s*")


def rows_below(rows: Sequence[Cells]) -> list[str]:
    """The codes of the first rows of a table that are no data; all other rows bear that out."""
    described = _json_row(rows)
    if described:
        return ["question"] * described
    found: list[str] = []
    for place in range(min(MOST, len(rows) - 2)):
        code = _code(rows[place], rows[place + 1 :])
        if not code:
            break
        found.append(code)
    return found


def _json_row(rows: Sequence[Cells]) -> int:
    """The number of first rows down to one whose cells are all JSON objects; 0 if there is none."""
    for place, row in enumerate(rows[:MOST]):
        cells = [cell for cell in row if cell.strip()]
        if len(cells) > 1 and all(map(_is_object, cells)):
            others = rows[place + 1 :]
            return 0 if any(_is_object(cell) for row in others[:3] for cell in row) else place + 1
    return 0


def _is_object(cell: str) -> bool:
    if not cell.lstrip().startswith("{"):
        return False
    try:
        return isinstance(json.loads(cell), dict)
    except (ValueError, RecursionError):
        return False


def _code(row: Cells, others: Sequence[Cells]) -> str:
    """The code of a row that has words in all columns of numbers and dates; "" if it is data."""
    kinds = kinds_of(others, 1)
    typed = [cell for cell, kind in zip(row, kinds, strict=False) if kind and cell.strip()]
    rest = [cell for cell, kind in zip(row, kinds, strict=False) if not kind and cell.strip()]
    if not typed or not all(map(_says_something, typed)):
        return ""
    if all(map(_is_unit, typed)) and all(map(_is_unit, rest)):
        bracketed = any(BRACKETED.fullmatch(cell) for cell in typed)
        if bracketed or len(typed) > 1 or not rest:
            return "units"
    return (
        "question" if sum(map(is_word, typed)) > 1 and len(typed) == sum(map(bool, kinds)) else ""
    )


def _says_something(cell: str) -> bool:
    return is_word(cell) or _is_unit(cell)


def _is_unit(cell: str) -> bool:
    text = cell.strip()
    return BRACKETED.fullmatch(cell) is not None or (
        len(text) <= 12 and not any(map(str.isdigit, text[:1])) and UNIT.fullmatch(text) is not None
    )
