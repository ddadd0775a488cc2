"""What an entry tells of values: the changed ones only, of a bounded length, and no secrets."""

import re
from collections.abc import Mapping
from typing import Any

from web.control_chars import escape_control_chars

CHANGED = "changed"
LONGEST_TEXT = 1_000
MOST_ITEMS = 500
DEEPEST = 8
# Names whose values are never kept, wherever they stand.
SECRET = re.compile(r"password|secret|token|digest|recovery|authorization|cookie|api.?key", re.I)


def line(text: object, longest: int) -> str:
    """A text as one line of at most so many characters, whose control characters can be seen."""
    shown = escape_control_chars(str(text)[:longest], longest)
    return " ".join(shown.split())[:longest]


def changed(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Both without what is the same in them; None stays None, for what was not there."""
    if before is None or after is None:
        return _kept(before), _kept(after)
    was, is_now = _differing(before, after)
    return _kept(was), _kept(is_now)


def _differing(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    was: dict[str, Any] = {}
    is_now: dict[str, Any] = {}
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        if name in before and name in after and _same(old, new):
            continue
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            old, new = _differing(old, new)
        if name in before:
            was[name] = old
        if name in after:
            is_now[name] = new
    return was, is_now


def _same(old: Any, new: Any) -> bool:
    # Python takes true for 1.
    return type(old) is type(new) and bool(old == new)


def _kept(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if values is None else _plain(values, DEEPEST)


def _plain(value: Any, depth: int) -> Any:
    """A value as JSON has it, cut where it is long or deep, without secrets."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth and isinstance(value, Mapping):
        shown = {
            str(name)[:LONGEST_TEXT]: CHANGED if SECRET.search(str(name)) else _plain(it, depth - 1)
            for name, it in list(value.items())[:MOST_ITEMS]
        }
        return shown | _rest(len(value), "fields")
    if depth and isinstance(value, list | tuple | set | frozenset):
        shown_items = [_plain(item, depth - 1) for item in list(value)[:MOST_ITEMS]]
        return shown_items + list(_rest(len(value), "items").values())
    text = str(value)
    left = len(text) - LONGEST_TEXT
    return f"{text[:LONGEST_TEXT]} … ({left:,} more characters)" if left > 0 else text


def _rest(count: int, what: str) -> dict[str, str]:
    left = count - MOST_ITEMS
    return {"…": f"{left:,} more {what}"} if left > 0 else {}
