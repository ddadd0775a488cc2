"""Ingestion runs: create a run for an input, and work on it until all rows are written."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from ingestion.errors import (
    IngestionError,
    InputAway,
    InputChanged,
    InvalidDateFormat,
    InvalidSourceName,
    OtherSource,
)
from ingestion.feeds.loading import bring_input, keep_position, notes_of
from ingestion.loading import replay
from ingestion.loading.pipelined_writer import Land, landing
from ingestion.loading.reject_limit import check_limit, check_rejects
from ingestion.parsing.batches import Batch, read_batches
from ingestion.parsing.dialect import Dialect, joined
from ingestion.parsing.input_file import Digest, digest
from ingestion.parsing.mapping import FORMAT
from ingestion.parsing.prefetch import ahead
from ingestion.parsing.preparation import Prepared, prepare
from ingestion.parsing.readers import Reader, open_reader
from ingestion.parsing.readers.repaired import repaired_run
from ingestion.parsing.row_mapper import RowMapper
from ingestion.parsing.spill_dict import Seen
from records import store
from records.database import bulk
from records.database.clock import now
from records.gc_tuning import many_rows
from records.jobs import runs
from records.models import IngestionRun, OnConflict, RunState, Source
from records.models.mappings import check_format
from records.rows import Ledger
from records.signals import landed

log = logging.getLogger(__name__)

QUEUE = "ingestion"
# The fields of a run that describe its input.
FOUND = ("size", "sha256", "encoding", "dialect", "columns", "notes", "parent")

Progress = Callable[[IngestionRun], None]


def source_name_of(file_name: str) -> str:
    """The default source of a file: its name without the extension."""
    stem = file_name.split(".")[0] or file_name
    return re.sub(r"[^\w.-]+", "_", stem).strip("_.-")[:100] or "upload"


def create_run(
    *,
    path: Path,
    file_name: str,
    how: str,
    source_name: str | None = None,
    roles: Mapping[str, Sequence[str]] | None = None,
    timestamp_format: str = "",
    user: User | None = None,
    reading: Mapping[str, Any] | None = None,
    state: RunState = RunState.QUEUED,
    max_rejects: str = "",
    save: bool = True,
) -> IngestionRun:
    """Create a run for a file; a source that does not exist is created.

    ``roles`` are the columns that the user mapped; other roles come from the source's mapping, or
    are proposed by column names. ``timestamp_format`` is the date format, ``how`` the way the file
    came in; ``reading`` are the parsing options (see ingestion.parsing.dialect); the rest is
    detected. With more rejected rows than ``max_rejects`` ("500", "2%") the run stops. A run in the
    state "draft" waits for a person (see ingestion.loading.drafts). Without ``save`` neither the
    run nor a new source is stored. Raises InvalidSourceName, InvalidLimit, InvalidDateFormat.
    """
    name = source_name if source_name is not None else source_name_of(file_name)
    try:
        Source(name=name).clean_fields(exclude=["mapping"])
    except ValidationError as error:
        raise InvalidSourceName(name) from error
    mapping: dict[str, Any] = {role: list(columns) for role, columns in (roles or {}).items()}
    if check_date_format(timestamp_format):
        mapping[FORMAT] = timestamp_format
    run = IngestionRun(
        source=Source.objects.named(name) or Source(name=name),
        path=str(path.resolve()),
        file_name=file_name[:255],
        size=path.stat().st_size if path.exists() else 0,
        mapping=mapping,
        how=how,
        user=user,
        reading=dict(reading or {}),
        state=state,
        max_rejects=check_limit(max_rejects),
    )
    if save:
        run.source, _ = Source.objects.get_or_create(name=name)
        run.save()
    return run


def check_date_format(text: str) -> str:
    """Return a date format, or "" for none, unchanged. Raises InvalidDateFormat."""
    try:
        if text:
            check_format(text)
    except ValidationError as error:
        raise InvalidDateFormat(text) from error
    return text


def queue(run: IngestionRun) -> None:
    """Queue the run for a worker."""
    IngestionRun.objects.filter(pk=run.pk).update(woken_at=now())
    wake(run)


def wake(run: IngestionRun) -> None:
    """Tell a worker to look at a run."""
    async_task("ingestion.tasks.load_run", run.pk, cluster=QUEUE)


def wake_stalled() -> None:
    """Wake a worker for every run that waits for one, or whose worker is gone."""
    for run in runs.stalled(IngestionRun):
        wake(run)


def load(
    run_id: int,
    worker: str,
    on_progress: Progress | None = None,
    *,
    patience: float | None = None,
) -> IngestionRun | None:
    """Work on a run until all of its input is written; None if another worker holds the run.

    An interrupted run continues after the rows that its ledger counts. If the input can't be
    imported, the run ends as failed, with the reason in ``error``. If the environment is at fault,
    the run is queued again, to be retried after a pause (see records.jobs.runs.working_on for
    ``patience``).
    """
    run = runs.claim(IngestionRun, run_id, worker)
    if run is None:
        return None
    refusals = (IngestionError,)
    with runs.working_on(run, worker, refusals=refusals, patience=patience), many_rows():
        _load(run, worker, on_progress)
    run.refresh_from_db()
    return run


def _load(run: IngestionRun, worker: str, on_progress: Progress | None) -> None:
    if run.feed_id and not run.path and (nothing := bring_input(run, worker, on_progress)):
        runs.finish(run, worker, notes=[nothing])
        return
    if replay.is_replay(run):
        replay.replay(run, worker, on_progress)
        runs.finish(run, worker, bytes_read=run.size)
        landed.send(sender=IngestionRun, source=run.source)
        return
    still_here = runs.renewing(run, worker)
    if run.columns:
        _check_input(run, still_here)
    else:
        _prepare(run, worker)
    with open_input(run, still_here) as reader, Seen() as seen:
        mapper = RowMapper(
            source=run.source.name,
            columns=run.columns,
            mapping=run.mapping,
            zone=timezone.get_default_timezone(),
            occurrences=seen.count,
        )
        found = read_batches(
            reader,
            mapper,
            skip=run.read,
            size=settings.BATCH_ROWS,
            keep_raw=run.source.on_conflict == OnConflict.REJECT,
        )
        rejected, read = run.rejected, run.read
        # The next batch is read while the database takes this one. SQLite works in this very
        # process: a thread beside it would wait for the interpreter at each of its rows.
        with (
            ahead(found) if bulk.is_postgresql() else nullcontext(found) as batches,
            landing(batches, _land_batch(run, worker), worker) as landed_batches,
        ):
            for batch, ledger in landed_batches:
                if not batch:
                    still_here()
                    continue
                rejected, read = rejected + ledger.rejected, read + ledger.read
                check_rejects(run.max_rejects, rejected=rejected, read=read, at_end=False)
                if on_progress is not None:
                    run.refresh_from_db()
                    on_progress(run)
        check_rejects(run.max_rejects, rejected=rejected, read=read, at_end=True)
        notes = [*run.notes, *notes_of(run), *reader.notes, *closing_notes(reader, mapper)]
        if run.cut_short:
            runs.fail(run, worker, run.cut_short, notes=notes, bytes_read=run.size)
        else:
            with transaction.atomic():
                runs.finish(run, worker, notes=notes, bytes_read=run.size)
                keep_position(run)
    landed.send(sender=IngestionRun, source=run.source)


def _land_batch(run: IngestionRun, worker: str) -> Land:
    repairs = (replay.says(run), replay.written(run)) if run.parent else None

    def land(batch: Batch, turn: store.Turn | None) -> Ledger:
        if repairs is None:
            return store.land(
                run=run,
                worker=worker,
                rows=batch.rows,
                rejects=batch.rejects,
                position=batch.position,
                bytes_read=batch.bytes_read,
                turn=turn,
            )
        # Rows that were rejected before are identified by their lines.
        if turn is not None:
            turn.wait(None)
        return store.land_repaired(
            run=run,
            worker=worker,
            rows=batch.rows,
            rejects=batch.rejects,
            position=batch.position,
            bytes_read=batch.bytes_read,
            says=repairs[0],
            written=repairs[1],
        )

    return land


def _prepare(run: IngestionRun, worker: str) -> None:
    """Detect the input and map its columns, and save both with the run."""
    # A downloaded CSV of rejected rows, or the response of an API, ignores the source's options.
    if not run.pages and repaired_run(Path(run.path)) is None:
        run.reading = joined(run.source.reading, run.reading)
    remembered = run.source.mapping
    found = prepare(
        Path(run.path),
        run.file_name,
        reading=run.reading,
        named=run.mapping,
        remembered=remembered,
        on_chunk=runs.renewing(run, worker),
    )
    found.check()
    write_down(run, found)
    # A run with columns is not prepared again, so its source must have them by then.
    with transaction.atomic():
        kept = ("reading", "mapping", *FOUND)
        runs.write(run, worker, **{name: getattr(run, name) for name in kept})
        # Without rows the column names could not be checked, so the mapping is not saved.
        if found.sample and (run.mapping, run.columns) != (remembered, run.source.columns):
            source = Source.objects.filter(pk=run.source_id)
            source.update(mapping=run.mapping, columns=run.columns)


def write_down(run: IngestionRun, found: Prepared) -> None:
    """Set the fields in FOUND, and the mapping, to what was detected; does not save the run."""
    detected = found.detected
    (run.size, run.sha256), run.encoding = detected.digest, detected.encoding
    run.dialect = asdict(detected.dialect)
    run.columns, run.mapping, run.notes = found.columns, found.mapping, found.notes
    if found.repaired is not None:
        run.parent = _parent(run, found.repaired)


def _parent(run: IngestionRun, number: int) -> IngestionRun:
    """The run whose rejected rows are fixed in the input of this one."""
    parent = IngestionRun.objects.with_source().filter(pk=number).first()
    if parent is None or parent.source_id != run.source_id:
        raise OtherSource(run.file_name, number, parent.source.name if parent else None)
    return parent


def _check_input(run: IngestionRun, on_chunk: Callable[[], None]) -> None:
    """Check that an interrupted run still has the same input; the file may have grown."""
    try:
        same = digest(Path(run.path), run.size, on_chunk=on_chunk) == (run.size, run.sha256)
    except OSError as error:
        raise InputAway(run.file_name, error) from error
    if not same:
        raise InputChanged(run.file_name, run.read)


def open_input(
    run: IngestionRun, on_chunk: Callable[[], None] = lambda: None
) -> AbstractContextManager[Reader]:
    """A reader for a run's input, with the detected options, for the digested bytes only."""
    return open_reader(
        Path(run.path),
        name=run.file_name,
        encoding=run.encoding,
        dialect=Dialect(**run.dialect),
        on_chunk=on_chunk,
        # The columns of a run don't include the two that identify the rows of a fixed file.
        columns=run.columns if run.parent is None else None,
        digest=Digest(run.size, run.sha256),
    )


def closing_notes(reader: Reader, mapper: RowMapper) -> Iterator[str]:
    """Notes for the user after all rows have been read."""
    if reader.blank_rows:
        yield f"Blank lines skipped: {reader.blank_rows:,}."
    if mapper.unreadable_moments:
        yield (
            f"Rows with an unreadable timestamp: {mapper.unreadable_moments:,}, the first in line "
            f"{mapper.first_unreadable}. They are imported without a timestamp."
        )
