"""The cells of a sheet as text. Pure: no Django, no tables."""

import re
from datetime import date, datetime, time, timedelta
from typing import Any


def cell_text(cell: Any) -> str:
    """A cell as the text that Excel shows, except for date formats and rounding."""
    return value_text(cell.value, cell.number_format or "")


def value_text(value: Any, number_format: str) -> str:
    """The value of a cell as the text that Excel shows in a format."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _number(value, number_format)
    if isinstance(value, datetime):
        has_time = value.time() != time() or re.search("[hs]", number_format, re.I)
        return value.isoformat(sep=" ") if has_time else value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return _duration(value) if isinstance(value, timedelta) else str(value)


def _number(value: float, number_format: str) -> str:
    whole = int(value) if isinstance(value, int) or value.is_integer() else None
    if whole is None or abs(whole) >= 10**15:
        return repr(value)
    # An id such as 00501 is often a number that is displayed with leading zeros.
    return str(whole).zfill(len(number_format)) if set(number_format) == {"0"} else str(whole)


def _duration(value: timedelta) -> str:
    seconds = round(value.total_seconds())
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
