"""Values -> JSON text as databases take it. Pure: no Django, no tables."""

import json
import math
from typing import Any

import orjson


def json_text(value: Any) -> str:
    """A value as JSON. Whole numbers of any size are kept; what is no finite number is null."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # a whole number of more than 64 bits
        return json.dumps(_finite(value), ensure_ascii=False, separators=(",", ":"))


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
