"""The input of a run: found out what it is, written down, checked, opened."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from ingestion.errors import InputAway, InputChanged, OtherSource
from ingestion.parsing.dialect import Dialect, joined
from ingestion.parsing.input_file import Digest, digest
from ingestion.parsing.preparation import Prepared, prepare
from ingestion.parsing.readers import Reader, open_reader
from ingestion.parsing.readers.repaired import repaired_run
from ingestion.parsing.row_mapper import RowMapper
from records.jobs import leases
from records.models import IngestionRun, Source

# The fields of a run that tell what its input is.
FOUND = ("size", "sha256", "encoding", "dialect", "columns", "notes", "parent")


def detect_input(run: IngestionRun, worker: str, on_chunk: Callable[[], None]) -> None:
    """Find out what the input is and who plays which role, and write it down with the run."""
    # Neither a file that was given out here nor what an API said is written as the source's files.
    if not run.pages and repaired_run(Path(run.path)) is None:
        run.reading = joined(run.source.reading, run.reading)
    remembered = run.source.mapping
    found = prepare(
        Path(run.path),
        run.file_name,
        reading=run.reading,
        named=run.mapping,
        remembered=remembered,
        on_chunk=on_chunk,
    )
    found.check()
    write_down(run, found)
    # A run that knows its columns is not prepared again: its source has to know them by then.
    with transaction.atomic():
        kept = ("reading", "mapping", *FOUND)
        leases.write(run, worker, **{name: getattr(run, name) for name in kept})
        # Without a row the names of the columns could not be borne out: no decision to keep.
        if found.sample and (run.mapping, run.columns) != (remembered, run.source.columns):
            source = Source.objects.filter(pk=run.source_id)
            source.update(mapping=run.mapping, columns=run.columns)


def write_down(run: IngestionRun, found: Prepared) -> None:
    """Set the fields in FOUND, and the mapping, to what was found out; nothing is saved."""
    detected = found.detected
    (run.size, run.sha256), run.encoding = detected.digest, detected.encoding
    run.dialect = asdict(detected.dialect)
    run.columns, run.mapping, run.notes = found.columns, found.mapping, found.notes
    if found.repaired is not None:
        run.parent = _parent(run, found.repaired)


def _parent(run: IngestionRun, number: int) -> IngestionRun:
    """The run whose rejected rows have been repaired in the input of this one."""
    parent = IngestionRun.objects.with_source().filter(pk=number).first()
    if parent is None or parent.source_id != run.source_id:
        raise OtherSource(run.file_name, number, parent.source.name if parent else None)
    return parent


def check_unchanged(run: IngestionRun, on_chunk: Callable[[], None]) -> None:
    """A run is only taken up again on the very bytes that it began with; more may follow them."""
    try:
        same = digest(Path(run.path), run.size, on_chunk=on_chunk) == (run.size, run.sha256)
    except OSError as error:
        raise InputAway(run.file_name, error) from error
    if not same:
        raise InputChanged(run.file_name, run.read)


def open_input(
    run: IngestionRun, on_chunk: Callable[[], None] = lambda: None
) -> AbstractContextManager[Reader]:
    """The rows of a run's input, as they were found to be written, and of no other bytes."""
    return open_reader(
        Path(run.path),
        name=run.file_name,
        encoding=run.encoding,
        dialect=Dialect(**run.dialect),
        on_chunk=on_chunk,
        # Of a repaired file the run does not keep the columns that tell where its rows belong.
        columns=run.columns if run.parent is None else None,
        digest=Digest(run.size, run.sha256),
    )


def row_mapper(
    run: IngestionRun,
    occurrences: Callable[[bytes], int],
    mapping: Mapping[str, Any] | None = None,
) -> RowMapper:
    """Makes rows of the cells of a run's input, by its mapping unless another is given.

    ``occurrences`` counts how often rows of the same content have come.
    """
    return RowMapper(
        source=run.source.name,
        columns=run.columns,
        mapping=run.mapping if mapping is None else mapping,
        zone=timezone.get_default_timezone(),
        occurrences=occurrences,
    )


def closing_notes(reader: Reader, mapper: RowMapper) -> Iterator[str]:
    """What is worth telling once all rows have been read."""
    if reader.blank_rows:
        yield f"Blank lines passed over: {reader.blank_rows:,}."
    if mapper.unreadable_moments:
        yield (
            f"Rows whose timestamp can't be read: {mapper.unreadable_moments:,}, the first in "
            f"line {mapper.first_unreadable}. They have no time, but are records all the same."
        )
