"""Replays: a run that reads the rejected rows of another run again, with fixes."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Length

from accounts import audit
from ingestion.errors import CannotReplay, IngestionError, RowError
from ingestion.loading.rekey import check_not_rekeyed
from ingestion.loading.run_input import row_mapper
from ingestion.loading.runs import end_events
from ingestion.parsing.dialect import Dialect, Format
from ingestion.parsing.mapping import knows_roles
from ingestion.parsing.readers.base import KEEP_BYTES
from ingestion.parsing.readers.repaired import LINE_COLUMN, REASON_COLUMN
from ingestion.parsing.readers.single import read_row, split_row
from ingestion.parsing.row_mapper import RowMapper, cell_text
from records import store
from records.gc_tuning import tuned_gc
from records.jobs.job import Job
from records.models import IngestionRun, RejectedRow, RunState
from records.reject_codes import NO_DATA
from records.rows import Reject, Row
from records.signals import landed
from web.spreadsheets import guarded


def create_replay(
    *,
    run: IngestionRun,
    trigger: str,
    user: User | None = None,
    selection: Sequence[int] | None = None,
    code: str = "",
    encoding: str = "",
) -> IngestionRun:
    """Create a run that replays the open rejected rows of a run: those in ``selection``, those with
    a reject ``code``, or else all but those that are no data.

    They are read as the run read its input, but in ``encoding`` if that is given, and with the
    column mapping that the source has now. A replay of a replay belongs to the original run.
    Raises CannotReplay if there is nothing to replay.
    """
    parent = run.parent or run
    parent.refresh_from_db()
    end_events(parent)
    if parent.is_active or parent.state in (RunState.DRAFT, RunState.UNDONE):
        raise CannotReplay(parent, f"it is {parent.state}")
    waiting = RejectedRow.objects.of_run(parent).open()
    chosen: str | list[int] | None = code or (None if selection is None else list(selection))
    waiting = waiting.chosen(chosen)
    size = waiting.aggregate(size=Sum(Length("raw")))["size"]
    if size is None:
        raise CannotReplay(parent, "it has no open rejected rows")
    with transaction.atomic():
        made: IngestionRun = IngestionRun.objects.create(
            source=parent.source,
            parent=parent,
            file_name=parent.file_name,
            path="",
            size=size,
            selection=chosen,
            encoding=parent.encoding,
            dialect=parent.dialect,
            columns=parent.columns,
            mapping=_mapping_now(parent),
            reading={"encoding": encoding} if encoding else {},
            trigger=trigger,
            user=user,
        )
        audit.record(
            audit.Action.ROWS_REPLAYED,
            kind="ingestion run",
            object_id=parent.pk,
            label=parent,
            source=parent.source.name,
            after={"run": made.pk, "rows": chosen or "all open rows", "encoding": encoding},
        )
    return made


class Replay(Job[IngestionRun]):
    """Read rejected rows again until none of the selected ones is open."""

    refusals = (IngestionError,)

    def run(self) -> None:
        run = self.row
        check_not_rekeyed(run)
        mapper = _mapper(run, run.mapping)

        def read(rows: Sequence[RejectedRow]) -> list[Row | Reject]:
            return [_outcome(row, run, mapper) for row in rows]

        with tuned_gc():
            while store.replay_batch(
                run=run, worker=self.worker, read=read, size=settings.BATCH_ROWS
            ):
                self.report_progress()
        self.finish(bytes_read=run.size)
        landed.send(sender=IngestionRun, source=run.source)


def try_row(row: RejectedRow, text: str) -> RowError | None:
    """Why a rejected row with this text still can't be imported; None if it can."""
    outcome = _mapped(row, text, _mapper(row.run, _mapping_now(row.run)))
    return outcome if isinstance(outcome, RowError) else None


def text_of(row: RejectedRow) -> str:
    """A rejected row as text to edit: the saved fix, else the original."""
    return row.fixed or row.text


def cells_of(row: RejectedRow, columns: Sequence[str] | None = None) -> dict[str, str]:
    """The cells of a rejected row by column, as far as they can be parsed."""
    columns = row.run.columns if columns is None else columns
    dialect = Dialect(**row.run.dialect)
    try:
        cells = read_row(text_of(row), dialect=dialect, columns=row.run.columns)
    except RowError:
        cells = split_row(text_of(row), dialect=dialect, columns=row.run.columns)
    return {column: cell_text(cells.get(column)) for column in columns}


def repaired_csv(run: IngestionRun) -> Iterator[str]:
    """The open rejected rows of a run as CSV: its columns, and the line and reason of each row.

    These two columns identify such a file when it is uploaded again. Cells are escaped so that a
    spreadsheet finds no formula in them, and unescaped when the file comes back.
    """
    parent = run.parent or run
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(
        [*_guarded(parent.columns), LINE_COLUMN.format(parent.pk), REASON_COLUMN],
    )
    rows = RejectedRow.objects.of_run(parent).open().select_related("run").order_by("line", "pk")
    for row in rows.iterator(chunk_size=1_000):
        cells = cells_of(row, parent.columns)
        printable = map(_printable, cells.values())
        writer.writerow([*_guarded(printable), row.line, guarded(row.message)])
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    yield out.getvalue()


def comparable_cells(run: IngestionRun) -> Callable[[RejectedRow | Row | Reject], tuple[str, ...]]:
    """The cells of rows of a fixed file, and those that ``repaired_csv`` wrote for them."""
    dialect = Dialect(**run.dialect)

    def cells(row: RejectedRow | Row | Reject) -> tuple[str, ...]:
        found: Mapping[str, Any]
        if isinstance(row, RejectedRow):
            found = cells_of(row, run.columns)
        elif isinstance(row, Row):
            found = orjson.loads(row.data)
        else:
            text = row.raw.decode(run.encoding, KEEP_BYTES)
            found = split_row(text, dialect=dialect, columns=run.columns)
        return tuple(_printable(cell_text(found.get(column))) for column in run.columns)

    return cells


def restore(run: IngestionRun) -> Callable[[RejectedRow, Row], Row | Reject]:
    """A row of a fixed file whose original was JSON.

    A cell that was not edited keeps its original JSON value instead of its text.
    """
    mapper = _mapper(run, run.mapping)

    def restored(held: RejectedRow, row: Row) -> Row | Reject:
        dialect = Dialect(**held.run.dialect)
        if dialect.format not in (Format.JSON, Format.NDJSON):
            return row
        try:
            before = read_row(text_of(held), dialect=dialect, columns=held.run.columns)
        except RowError:
            return row
        cells = orjson.loads(row.data)
        for column, text in list(cells.items()):
            if text == _printable(cell_text(before.get(column))):
                cells.pop(column)
                if column in before:
                    cells[column] = before[column]
        (outcome,) = mapper([row.line], [cells])
        if isinstance(outcome, RowError):
            return _refused(held, outcome)
        return outcome

    return restored


def _guarded(cells: Iterable[str]) -> list[str]:
    """The first cells of a line, escaped so that a spreadsheet runs no formula."""
    return [guarded(cell, opens_line=place == 0) for place, cell in enumerate(cells)]


def _printable(cell: str) -> str:
    """A cell without characters that a text file can't hold."""
    return cell.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def _mapping_now(run: IngestionRun) -> dict[str, Any]:
    """The current column mapping of the run's source, completed by the run's own."""
    now = run.source.mapping
    mapping: dict[str, Any] = now if knows_roles(now) else run.mapping | now
    return mapping


def _mapper(run: IngestionRun, mapping: Mapping[str, Any]) -> RowMapper:
    # Numbers for rows of the same content are given where they land.
    return row_mapper(run, lambda digest: 1, mapping)


def _outcome(row: RejectedRow, run: IngestionRun, mapper: RowMapper) -> Row | Reject:
    outcome = _mapped(row, row.fixed or _decoded(row, run.reading), mapper)
    if isinstance(outcome, RowError):
        return _refused(row, outcome)
    return outcome._replace(raw=bytes(row.raw))


def _refused(row: RejectedRow, error: RowError) -> Reject:
    return Reject(row.line, bytes(row.raw), error.code, error.message, error.column)


def _decoded(row: RejectedRow, reading: Mapping[str, Any]) -> str:
    # A repaired file has an encoding of its own.
    own = row.run.parent_id is not None and row.run.path
    encoding = row.run.encoding if own else reading.get("encoding") or row.run.encoding
    return bytes(row.raw).decode(encoding or "utf-8", KEEP_BYTES)


def _mapped(row: RejectedRow, text: str, mapper: RowMapper) -> Row | RowError:
    try:
        # Someone has chosen to import a row that seemed to be no data: it may lack cells.
        cells = read_row(
            text,
            dialect=Dialect(**row.run.dialect),
            columns=row.run.columns,
            fill=row.code in NO_DATA,
        )
    except RowError as error:
        return error
    return mapper([row.line], [cells])[0]
