"""Ingestion runs: made for one input and one source, and worked on until all of it has landed."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone
from django_q.tasks import async_task

from ingestion.batches import read_batches
from ingestion.detection import detect, digest
from ingestion.dialect import Dialect
from ingestion.errors import IngestionError, InputChanged, InvalidSourceName
from ingestion.mapping import FORMAT, Roles, RowMapper, cell_text, check_columns, propose
from ingestion.occurrences import Occurrences
from ingestion.readers import Reader, open_reader
from ingestion.timestamps import detect_format
from records import runs, store
from records.models import IngestionRun, Source
from records.rows import ROLES
from records.signals import landed

log = logging.getLogger(__name__)

QUEUE = "ingestion"
# The rows by which column names are borne out and the format of dates is told.
SAMPLE_ROWS = 1_000

Progress = Callable[[IngestionRun], None]


def source_name_of(file_name: str) -> str:
    """The name of the source that a file goes to when none is given: the file's, without ending."""
    stem = file_name.split(".")[0] or file_name
    return re.sub(r"[^\w.-]+", "_", stem).strip("_.-")[:100] or "upload"


def create_run(
    *,
    path: Path,
    file_name: str,
    how: str,
    source_name: str | None = None,
    roles: Mapping[str, Sequence[str]] | None = None,
    user: User | None = None,
    reading: Mapping[str, Any] | None = None,
) -> IngestionRun:
    """Make a run for a file; a source that does not exist is created.

    ``roles`` are the columns that the user named; a role that is not in it is taken from the
    source's mapping, or from the columns' names. ``how`` says by what way the file came;
    ``reading`` is what the user says about how to read it (see ingestion.dialect); the rest is
    found out. Raises InvalidSourceName.
    """
    name = source_name if source_name is not None else source_name_of(file_name)
    try:
        Source(name=name).clean_fields(exclude=["mapping"])
    except ValidationError as error:
        raise InvalidSourceName(name) from error
    source, _ = Source.objects.get_or_create(name=name)
    return IngestionRun.objects.create(
        source=source,
        path=str(path.resolve()),
        file_name=file_name[:255],
        size=path.stat().st_size if path.exists() else 0,
        mapping={role: list(columns) for role, columns in (roles or {}).items()},
        how=how,
        user=user,
        reading=dict(reading or {}),
    )


def queue(run: IngestionRun) -> None:
    """Have a worker load the run soon."""
    IngestionRun.objects.filter(pk=run.pk).update(woken_at=timezone.now())
    wake(run)


def wake(run: IngestionRun) -> None:
    """Tell a worker to look at a run."""
    async_task("ingestion.tasks.load_run", run.pk, cluster=QUEUE)


def wake_stalled() -> None:
    """Wake a worker for every run that waits for one, or whose worker is gone."""
    for run in runs.stalled(IngestionRun):
        wake(run)


def load(run_id: int, worker: str, on_progress: Progress | None = None) -> IngestionRun | None:
    """Work on a run until all of its input has landed; None if another worker holds the run.

    A run that was begun goes on behind the rows that its ledger counts. An input that can't be
    taken ends the run as failed, with the reason in ``error``. Database errors are raised: the
    run then waits for the next worker.
    """
    run = runs.claim(IngestionRun, run_id, worker)
    if run is None:
        return None
    with runs.working_on(run, worker, refusals=(IngestionError,)):
        _load(run, worker, on_progress)
    run.refresh_from_db()
    return run


def _load(run: IngestionRun, worker: str, on_progress: Progress | None) -> None:
    if run.columns:
        _check_input(run)
    else:
        _prepare(run, worker)
    with _open(run) as reader, Occurrences() as occurrences:
        mapper = RowMapper(
            source=run.source.name,
            columns=run.columns,
            mapping=run.mapping,
            zone=timezone.get_default_timezone(),
            occurrences=occurrences,
        )
        for batch in read_batches(reader, mapper, skip=run.read, size=settings.BATCH_ROWS):
            if not batch:
                runs.renew(run, worker)
                continue
            store.land(
                run=run,
                worker=worker,
                rows=batch.rows,
                rejects=batch.rejects,
                bytes_read=batch.bytes_read,
            )
            if on_progress is not None:
                run.refresh_from_db()
                on_progress(run)
        notes = [*run.notes, *reader.notes, *_closing_notes(reader, mapper)]
        runs.finish(run, worker, notes=notes, bytes_read=run.size)
    landed.send(sender=IngestionRun, source=run.source)


def _prepare(run: IngestionRun, worker: str) -> None:
    """Find out what the input is and who plays which role, and write it down with the run."""
    found = detect(
        Path(run.path),
        run.file_name,
        encoding=run.reading.get("encoding"),
        on_chunk=partial(runs.renew, run, worker),
    )
    run.size, run.sha256, run.encoding = found.size, found.sha256, found.encoding
    run.dialect = asdict(found.dialect)
    run.notes = found.notes
    with _open(run) as reader:
        run.columns = reader.columns
        sample = _sample(reader)
    remembered = run.source.mapping
    roles = _choose_roles(run.mapping, remembered, run.columns, sample)
    check_columns(roles, run.columns)
    run.mapping = {**roles, FORMAT: _choose_format(run, roles, sample)}
    if not roles["id"]:
        run.notes.append(
            "No column is the key: each row has one made of its content, so a row that changes "
            "is a new record. Name the key columns if the input has any."
        )
    run.save(
        update_fields=[
            "size", "sha256", "encoding", "dialect", "notes", "columns", "mapping",
        ]
    )  # fmt: skip
    # Without a row the names of the columns could not be borne out: that is no decision to keep.
    if sample and run.mapping != remembered:
        Source.objects.filter(pk=run.source_id).update(mapping=run.mapping)


def _sample(reader: Reader) -> list[list[str]]:
    """The cells of the first rows, as text."""
    sample: list[list[str]] = []
    for chunk in reader.chunks(SAMPLE_ROWS):
        sample += [[cell_text(row.get(name)) for name in reader.columns] for row in chunk.rows]
        if len(sample) >= SAMPLE_ROWS:
            break
    return sample[:SAMPLE_ROWS]


def _choose_roles(
    named: Mapping[str, Any],
    remembered: Mapping[str, Any],
    columns: Sequence[str],
    sample: Sequence[Sequence[str]],
) -> Roles:
    """What the user named, else what the source remembers, else what the columns are called."""
    known = remembered or propose(columns, sample)
    taken = {column for role in named.values() for column in role}
    return {
        role: list(named[role])
        if role in named
        else [column for column in known.get(role, []) if remembered or column not in taken]
        for role in ROLES
    }


def _choose_format(run: IngestionRun, roles: Roles, sample: Sequence[Sequence[str]]) -> str | None:
    if not roles["timestamp"]:
        return None
    if run.source.mapping.get("timestamp") == roles["timestamp"] and run.source.mapping.get(FORMAT):
        return str(run.source.mapping[FORMAT])
    places = [run.columns.index(column) for column in roles["timestamp"]]
    texts = [" ".join(row[place] for place in places) for row in sample]
    best, rival = detect_format(texts)
    column = " and ".join(map(repr, roles["timestamp"]))
    if best is None and any(text.strip() for text in texts):
        run.notes.append(f"The dates in {column} have a format that is not known; none was read.")
    if rival is not None:
        run.notes.append(
            f"The dates in {column} can be read in two ways: they were read as {best}, not as "
            f"{rival}."
        )
    return best


def _check_input(run: IngestionRun) -> None:
    """A run is only taken up again on the very bytes that it began with."""
    try:
        same = digest(Path(run.path)) == (run.size, run.sha256)
    except OSError:
        same = False
    if not same:
        raise InputChanged(run.file_name, run.read)


def _open(run: IngestionRun) -> Reader:
    return open_reader(
        Path(run.path),
        name=run.file_name,
        encoding=run.encoding,
        dialect=Dialect(**run.dialect),
    )


def _closing_notes(reader: Reader, mapper: RowMapper) -> Iterator[str]:
    if reader.blank_rows:
        yield f"Blank lines passed over: {reader.blank_rows:,}."
    if mapper.unreadable_moments:
        yield (
            f"Rows whose timestamp can't be read: {mapper.unreadable_moments:,}, the first in "
            f"line {mapper.first_unreadable}. They have no time, but are records all the same."
        )
