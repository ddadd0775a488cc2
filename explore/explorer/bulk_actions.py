"""Bulk actions on all records that match a filter, limited in number."""

from collections.abc import Callable
from dataclasses import dataclass

from records import permissions, store
from records.models import DataRecord
from records.models.querysets import RecordQuerySet

# So many at once, which takes seconds; whoever means more repeats it.
MOST = 20_000
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Action:
    """Something that is done to records by their ids, and who may do it."""

    label: str
    permission: permissions.Action
    question: str
    consequence: str
    done: str
    change: Callable[[list[str]], int]


ACTIONS = {
    "reprocess": Action(
        label="Reprocess",
        permission=permissions.Action.REPROCESS_RECORDS,
        question="Reprocess these records?",
        consequence="The records are processed again with the current rules. Their current results "
        "are kept in the history. Records that are already waiting (raw) do not change.",
        done="queued for reprocessing",
        change=lambda ids: store.requeue_records(ids=ids),
    ),
    "delete": Action(
        label="Delete",
        permission=permissions.Action.DELETE_RECORDS,
        question="Delete these records?",
        consequence="The records are deleted with their results and earlier versions. This can't "
        "be undone. The imported files are kept; importing one again restores its records.",
        done="deleted",
        change=lambda ids: store.delete_records(ids=ids),
    ),
}


@dataclass(frozen=True, slots=True)
class Done:
    """How many records were changed, and whether there are more that the filter finds."""

    records: int
    is_all: bool


def subjects(action: str, records: RecordQuerySet) -> RecordQuerySet:
    """Those of the records that the action would change, in the order of their ids."""
    if action == "reprocess":
        records = records.open().exclude(status=DataRecord.Status.RAW)
    return records.order_by("id")


def count(action: str, records: RecordQuerySet) -> int:
    """How many records an action would change; MOST + 1 stands for more than MOST."""
    return subjects(action, records).values("pk")[: MOST + 1].count()


def carry_out(action: str, records: RecordQuerySet) -> Done:
    """Do it to the first MOST of the records, in chunks that are committed each."""
    found = subjects(action, records)
    changed, walked, last = 0, 0, ""
    while walked < MOST:
        ids = list(found.after(last).values_list("pk", flat=True)[: min(CHUNK, MOST - walked)])
        if not ids:
            return Done(changed, is_all=True)
        changed += ACTIONS[action].change(ids)
        walked, last = walked + len(ids), ids[-1]
    return Done(changed, is_all=not found.after(last).exists())
