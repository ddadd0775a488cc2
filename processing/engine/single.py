"""The default rules for a single record, for use from Python. Pure: no Django, no tables."""

import time
from typing import Any

from processing.engine.pipeline import apply, cleaned_rows
from processing.rules.defaults import default_rules

RULES = default_rules({"id": ["id"], "value": ["value"], "category": ["category"]})


def validate_data(data: dict[str, Any]) -> bool:
    """Whether a record passes: ``id`` and ``value`` are there and say something."""
    checks = [step for step in RULES if step["rule"] == "required"]
    return not apply([data], checks, time.time()).errors


def transform_data(data: dict[str, Any]) -> dict[str, Any]:
    """The cleaned record: ``value`` a float (0.0 if it can't be read as a finite number),
    ``category`` stripped and in small letters, ``processed_timestamp`` added. ``data`` stays as
    it is."""
    changes = [step for step in RULES if step["rule"] != "required"]
    (cleaned,) = cleaned_rows(apply([data], changes, time.time()))
    return cleaned
