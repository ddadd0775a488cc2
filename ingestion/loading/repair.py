"""Repairs of single rejected rows: the new text is saved, and the row is replayed at once."""

from collections.abc import Mapping

from django.contrib.auth.models import User

from ingestion.errors import CannotReplay, IngestionError, MissingColumns, RowError
from ingestion.loading import replay
from ingestion.parsing.dialect import Dialect, Format
from ingestion.parsing.readers.single import read_row, write_row
from records import store
from records.jobs.runner import work_on
from records.jobs.workers import worker_name
from records.models import IngestionRun, RejectedRow

# How many seconds a request waits for a database that can't be written to.
RETRY_SECONDS = 5
# Rows of these formats are edited as text only.
AS_TEXT = (Format.JSON, Format.NDJSON)


class NotRepaired(IngestionError):
    """The new text of a row can't be imported either; ``fault`` says why."""

    def __init__(self, fault: RowError) -> None:
        self.fault = fault
        super().__init__(str(fault))


def cells_of(row: RejectedRow, text: str) -> dict[str, str] | None:
    """The cells of a row by column, if they can be parsed and written back."""
    dialect = Dialect(**row.run.dialect)
    if dialect.format in AS_TEXT:
        return None
    try:
        cells = read_row(text, dialect=dialect, columns=row.run.columns)
    except RowError:
        return None
    return {column: str(cells[column]) for column in row.run.columns}


def text_with(row: RejectedRow, cells: Mapping[str, str]) -> str:
    """The row as text with these cells, and its own in the other columns, as far as those can be
    told."""
    known = replay.cells_of(row) | dict(cells)
    written = [known[column] for column in row.run.columns]
    return write_row(written, dialect=Dialect(**row.run.dialect))


def repair(
    *, row: RejectedRow, text: str, trigger: str, user: User | None
) -> tuple[IngestionRun, bool]:
    """Save the new text of an open rejected row and replay it.

    Returns the replay as it stands, and whether a worker has it instead of this process: then it
    goes on by itself. Raises NotRepaired and CannotReplay; then nothing has been replayed.
    """
    if fault := _fault(row, text):
        raise NotRepaired(fault)
    store.fix_row(row=row, text=text)
    made = replay.create_replay(run=row.run, trigger=trigger, user=user, selection=[row.pk])
    done = work_on(made, worker_name(of_queue=False), retry_seconds=RETRY_SECONDS)
    row.refresh_from_db()
    return done or made, done is None


def _fault(row: RejectedRow, text: str) -> RowError | None:
    if "\0" in text:
        return RowError("nul_character", "The row contains a NUL character.")
    try:
        return replay.try_row(row, text)
    except MissingColumns as error:
        # The mapping of the source has been changed since, for inputs with other columns.
        raise CannotReplay(
            row.run, "the mapping of its source names columns that it lacks"
        ) from error
