"""Rows that are records of their source already, under the ID that these had before."""

from collections.abc import Callable, Sequence

from django.conf import settings
from django.db.models import Q

from ingestion.errors import RowError
from ingestion.loading.run_input import open_input, row_mapper
from ingestion.parsing.spill_dict import SpillDict
from records.models import DataRecord, IngestionRun, RunState


def doubled_note(run: IngestionRun, on_chunk: Callable[[], None]) -> str:
    """A sentence on the records that a run would double, as its ID is another one; may be empty.

    The whole input is read for that if the ID has changed, and not otherwise. ``on_chunk`` is
    called repeatedly. The run has been detected.
    """
    former = _former_id(run)
    if former is None or former == run.mapping["id"] or run.parent is not None:
        return ""
    change = f"The ID was {_named(former)} so far, and is {_named(run.mapping['id'])} now"
    if missing := [column for column in former if column not in run.columns]:
        return (
            f"{change}. Rows that are records already become new records, and nobody can tell how "
            f"many, as this file has no column {' and '.join(map(repr, missing))}."
        )
    doubled = _doubled(run, former, on_chunk)
    if not doubled:
        return ""
    return (
        f"{change}. Rows that are records already, under their former ID: {doubled:,}. They become "
        "new records, so the source has these twice."
    )


def _former_id(run: IngestionRun) -> list[str] | None:
    """The ID columns of the last run that made records of the source, or gave them a new key; None
    if it has none."""
    if run.source.pk is None or not DataRecord.objects.of_source(run.source.name).exists():
        return None
    made = IngestionRun.objects.filter(source=run.source_id, parent=None)
    made = made.filter(Q(created__gt=0) | Q(is_rekey=True, state=RunState.FINISHED))
    last = made.exclude(pk=run.pk).exclude(state=RunState.UNDONE).order_by("-pk").first()
    return list(last.mapping.get("id") or []) if last else None


def _named(columns: Sequence[str]) -> str:
    return " and ".join(map(repr, columns)) or "made from the content of each row"


def _doubled(run: IngestionRun, former: list[str], on_chunk: Callable[[], None]) -> int:
    """How many rows have a record under the former ID, and none under their own."""
    doubled = 0
    with open_input(run, on_chunk) as reader, SpillDict() as seen, SpillDict() as seen_before:
        now = row_mapper(run, seen.count)
        before = row_mapper(run, seen_before.count, {**run.mapping, "id": former})
        for chunk in reader.chunks(settings.BATCH_ROWS):
            pairs = [
                (old.id, new.id)
                for old, new in zip(
                    before(chunk.lines, chunk.rows), now(chunk.lines, chunk.rows), strict=True
                )
                if not isinstance(old, RowError) and not isinstance(new, RowError)
            ]
            known = _known({key for pair in pairs for key in pair})
            doubled += sum(old in known and new not in known for old, new in pairs)
            on_chunk()
    return doubled


def _known(ids: set[str]) -> set[str]:
    """Those of the ids that records have."""
    return set(DataRecord.objects.with_ids(ids).values_list("id", flat=True)) if ids else set()
