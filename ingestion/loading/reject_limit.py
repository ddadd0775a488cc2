"""The reject limit: how many rejected rows stop a run. Pure: no Django, no tables."""

import re

from ingestion.errors import InvalidLimit, TooManyRejects

# A percentage of fewer rows is not meaningful.
ENOUGH_ROWS = 1_000


def check_limit(text: str) -> str:
    """A limit as it is stored: "500" rows, "2%" of rows read, "" for none. Raises InvalidLimit."""
    plain = text.strip().replace(" ", "")
    if plain and not re.fullmatch(r"[0-9]{1,12}|[0-9]{1,3}(?:\.[0-9]{1,3})?%", plain):
        raise InvalidLimit(text)
    if plain.endswith("%") and float(plain[:-1]) > 100:
        raise InvalidLimit(text)
    return plain


def exceeds(limit: str, *, rejected: int, read: int, at_end: bool) -> bool:
    """Whether ``rejected`` rows of ``read`` are more than the limit allows.

    A percentage is checked once enough rows have been read, or at the end of the input.
    """
    if limit.endswith("%"):
        return rejected * 100 > read * float(limit[:-1]) and (at_end or read >= ENOUGH_ROWS)
    return bool(limit) and rejected > int(limit)


def check_rejects(limit: str, *, rejected: int, read: int, at_end: bool) -> None:
    """Raise TooManyRejects if the rejected rows exceed the limit."""
    if exceeds(limit, rejected=rejected, read=read, at_end=at_end):
        raise TooManyRejects(rejected, read, limit)
