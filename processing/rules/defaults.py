"""The default rules of a source. Pure: no Django, no tables."""

from collections.abc import Mapping
from typing import Any

from processing.rules import Step


def default_rules(mapping: Mapping[str, Any]) -> list[Step]:
    """The default rule set for a source's mapping; a role without a column has no rule."""
    keys, values = mapping.get("id") or [], mapping.get("value") or []
    rules: list[Step] = []
    if keys or values:
        rules.append({"rule": "required", "columns": [*keys, *values]})
    rules += [{"rule": "number", "column": column, "default": 0.0} for column in values]
    rules += [
        {"rule": "text", "column": column, "strip": True, "lower": True}
        for column in mapping.get("category") or []
    ]
    return [*rules, {"rule": "stamp", "column": "processed_timestamp"}]
