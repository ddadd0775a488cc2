"""The runs whose rows are events: opened by the first event, ended when none comes any more.

A run belongs to a source and a sender, not to a process: whoever lands events holds the source,
continues the run where its ledger stands, and renews its lease. So nothing is left to be done for
a process that dies. A lease that lapses says that no more events have come.
"""

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone

from ingestion.errors import InvalidSourceName
from ingestion.loading.runs import end_events
from ingestion.parsing.cloud_events import OWN_ID
from ingestion.parsing.detection import Detected
from ingestion.parsing.dialect import Dialect, Format
from ingestion.parsing.input_file import digest
from ingestion.parsing.limits import MAX_NESTED
from ingestion.parsing.mapping import FORMAT, ZONE_COLUMN, knows_roles
from ingestion.parsing.preparation import prepare
from ingestion.parsing.readers.base import original_bytes
from ingestion.parsing.readers.json_columns import ColumnNames
from ingestion.parsing.readers.ndjson import LinesOfRows
from records.jobs.job import Job
from records.jobs.workers import ASIDE
from records.models import EVENTS, IngestionRun, OnConflict, RunState, Source
from records.rows import ROLES
from records.signals import landed

# Stands for all processes that land events.
WORKER = f"events:{ASIDE}events"
NAME = "Events"
ENCODING = "utf-8"
DIALECT = Dialect(format=Format.NDJSON, nested=MAX_NESTED)


class EndEvents(Job[IngestionRun]):
    """End a run that has got no event for a while."""

    def run(self) -> None:
        self.finish()
        # Whoever landed the last events may have died before they were announced.
        landed.send(sender=IngestionRun, source=self.row.source)


def held_source(name: str) -> Source:
    """The source of events, made if there is none, and held until the transaction ends.

    Raises InvalidSourceName, and PermissionDenied for a hidden one.
    """
    sources = Source.everything.select_for_update()
    source: Source | None = sources.filter(name=name, is_draft=False).first()
    if source is None:
        try:
            Source(name=name).clean_fields(exclude=["mapping"])
        except ValidationError as error:
            raise InvalidSourceName(name) from error
        source = sources.get(pk=Source.everything.ensured(name).pk)
    return source


def active_runs(source: Source, user: User) -> list[IngestionRun]:
    """The runs that matter to events of a user: their own that are open, and those that give the
    records of the source another key."""
    active = IngestionRun.objects.filter(source=source).active().order_by("pk")
    return [run for run in active if run.is_rekey or (run.takes_events and run.user_id == user.pk)]


def end_all(source: Source) -> None:
    """End the open runs of a source, since what is to be done with it waits for all others."""
    for run in IngestionRun.objects.filter(source=source, trigger=EVENTS).active():
        end_events(run)


def current_run(
    source: Source, user: User, active: Sequence[IngestionRun], lines: Sequence[str]
) -> tuple[IngestionRun, bool]:
    """The run that takes events of a user now, and whether it has been opened for these ``lines``.

    The caller holds the source and knows its ``active`` runs. A run ends with its day, or when the
    mapping of the source changes. Raises what ``prepare`` does for lines that can't be mapped.
    """
    mapping = _mapping(source, lines)
    for run in reversed(active):
        run.source = source
        is_of_today = timezone.localdate(run.created_at) == timezone.localdate()
        if is_of_today and run.mapping == mapping:
            return run, False
        end_events(run)
    return _opened(source, user, mapping), True


def _opened(source: Source, user: User, mapping: dict[str, Any]) -> IngestionRun:
    mapped = [column for role in ROLES for column in mapping.get(role) or []]
    if zone := mapping.get(ZONE_COLUMN):
        mapped.append(zone)
    run: IngestionRun = IngestionRun.objects.create(
        source=source,
        user=user,
        trigger=EVENTS,
        file_name=NAME,
        encoding=ENCODING,
        dialect=asdict(DIALECT),
        columns=list(dict.fromkeys([*source.columns, *mapped])),
        mapping=mapping,
        keeps_outcomes=True,
        state=RunState.RUNNING,
        worker=WORKER,
        attempts=1,
        started_at=timezone.now(),
        lease_until=timezone.now() + timedelta(seconds=settings.EVENTS_IDLE_SECONDS),
    )
    return run


def _mapping(source: Source, lines: Sequence[str]) -> dict[str, Any]:
    """The mapping of a source; what is not known yet is detected in these events and saved."""
    known: dict[str, Any] = source.mapping
    if knows_roles(known) and not (known.get("timestamp") and not known.get(FORMAT)):
        return known
    values = LinesOfRows(encoding=ENCODING, nested=DIALECT.nested).chunk(1, list(lines), 0).rows
    names = ColumnNames(DIALECT.nested)
    for row in values:
        names.add(row)
    columns = list(dict.fromkeys([*source.columns, *names.columns(NAME)]))
    # What tells an event apart from all others is no key of what it is about.
    is_cloud_event = any(OWN_ID[1] in row for row in values)
    named: dict[str, Any] = {"id": []} if is_cloud_event and not knows_roles(known) else {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.ndjson"
        path.write_bytes(_as_file(lines))
        detected = Detected(digest(path), ENCODING, DIALECT, columns=columns)
        found = prepare(
            path,
            NAME,
            reading={},
            named=named,
            remembered=known,
            merges=source.on_conflict == OnConflict.MERGE,
            detected=detected,
        )
    if not found.sample:
        return {**found.mapping, **known}
    found.check()
    if found.mapping != known:
        source.mapping, source.columns = found.mapping, columns
        found_out = {"mapping": found.mapping, "columns": columns}
        Source.everything.filter(pk=source.pk).update(**found_out)
    return found.mapping


def _as_file(lines: Iterable[str]) -> bytes:
    return original_bytes("".join(f"{line}\n" for line in lines), ENCODING)


def note_columns(run: IngestionRun, columns: Sequence[str]) -> None:
    """Add the columns that events have brought to those of the run and its source."""
    if len(columns) > len(run.columns):
        IngestionRun.objects.filter(pk=run.pk).update(columns=columns)
    added = [column for column in columns if column not in set(run.source.columns)]
    if added:
        known = [*run.source.columns, *added]
        Source.everything.filter(pk=run.source_id).update(columns=known)


def note_unreadable(run: IngestionRun, number: int) -> None:
    """Note the first event of a run whose timestamp can't be read."""
    start = "Some events have an unreadable timestamp"
    if any(note.startswith(start) for note in run.notes):
        return
    note = f"{start}, the first of them event {number:,}. They are imported without a timestamp."
    IngestionRun.objects.filter(pk=run.pk).update(notes=[*run.notes, note])
