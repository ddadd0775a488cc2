"""Detects the input of a run, and saves what was detected with the run and its source."""

from collections.abc import Callable
from pathlib import Path

from django.db import transaction

from ingestion.loading.doubled import doubled_note
from ingestion.loading.run_input import write_down
from ingestion.parsing.dialect import joined
from ingestion.parsing.preparation import prepare
from ingestion.parsing.readers.repaired import repaired_run
from records.jobs import leases
from records.models import IngestionRun, Source

# The fields of a run that describe its input.
FOUND = ("size", "sha256", "encoding", "dialect", "columns", "notes", "parent")


def detect_input(run: IngestionRun, worker: str, on_chunk: Callable[[], None]) -> None:
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
        on_chunk=on_chunk,
    )
    found.check()
    write_down(run, found)
    if note := doubled_note(run, on_chunk):
        run.notes.append(note)
    # A run with columns is not prepared again, so its source must have them by then.
    with transaction.atomic():
        kept = ("reading", "mapping", *FOUND)
        leases.write(run, worker, **{name: getattr(run, name) for name in kept})
        # Without rows the column names could not be checked, so the mapping is not saved.
        if found.sample and (run.mapping, run.columns) != (remembered, run.source.columns):
            source = Source.objects.filter(pk=run.source_id)
            source.update(mapping=run.mapping, columns=run.columns)
