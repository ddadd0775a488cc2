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


class OtherCount(Exception):
    """Not as many records match as was expected, or too many for one action."""

    def __init__(self, expected: int, found: int) -> None:
        many = f"More than {MOST:,}" if found > MOST else f"{found:,}"
        advice = (
            f"Narrow the filter: at most {MOST:,} can be changed at once."
            if max(found, expected) > MOST
            else "Check the filter, and repeat with the right number."
        )
        super().__init__(f"{many} records match, not {expected:,}. Nothing was changed. {advice}")


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


def change_expected(
    records: RecordQuerySet, expected: int, change: Callable[[list[str]], int]
) -> int:
    """Change exactly the records that match, in chunks that are committed each, if there are as
    many as expected; returns how many were changed.

    Raises OtherCount, before anything is changed.
    """
    ids = list(records.order_by("id").values_list("pk", flat=True)[: MOST + 1])
    if len(ids) != expected or expected > MOST:
        raise OtherCount(expected, len(ids))
    chunks = (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))
    return sum(map(change, chunks))


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
