"""The input of a run: detect it, save what was detected, check it, open it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from ingestion.errors import InputAway, InputChanged, OtherSource
from ingestion.loading.closing import is_whole
from ingestion.loading.value_cells import UNDECIDED
from ingestion.parsing.detection import Detected, detect
from ingestion.parsing.dialect import Dialect, joined
from ingestion.parsing.event_mapper import EventMapper
from ingestion.parsing.input_file import Digest, digest
from ingestion.parsing.mapping import FORMAT, absent_roles
from ingestion.parsing.preparation import Prepared, prepare
from ingestion.parsing.readers import Reader, open_reader
from ingestion.parsing.readers.repaired import repaired_run
from ingestion.parsing.row_mapper import RowMapper
from ingestion.parsing.timestamps.told import notes_on_times
from records.jobs import leases
from records.models import IngestionRun, OnConflict, Source
from records.notes import warning

# Unreadable timestamps of more rows than this share may be the wrong date format.
SEEMLY_SHARE = 0.01
# How many columns a note names.
NAMED_COLUMNS = 10
# The fields of a run that describe its input.
FOUND = ("size", "sha256", "encoding", "dialect", "columns", "notes", "parent")


def detect_input(
    run: IngestionRun,
    worker: str,
    on_chunk: Callable[[], None],
    further_note: Callable[[IngestionRun, Callable[[], None]], str],
) -> None:
    """Detect the input and map its columns, and save both with the run.

    ``further_note`` makes a note on the detected run; it may be empty.
    """
    # A downloaded CSV of rejected rows, or what came by an API, ignores the source's options.
    is_ours = bool(run.pages) or run.keeps_outcomes
    if not is_ours and repaired_run(Path(run.path)) is None:
        run.reading = joined(run.source.reading, run.reading)
    source = run.source
    merges = source.on_conflict == OnConflict.MERGE
    remembered = source.mapping
    found = prepare(
        Path(run.path),
        run.file_name,
        reading=run.reading,
        named=run.mapping,
        remembered=remembered,
        merges=merges,
        on_chunk=on_chunk,
        detected=_detected_items(run, on_chunk) if run.keeps_outcomes else None,
        decides_later=True,
    )
    found.check()
    write_down(run, found)
    run.value_cells = UNDECIDED if found.is_undecided else {}
    run.is_snapshot = source.is_snapshot and is_whole(run)
    if source.is_snapshot and not run.is_snapshot and run.parent is None:
        run.notes.append("No record is closed, as this import is not the whole of its source.")
    run.notes += filter(None, [further_note(run, on_chunk)])
    # A run with columns is not prepared again, so its source must have them by then.
    with transaction.atomic():
        kept = ("reading", "mapping", "is_snapshot", "value_cells", *FOUND)
        leases.write(run, worker, **{name: getattr(run, name) for name in kept})
        # Without rows the column names could not be checked, so the mapping is not saved.
        columns = list(dict.fromkeys([*(source.columns if merges else ()), *run.columns]))
        if found.sample and (run.mapping, columns) != (remembered, source.columns):
            Source.objects.filter(pk=source.pk).update(mapping=run.mapping, columns=columns)


def _detected_items(run: IngestionRun, on_chunk: Callable[[], None]) -> Detected:
    """What is detected about the items of a request: they may lack any column of the source."""
    path = Path(run.path)
    found = detect(path, run.file_name, reading=run.reading, on_chunk=on_chunk)
    found.columns = list(dict.fromkeys([*run.source.columns, *(found.columns or [])]))
    return found


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


def check_unchanged(run: IngestionRun, on_chunk: Callable[[], None]) -> None:
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


def row_mapper(
    run: IngestionRun,
    occurrences: Callable[[bytes], int],
    mapping: Mapping[str, Any] | None = None,
    on_conflict: str | None = None,
    members: Sequence[str] | None = None,
    made_key: Callable[[int], str] | None = None,
) -> RowMapper:
    """A mapper for the rows of a run's input, with the run's mapping and the source's policy for
    existing records, or others.

    ``occurrences`` counts rows with the same content; ``members`` are the columns as JSON is to
    have them. ``made_key`` makes the key of an event that has none.
    """
    mapping = run.mapping if mapping is None else mapping
    if (on_conflict or run.source.on_conflict) == OnConflict.MERGE:
        absent = absent_roles(mapping, run.columns, run.source.mapping)
        mapping = {**mapping, **{role: [] for role in absent}}
        if not mapping.get("timestamp"):
            mapping[FORMAT] = None
    options: dict[str, Any] = {
        "source": run.source.name,
        "columns": run.columns,
        "mapping": mapping,
        "zone": timezone.get_default_timezone(),
        "occurrences": occurrences,
        "members": members,
    }
    if run.has_events:
        return EventMapper(made_key=made_key, **options)
    return RowMapper(**options)


def closing_notes(reader: Reader, mapper: RowMapper, on_conflict: str) -> Iterator[str]:
    """Notes for the user after all rows have been read.

    ``on_conflict`` is what happens when an existing record changes.
    """
    if mapper.shared_ids:
        yield mapper.shared_ids.note(on_conflict)
    if reader.blank_rows:
        yield f"Blank lines skipped: {reader.blank_rows:,}."
    if mapper.unreadable_moments:
        sentence = (
            f"Rows with an unreadable timestamp: {mapper.unreadable_moments:,}, the first in line "
            f"{mapper.first_unreadable}. They are imported without a timestamp."
        )
        is_much = mapper.unreadable_moments > SEEMLY_SHARE * mapper.seen
        yield warning(sentence) if is_much else sentence
    if mapper.moments is not None:
        yield from notes_on_times(mapper.moments, mapper.seen)


def lost_cells_notes(lost: Mapping[str, int]) -> Iterator[str]:
    """A note for the user on cells that updates take from records: how many, by column."""
    if not lost:
        return
    most = sorted(lost.items(), key=lambda item: (-item[1], item[0]))
    named = [f"{column!r} ({count:,})" for column, count in most[:NAMED_COLUMNS]]
    if len(most) > NAMED_COLUMNS:
        named.append(f"and {len(most) - NAMED_COLUMNS:,} more columns")
    yield warning(
        "Updated records lose the cells of columns that this file does not have, in so many "
        f"records: {', '.join(named)}. To keep such cells, set the source to merge."
    )
