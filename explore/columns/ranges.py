"""Ranges of ids, which are compared byte by byte. Pure."""

from bisect import bisect_right
from collections.abc import Collection, Iterable
from typing import NamedTuple


class Range(NamedTuple):
    """Ids from ``first`` up to, but without, ``end``."""

    first: str
    end: str

    def holds(self, record_id: str) -> bool:
        return self.first <= record_id < self.end

    def covers(self, other: "Range") -> bool:
        return self.first <= other.first and other.end <= self.end

    def meets(self, other: "Range") -> bool:
        return self.first < other.end and other.first < self.end


def behind(record_id: str) -> str:
    """The first id that may come after this one: no id has a NUL character."""
    return record_id + "\x01"


def of_source(source: str) -> Range:
    """All ids of a source. (";" is the byte after ":".)"""
    return Range(f"{source}:", f"{source};")


def merged(ranges: Iterable[Range]) -> list[Range]:
    """The same ids in ranges that neither meet nor touch, in order."""
    found: list[Range] = []
    for each in sorted(ranges):
        if found and each.first <= found[-1].end:
            found[-1] = Range(found[-1].first, max(found[-1].end, each.end))
        else:
            found.append(each)
    return found


def outside(ids: Iterable[str], ranges: Collection[Range]) -> set[str]:
    """Those of the ids that lie in none of the ranges, which are in order and do not meet."""
    if not ranges:
        return set(ids)
    ordered = list(ranges)
    starts = [each.first for each in ordered]
    found = set()
    for record_id in ids:
        place = bisect_right(starts, record_id) - 1
        if place < 0 or not ordered[place].holds(record_id):
            found.add(record_id)
    return found
