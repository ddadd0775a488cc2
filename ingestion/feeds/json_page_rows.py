"""Rows of a page that are no objects in a list: lists with a header, and objects by key. Pure."""

import json
from collections.abc import Iterator, Sequence
from itertools import chain, count
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

# The column with the names of the members that are rows.
KEY_COLUMN = "key"


def are_lists(rows: Sequence[str]) -> bool:
    """Whether all rows are lists."""
    return bool(rows) and all(row.startswith("[") for row in rows)


def names_in(cells: Any) -> list[str] | None:
    """A list of names of columns, each a text or an object with a name; else None."""
    if not isinstance(cells, list):
        return None
    found = (cell.get("name") if isinstance(cell, dict) else cell for cell in cells)
    names = [name for name in found if isinstance(name, str) and name.strip()]
    return names if len(set(names)) == len(cells) else None


def as_object(row: str, names: Sequence[str], ends: Any) -> str:
    """A list as an object, each cell with its exact text; the list itself if it does not fit.

    ``ends`` finds the end of the value at a place in a text.
    """
    cells = list(_cells(row, ends))
    if len(cells) != len(names):
        return row
    members = (f"{json.dumps(name)}: {cell}" for name, cell in zip(names, cells, strict=True))
    return f"{{{', '.join(members)}}}"


def _cells(row: str, ends: Any) -> Iterator[str]:
    at = _skip(row, 1)
    while row[at] != "]":
        end = ends(row, at)
        yield row[at:end]
        at = _skip(row, end)
        if row[at] == ",":
            at = _skip(row, at + 1)


def members_as_rows(text: str, ends: Any) -> list[str] | None:
    """The members of an object, which are objects that are alike, with their names as a cell.

    None if it has others, or just one.
    """
    members: list[tuple[str, str, set[str]]] = []
    at = _skip(text, 1)
    while text[at] != "}":
        begin = at
        _, at = scanstring(text, at + 1, True)
        name = text[begin:at]
        at = _skip(text, _skip(text, at) + 1)
        if text[at] != "{":
            return None
        end = ends(text, at)
        members.append((name, text[at:end], set(json.loads(text[at:end]))))
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    common = set.intersection(*(names for _, _, names in members)) if members else set()
    widest = max((len(names) for _, _, names in members), default=0)
    if len(members) < 2 or not 0 < widest <= len(common) * 2:
        return None
    taken = set.union(*(names for _, _, names in members))
    numbered = chain([KEY_COLUMN], (f"{KEY_COLUMN}_{number}" for number in count(2)))
    column = json.dumps(next(name for name in numbered if name not in taken))
    return [f"{{{column}: {name}, {inner[1:].lstrip()}" for name, inner, _ in members]


def _skip(text: str, at: int) -> int:
    while text[at] in " \t\r\n":
        at += 1
    return at
