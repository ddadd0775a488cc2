"""Values <-> JSON text as databases take it. Pure: no Django, no tables."""

import json
import math
from typing import Any

import orjson

# A number of so many digits may be a whole one of more than 64 bits. It is looked for in text whose
# digits are all made zeros, which takes a sixth of the time of a pattern.
_LONG = b"0" * 19
_ZEROS = bytes.maketrans(b"123456789", b"000000000")


def parsed(text: str) -> Any:
    """What JSON text says, with whole numbers of any size, of which orjson makes floats."""
    if (
        _LONG not in text.encode(errors="replace").translate(_ZEROS)
        # It holds texts only.
        or text.count('":') == text.count('":"') + text.count('": "')
    ):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:  # "1e400", say
            pass
    return json.loads(text)


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


def storable(value: Any) -> Any:
    """JSON that PostgreSQL can store: it may quote what made a row invalid."""
    match value:
        case str():
            return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
        case dict():
            return {storable(name): storable(item) for name, item in value.items()}
        case list() | tuple():
            return [storable(item) for item in value]
    return value
