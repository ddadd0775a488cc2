"""The default rules of a source. Pure: no Django, no tables."""

from collections.abc import Mapping
from typing import Any

from processing.rules import Step
from records.number_text import style_of


def default_rules(mapping: Mapping[str, Any]) -> list[Step]:
    """The default rule set for a source's mapping; a role without a column has no rule."""
    keys, values = mapping.get("id") or [], mapping.get("value") or []
    rules: list[Step] = []
    if keys or values:
        rules.append({"rule": "required", "columns": [*keys, *values]})
    rules += [
        {"rule": "number", "column": column, "default": 0.0, **_style(mapping, column)}
        for column in values
    ]
    rules += [
        {"rule": "text", "column": column, "strip": True, "lower": True}
        for column in mapping.get("category") or []
    ]
    return [*rules, {"rule": "stamp", "column": "processed_timestamp"}]


def _style(mapping: Mapping[str, Any], column: str) -> dict[str, Any]:
    """How the numbers of a column are written, as far as that differs from the usual."""
    numbers = mapping.get("numbers") or {}
    return style_of(numbers.get(column) or {}).parameters()
