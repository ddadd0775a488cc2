"""The segments of a source, and what has changed since they were made."""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from django.db.models import Sum

from explore.columns import files
from explore.columns.ranges import Range, behind, merged, outside
from explore.columns.schema import Column, Relation, literal, reading
from records.models import ColumnChange, ColumnSegment
from records.store import column_log


@dataclass(slots=True)
class Changes:
    """The changes of a source that segments have yet to follow."""

    # Rows of the log.
    rows: list[int] = field(default_factory=list)
    ranges: list[Range] = field(default_factory=list)
    # Ids outside of the ranges.
    ids: set[str] = field(default_factory=set)


def count_changes(source: str) -> int:
    """How many changes of records are noted; more than records where some changed repeatedly."""
    noted = ColumnChange.objects.filter(source=source).aggregate(records=Sum("records"))
    return noted["records"] or 0


def read_changes(source: str, *, more: Collection[Range] = ()) -> Changes:
    """What is noted of a source, and ``more`` ranges."""
    changes = Changes()
    ranges = list(more)
    ids: set[str] = set()
    rows = ColumnChange.objects.filter(source=source).values_list("pk", "ids", "first", "last")
    for pk, noted, first, last in rows.iterator(chunk_size=10):
        changes.rows.append(pk)
        if noted:
            ids.update(orjson.loads(noted))
        else:
            ranges.append(Range(first, behind(last)))
    changes.ranges = merged(ranges)
    changes.ids = outside(ids, changes.ranges)
    return changes


def current(source: str) -> list[ColumnSegment]:
    """The segments of a source, in the order of their ids."""
    return list(ColumnSegment.objects.filter(source=source, replaced_at=None).order_by("first"))


def range_of(segment: ColumnSegment) -> Range:
    return Range(segment.first, behind(segment.last))


def is_whole(segment: ColumnSegment) -> bool:
    """Whether its file is there, and as it was written."""
    return files.found(segment.digest) is not None


def note_damaged(damaged: Iterable[ColumnSegment]) -> None:
    """Have workers make segments again whose files are lost or damaged."""
    for segment in damaged:
        noted = ColumnChange.objects.filter(
            source=segment.source, ids="", first=segment.first, last=segment.last
        )
        if not noted.exists():
            column_log.note_range(segment.source, segment.first, segment.last, segment.records)


def relations(segments: Sequence[ColumnSegment], changes: Changes, table: str) -> list[Relation]:
    """The records of segments that have not changed, as few relations.

    ``table`` is one of DuckDB, of all changed ids that lie outside of the changed ranges.
    """
    ordered = sorted(changes.ids)
    parts: dict[tuple[str, str], list[ColumnSegment]] = {}
    for segment in segments:
        span = range_of(segment)
        if any(each.covers(span) for each in changes.ranges):
            continue
        conditions = [not_in(each) for each in changes.ranges if each.meets(span)]
        if _has_between(ordered, span):
            conditions.append(f"id NOT IN (SELECT id FROM {table})")  # noqa: S608 (ours)
        key = (orjson.dumps(segment.columns).decode(), " AND ".join(conditions))
        parts.setdefault(key, []).append(segment)
    return [
        Relation(reading(paths), columns_of(part[0].columns), condition, paths)
        for (_, condition), part in parts.items()
        for paths in [_paths(part)]
    ]


def not_in(span: Range) -> str:
    """The SQL condition that an id does not lie in a range."""
    return f"NOT (id >= {literal(span.first)} AND id < {literal(span.end)})"


def columns_of(columns: Sequence[Any]) -> list[Column]:
    return [Column(*each) for each in columns]


def _has_between(ordered: Sequence[str], span: Range) -> bool:
    place = bisect_left(ordered, span.first)
    return place < len(ordered) and ordered[place] < span.end


def _paths(segments: Sequence[ColumnSegment]) -> list[Path]:
    return [path for each in segments if (path := files.found(each.digest)) is not None]
