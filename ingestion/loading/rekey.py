"""Another key for the records that a source has: each gets the one that its own cells make."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, NamedTuple

import orjson
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import TextField
from django.db.models.functions import Cast

from accounts import audit
from ingestion.errors import CannotRekey, IngestionError
from ingestion.parsing.distinct import KeyCells
from ingestion.parsing.mapping import knows_roles
from ingestion.parsing.row_mapper import ids_of
from ingestion.parsing.spill_dict import SpillDict
from records import store
from records.database.faults import SOURCE_BUSY
from records.errors import EnvironmentFault
from records.gc_tuning import tuned_gc
from records.jobs.job import Job
from records.models import DataRecord, IngestionRun, Rekey, RunState, Source, Undo
from records.notes import warning

# How many records are read at once.
BATCH = 5_000
# How many records that have no key, or that of another one, are named.
NAMED = 3
# How many inputs tell which columns a source has.
INPUTS = 50


class Place(NamedTuple):
    """Where a record is from: the number of its run, and the line there."""

    run: int | None
    line: int | None

    def __str__(self) -> str:
        if self.run is None or self.line is None:
            return "an unknown line"
        return f"line {self.line:,} of run {self.run}"


@dataclass(slots=True)
class KeyCheck:
    """What a new key would do to the records of a source.

    ``changed`` is how many get another key. ``unusable`` have none, or one that is too long;
    ``repeated`` have that of another record. Of either, examples are named.
    """

    columns: list[str]
    records: int = 0
    changed: int = 0
    unusable: int = 0
    repeated: int = 0
    unusable_places: list[Place] = field(default_factory=list)
    # A key, and two of the records that have it.
    repeated_keys: list[tuple[str, Place, Place]] = field(default_factory=list)

    @property
    def obstacle(self) -> str:
        """Why the records can't have the key, as a sentence; "" if they can."""
        named, said = " and ".join(map(repr, self.columns)), []
        if self.unusable:
            places = ", ".join(map(str, self.unusable_places))
            said.append(
                f"Records in which {named} is empty or too long: {self.unusable:,}, such as "
                f"{places}."
            )
        if self.repeated:
            examples = "; ".join(
                f"{key!r} in {first} and {second}" for key, first, second in self.repeated_keys
            )
            said.append(
                f"Records with the key of another record: {self.repeated:,}, such as {examples}."
            )
        if said:
            said.append("No record was changed. Add a column to the key, or correct these records.")
        return " ".join(said)


def key_of(source: Source, columns: Sequence[str]) -> list[str]:
    """The columns of a new key, checked. Raises CannotRekey."""
    key = list(dict.fromkeys(columns))
    if not key:
        raise CannotRekey(source, "Name at least one column.")
    known = _known_columns(source)
    for column in key:
        if known and column not in known:
            close = get_close_matches(column, known, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else "."
            raise CannotRekey(source, f"{source} has no column {column!r}{hint}")
    return key


def check_key(
    source: Source, columns: Sequence[str], on_batch: Callable[[], None] = lambda: None
) -> KeyCheck:
    """What the key would do to all stored records, in flat memory; nothing is written.

    ``on_batch`` is called repeatedly.
    """
    found = KeyCheck(list(columns))
    keys = KeyCells()
    try:
        for records, ids in _with_ids(source, columns):
            on_batch()
            found.records += len(records)
            found.changed += sum(
                new not in (None, record.id) for record, new in zip(records, ids, strict=True)
            )
            keys.add([new for new in ids if new is not None])
            if None in ids:
                bad = [record for record, new in zip(records, ids, strict=True) if new is None]
                found.unusable += len(bad)
                more = NAMED - len(found.unusable_places)
                found.unusable_places += [record.place for record in bad[:more]]
        found.repeated = keys.repeats()
    finally:
        keys.close()
    if found.repeated:
        found.repeated_keys = _repeated_keys(source, columns, on_batch)
    return found


def can_be_offered(report: Mapping[str, Any]) -> bool:
    """Whether, by the report of a dry run, the stored records may be given the key of its input."""
    return bool(report.get("doubles") and report["mapping"].get("id"))


def create_rekey(
    *, source: Source, columns: Sequence[str], trigger: str, user: User | None = None
) -> IngestionRun:
    """Create a run that gives the records of a source the key of these columns.

    Raises CannotRekey if there are none, or another such run is under way.
    """
    key = key_of(source, columns)
    with transaction.atomic():
        source = Source.objects.select_for_update().get(pk=source.pk)
        records = DataRecord.objects.of_source(source.name)
        if not records.exists():
            raise CannotRekey(source, "There are none.")
        if IngestionRun.objects.filter(source=source, is_rekey=True).active().exists():
            raise CannotRekey(source, "They are being given a key at the moment.")
        run: IngestionRun = IngestionRun.objects.create(
            source=source,
            file_name=f"New key: {', '.join(key)}"[:255],
            path="",
            is_rekey=True,
            mapping={**_mapping_of(source), "id": key},
            trigger=trigger,
            user=user,
        )
        Rekey.objects.create(run=run)
        audit.record(
            audit.Action.REKEY_STARTED,
            kind="ingestion run",
            object_id=run.pk,
            label=run,
            source=source.name,
            before={"id": source.mapping.get("id") or []},
            after={"id": key},
        )
    return run


def check_not_rekeyed(run: IngestionRun) -> None:
    """Have a run wait while another one gives the records of its source a new key.

    Raises EnvironmentFault.
    """
    others = IngestionRun.objects.filter(source=run.source_id, is_rekey=True)
    if others.exclude(pk=run.pk).filter(state=RunState.RUNNING).exists():
        raise EnvironmentFault(SOURCE_BUSY)


class RekeyRecords(Job[IngestionRun]):
    """Check the key on all records, then rename them batch by batch.

    After an interruption the check begins again; once records have been renamed, the run goes on
    behind the last batch. A key that is empty or repeats ends the run as failed, with the records
    in ``error``.
    """

    refusals = (IngestionError,)

    def run(self) -> None:
        run = self.row
        self._check_alone()
        with tuned_gc():
            if not run.rekey.cursor:
                found = check_key(run.source, run.mapping["id"], self.still_here)
                if found.obstacle:
                    raise CannotRekey(run.source, found.obstacle)
                Rekey.objects.filter(pk=run.pk).update(total=found.records)
                self.report_progress()
            more = True
            while more:
                more = store.rekey_batch(run=run, worker=self.worker, ids_of=self._ids_of)
                self.report_progress()
        run.refresh_from_db()
        store.finish_rekey(run=run, worker=self.worker, notes=_notes(run))

    def _check_alone(self) -> None:
        """Raise EnvironmentFault while others change the records of the source."""
        source = self.row.source_id
        others = IngestionRun.objects.filter(source=source, state=RunState.RUNNING)
        undos = Undo.objects.filter(run__source=source, state=RunState.RUNNING)
        if others.exclude(pk=self.row.pk).exists() or undos.exists():
            raise EnvironmentFault(SOURCE_BUSY)

    def _ids_of(self, rows: Sequence[Mapping[str, Any]]) -> list[str | None]:
        return ids_of(f"{self.row.source.name}:", self.row.mapping["id"], rows)


class _Stored(NamedTuple):
    id: str
    place: Place


def _with_ids(
    source: Source, columns: Sequence[str]
) -> Iterator[tuple[list[_Stored], list[str | None]]]:
    """The stored records in batches, and the ids that these columns make."""
    cursor = ""
    while True:
        ahead = DataRecord.objects.of_source(source.name).after(cursor).order_by("id")
        rows = ahead.values_list("id", "run_id", "line", Cast("data", TextField()))
        found = list(rows[:BATCH])
        if not found:
            return
        cells = [orjson.loads(text) for *_, text in found]
        records = [_Stored(record_id, Place(run, line)) for record_id, run, line, _ in found]
        yield records, ids_of(f"{source.name}:", columns, cells)
        cursor = found[-1][0]


def _repeated_keys(
    source: Source, columns: Sequence[str], on_batch: Callable[[], None]
) -> list[tuple[str, Place, Place]]:
    """The first keys that repeat, each with two of its records."""
    repeated: dict[str, tuple[str, Place, Place]] = {}
    with SpillDict() as seen:
        for records, ids in _with_ids(source, columns):
            on_batch()
            keyed = [(new, record.place) for record, new in zip(records, ids, strict=True) if new]
            before = {
                key: Place(*orjson.loads(place))
                for key, place in seen.remembered({key for key, _ in keyed}).items()
            }
            new_ones: dict[str, bytes] = {}
            for key, place in keyed:
                if key in before:
                    shown = key.partition(":")[2]
                    repeated.setdefault(key, (shown, before[key], place))
                    if len(repeated) == NAMED:
                        return list(repeated.values())
                else:
                    before[key] = place
                    new_ones[key] = orjson.dumps([*place])
            seen.remember(new_ones)
    return list(repeated.values())


def _mapping_of(source: Source) -> dict[str, Any]:
    """The mapping of a source: its own, or that of its last run if it has none."""
    if knows_roles(source.mapping):
        return dict(source.mapping)
    last = source.ingestion_runs.filter(created__gt=0).order_by("-pk").first()
    return {**(last.mapping if last else {}), **source.mapping}


def _known_columns(source: Source) -> list[str]:
    """The columns of the newest inputs of a source."""
    runs = source.ingestion_runs.exclude(columns=[]).order_by("-pk")[:INPUTS]
    found = dict.fromkeys(source.columns)
    for columns in runs.values_list("columns", flat=True):
        found |= dict.fromkeys(columns)
    return list(found)


def _notes(run: IngestionRun) -> list[str]:
    kept = run.rekey.kept
    if not kept:
        return []
    return [
        warning(
            f"Records that kept their key: {kept:,}. While the run was under way, their new key "
            "was given to another record, or removed."
        )
    ]
