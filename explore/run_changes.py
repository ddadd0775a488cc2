"""What an ingestion run has changed: the records that it created, updated, closed and reopened."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any

from explore.explorer.table import in_order
from records.cell_changes import Change, cell_changes
from records.database import bulk
from records.models import DataRecord, IngestionRun, RecordVersion
from web.keyset import Page, merged_page, page_of

# Of more records than this that a run has created, the next ones are not far in its source.
FEW = 10_000


class Kind(StrEnum):
    """The counts of a run that tell how many records it has changed."""

    CREATED = "created"
    UPDATED = "updated"
    CLOSED = "closed"
    REOPENED = "reopened"


@dataclass(frozen=True, slots=True)
class Content:
    """What a record held at some time, and the line of the input that it is from."""

    data: Mapping[str, Any]
    timestamp: datetime | None
    line: int | None


@dataclass(slots=True)
class RecordChange:
    """What a row of a run has made of a record: ``cells`` are those that differ.

    A record that the row has created held nothing before. One that the run has closed or reopened
    holds what it holds now. ``is_closed`` is whether it is closed now.
    """

    record_id: str
    before: Content | None
    after: Content
    cells: list[Change] = field(default_factory=list)
    is_closed: bool = False

    @property
    def has_moved(self) -> bool:
        """Whether the record was given another timestamp."""
        return self.before is not None and self.before.timestamp != self.after.timestamp


def page_of_changes(
    run: IngestionRun, kind: Kind, *, cursor: str | None, limit: int
) -> Page[RecordChange]:
    """A page of what a run has created, closed or reopened, in the order of ids, or updated, in the
    order in which it did. Raises InvalidCursor.

    Each row that the ledger counts is one change, as long as its record has not been deleted.
    """
    if kind == Kind.CREATED:
        return merged_page(
            partial(_created, run), key=lambda change: change.record_id, cursor=cursor, limit=limit
        )
    if kind in (Kind.CLOSED, Kind.REOPENED):
        closed = partial(_closed, run, kind == Kind.CLOSED)
        return merged_page(closed, key=lambda change: change.record_id, cursor=cursor, limit=limit)
    page = page_of(RecordVersion.objects.updated_by(run), cursor=cursor, limit=limit)
    return Page(list(_updated(run, page.records)), page.next, page.previous)


def _created(run: IngestionRun, key: str, greater: bool, limit: int) -> Iterator[RecordChange]:
    """Records that a run has created: those that are as they were, and those changed since."""
    if not run.created:
        return
    records = DataRecord.objects.of_source(run.source.name).created_by(run)
    if run.created <= FEW:
        records = records.with_ids(_ids_created(run))
    fields = ("data", "timestamp", "line")
    for found, name in (
        (records, "id"),
        (RecordVersion.objects.created_by(run), "record_id"),
    ):
        if key:
            found = found.filter(**{f"{name}__{'gt' if greater else 'lt'}": key})
        ordered = found.order_by(name if greater else f"-{name}")
        for record_id, *content in ordered.values_list(name, *fields)[:limit]:
            yield RecordChange(record_id, None, _content(run, *content))


def _closed(
    run: IngestionRun, is_closed: bool, key: str, greater: bool, limit: int
) -> Iterator[RecordChange]:
    """Records that a run has closed, or reopened, unless it has been undone."""
    rows = run.closings.standing().filter(is_closed=is_closed)
    if key:
        rows = rows.filter(**{f"record_id__{'gt' if greater else 'lt'}": key})
    rows = rows.order_by("record_id" if greater else "-record_id")
    ids = list(rows.values_list("record_id", flat=True)[:limit])
    fields = ("id", "data", "timestamp", "line", "closed_by_id")
    found = {row[0]: row[1:] for row in DataRecord.objects.with_ids(ids).values_list(*fields)}
    for record_id in ids:
        *content, closed_by = found[record_id]
        now = _content(run, *content)
        yield RecordChange(record_id, now, now, is_closed=closed_by is not None)


def _ids_created(run: IngestionRun) -> list[str]:
    """The ids of the few records that a run has created and nothing has changed since.

    In the order of ids, the database would look for them record by record in the whole source.
    """
    found = DataRecord.objects.created_by(run)
    if bulk.is_postgresql():
        # SQLite would take the index of ids then, which is slower than the table as it lies.
        found = found.of_source(run.source.name)
    return list(found.order_by().values_list("id", flat=True)[: FEW + 1])


def _updated(run: IngestionRun, versions: Sequence[RecordVersion]) -> Iterator[RecordChange]:
    """What came of versions that a run has replaced."""
    following = _following(versions)
    for former in versions:
        before = _content(run, former.data, former.timestamp, former.line)
        # A record that has been deleted in between is left out.
        if content := following.get((former.record_id, former.version + 1)):
            after = _content(run, *content)
            cells = cell_changes(before.data, after.data)
            yield RecordChange(former.record_id, before, after, cells)


def _following(versions: Sequence[RecordVersion]) -> dict[tuple[str, int], tuple[Any, ...]]:
    """Data, timestamp and line of the contents that came next, by record and version."""
    ids = {former.record_id for former in versions}
    fields = ("version", "data", "timestamp", "line")
    # First what records hold now: what is changed in between is a version by then.
    now = DataRecord.objects.with_ids(ids).values_list("id", *fields)
    found = {(key, version): tuple(content) for key, version, *content in now}
    wanted = {former.version + 1 for former in versions}
    later = RecordVersion.objects.filter(record_id__in=ids, version__in=wanted)
    for key, version, *content in later.values_list("record_id", *fields):
        found[key, version] = tuple(content)
    return found


def _content(run: IngestionRun, data: dict[str, Any], timestamp: Any, line: Any) -> Content:
    ordered = {name: data[name] for name in in_order(run.columns, data)}
    return Content(ordered, timestamp, line)
