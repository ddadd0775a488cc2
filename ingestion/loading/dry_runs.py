"""Dry runs: read a whole input without writing anything, and report what an import would do."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.contrib.auth.models import User

from ingestion.errors import IngestionError
from ingestion.loading.closing import Forecast, is_whole
from ingestion.loading.comparison import Compared, Comparison, Verdict
from ingestion.loading.doubled import doubled_note
from ingestion.loading.run_input import (
    closing_notes,
    lost_cells_notes,
    open_input,
    row_mapper,
    write_down,
)
from ingestion.loading.value_cells import watch_values
from ingestion.parsing.batches import read_batches
from ingestion.parsing.mapping import FORMAT
from ingestion.parsing.number_format import known_styles
from ingestion.parsing.preparation import prepare
from ingestion.parsing.profile import Profile
from ingestion.parsing.readers import Chunk, Reader
from ingestion.parsing.row_mapper import cell_text
from ingestion.parsing.spill_dict import SpillDict
from records import store
from records.jobs import leases
from records.jobs.job import Job
from records.jobs.runner import queue
from records.json_text import storable
from records.models import DryRun, IngestionRun, RunState
from records.models.sources import OnConflict
from records.reject_codes import NO_DATA
from records.rows import Reject, by_column

# How many reasons, rejected rows of each, changed records, and changed cells of each are reported.
REASONS = 50
REJECTED_EXAMPLES = 3
CHANGED_EXAMPLES = 10
CHANGED_CELLS = 12
# How much of a cell or a row is reported.
CHARACTERS = 300

# Called with the number of bytes and rows read so far.
OnBatch = Callable[[int, int], None]
Report = dict[str, Any]


def start(
    run: IngestionRun, *, on_conflict: str, is_snapshot: bool = False, user: User | None = None
) -> DryRun:
    """Queue a dry run of a draft; earlier ones of it are stopped."""
    stop(run)
    dry = DryRun.objects.create(
        run=run,
        trigger=run.trigger,
        user=user,
        report={"on_conflict": on_conflict, "is_snapshot": is_snapshot},
    )
    queue(dry)
    return dry


def stop(run: IngestionRun) -> None:
    """Stop the active dry runs of a draft."""
    for dry in DryRun.objects.filter(run=run).active():
        leases.stop(dry)


def latest(run: IngestionRun) -> DryRun | None:
    return DryRun.objects.filter(run=run).order_by("-pk").first()


def policy_of(run: IngestionRun) -> str:
    """The draft's policy for existing records: the one chosen for its dry run."""
    dry = latest(run)
    return str((dry and dry.report.get("on_conflict")) or run.source.on_conflict)


def is_snapshot(run: IngestionRun) -> bool:
    """Whether the draft holds all records of its source, as chosen for its dry run."""
    dry = latest(run)
    known = dry.report.get("is_snapshot") if dry else None
    return run.source.is_snapshot if known is None else bool(known)


class DryRunFile(Job[DryRun]):
    """Make the report of a dry run. After an interruption this starts again.

    A file that can't be loaded ends the dry run as failed, with the reason in ``error``.
    """

    refusals = (IngestionError,)

    def run(self) -> None:
        dry = self.row
        run = dry.run
        report = examine(
            run,
            on_conflict=dry.report["on_conflict"],
            is_snapshot=dry.report.get("is_snapshot", False),
            on_batch=lambda bytes_read, read: self.record_progress(
                bytes_read=bytes_read, read=read
            ),
            on_chunk=self.still_here,
        )
        # Of a large file only the beginning had been read.
        draft = IngestionRun.objects.filter(pk=run.pk, state=RunState.DRAFT)
        draft.update(size=run.size, sha256=run.sha256)
        self.finish(report=report, bytes_read=run.size, read=report["read"])


def examine(
    run: IngestionRun,
    *,
    on_conflict: str,
    is_snapshot: bool = False,
    on_batch: OnBatch = lambda bytes_read, read: None,
    on_chunk: Callable[[], None] = lambda: None,
) -> Report:
    """Read all of a run's input like an import, and report what the import would do.

    ``on_chunk`` is called repeatedly while the input is detected, before its rows are read. What
    is detected is set on the run, which need not be saved. The report is plain JSON: the ledger;
    ``reasons`` of rejected rows and ``changes`` of records, with examples; the ``profile`` of every
    column; what of the value column can't be read (``value_cells``); of a snapshot what it would
    close (``missing``); ``columns``, ``mapping``, ``notes`` and ``shared_ids``; and whether it
    ``doubles`` records, as its key is another one. Raises IngestionError.
    """
    found = prepare(
        Path(run.path),
        run.file_name,
        reading=run.reading,
        named=run.mapping,
        remembered=run.source.mapping,
        merges=on_conflict == OnConflict.MERGE,
        on_chunk=on_chunk,
    )
    found.check()
    write_down(run, found)
    doubled = doubled_note(run, on_chunk)
    run.notes += filter(None, [doubled])
    findings = _Findings(run.columns)
    closes = is_snapshot and is_whole(run)
    with (
        open_input(run, on_chunk) as reader,
        SpillDict() as seen,
        Forecast(run.source.name) as forecast,
    ):
        profile = Profile(reader.columns, _date_formats(run), known_styles(run.mapping))
        mapper = row_mapper(run, seen.count, on_conflict=on_conflict)
        profiled = _Profiled(reader, profile)
        values = watch_values(run, profiled)
        with Comparison(
            on_conflict=on_conflict,
            repeats=not mapper.makes_keys,
            time_columns=run.mapping["timestamp"],
        ) as compare:
            for batch in read_batches(
                values or profiled,
                mapper,
                size=settings.BATCH_ROWS,
                keep_raw=on_conflict == OnConflict.REJECT,
            ):
                for compared in compare(batch.rows):
                    findings.add(compared)
                for reject in batch.rejects:
                    findings.add_reject(reject)
                if closes:
                    keys = [reject.id for reject in batch.rejects if reject.id]
                    unknown = sum(reject.is_of_any for reject in batch.rejects)
                    forecast.add([*by_column(batch.rows).ids, *keys], unknown)
                on_batch(batch.bytes_read, findings.read)
        notes = [*run.notes, *reader.notes, *closing_notes(reader, mapper, on_conflict)]
        notes += lost_cells_notes(findings.lost) if on_conflict == OnConflict.UPDATE else []
        shared = mapper.shared_ids
        missing = forecast.missing() if closes else None
    if missing is not None:
        notes += missing.notes()
    cells = values.found()[1] if values else None
    if cells is not None and cells.unread:
        notes.append(cells.sentence())
    report = {
        **findings.report(),
        "on_conflict": on_conflict,
        "is_snapshot": is_snapshot,
        "missing": asdict(missing) if missing else {},
        "columns": run.columns,
        "mapping": run.mapping,
        "encoding": run.encoding,
        "notes": notes,
        "value_cells": cells.as_json() if cells else {},
        "shared_ids": asdict(shared),
        "doubles": bool(doubled),
        "profile": [
            {**asdict(column), "share": column.numbers * 100} for column in profile.columns()
        ],
    }
    kept: Report = storable(report)
    return kept


def to_fix(report: Mapping[str, Any]) -> int:
    """How many rows would be rejected that may be fixed: all but those that are no data."""
    aside = [group["count"] for group in report["reasons"] if group["code"] in NO_DATA]
    return int(report["rejected"]) - sum(aside)


def _date_formats(run: IngestionRun) -> dict[str, str]:
    """The date format of the timestamp column, if it is one column."""
    times, pattern = run.mapping["timestamp"], run.mapping[FORMAT]
    return {times[0]: pattern} if len(times) == 1 and pattern else {}


class _Profiled:
    """A reader that adds its chunks to a profile."""

    def __init__(self, reader: Reader, profile: Profile) -> None:
        self._reader = reader
        self._profile = profile

    def chunks(self, size: int) -> Iterator[Chunk]:
        for chunk in self._reader.chunks(size):
            self._profile.add(chunk.rows)
            yield chunk


class _Findings:
    """Counts the outcomes of rows, and keeps some of them as examples."""

    def __init__(self, columns: Collection[str]) -> None:
        """``columns`` are those of the input."""
        self._columns = frozenset(columns)
        # How many records would lose their cell of a column that the input does not have.
        self.lost: Counter[str] = Counter()
        self._ledger = dict.fromkeys(Verdict, 0)
        self._reasons: dict[tuple[str, str], dict[str, Any]] = {}
        self._other_reasons = 0
        self._changes: list[dict[str, Any]] = []

    @property
    def read(self) -> int:
        return sum(self._ledger.values())

    def add(self, compared: Compared) -> None:
        if compared.verdict == Verdict.REJECTED:
            self.add_reject(store.conflict(compared.row))
            return
        self._ledger[compared.verdict] += 1
        is_update = compared.verdict == Verdict.UPDATED and compared.before is not None
        if is_update and compared.before is not None:
            self.lost.update(compared.before[0].keys() - self._columns)
        if is_update and len(self._changes) < CHANGED_EXAMPLES:
            self._changes.append(_change(compared))

    def add_reject(self, reject: Reject) -> None:
        self._ledger[Verdict.REJECTED] += 1
        reason = (reject.code, reject.column)
        if reason not in self._reasons:
            if len(self._reasons) == REASONS:
                self._other_reasons += 1
                return
            self._reasons[reason] = {
                "code": reject.code, "column": reject.column, "count": 0, "examples": [],
            }  # fmt: skip
        group = self._reasons[reason]
        group["count"] += 1
        if len(group["examples"]) < REJECTED_EXAMPLES:
            text = reject.raw[: CHARACTERS * 4].decode(errors="replace").rstrip("\r\n")
            group["examples"].append(
                {"line": reject.line, "message": reject.message, "row": _short(text)}
            )

    def report(self) -> Report:
        return {
            "read": self.read,
            **{str(verdict): count for verdict, count in self._ledger.items()},
            "loadable": self.read - self._ledger[Verdict.REJECTED],
            "reasons": sorted(self._reasons.values(), key=lambda group: -group["count"]),
            "other_reasons": self._other_reasons,
            "changes": self._changes,
        }


def _change(compared: Compared) -> dict[str, Any]:
    """A record that a row would change; its cells as [column, before, after]."""
    data, timestamp = compared.before or ({}, None)
    after: dict[str, Any] = orjson.loads(compared.row.data)
    cells = [
        [column, _cell(data, column), _cell(after, column)]
        for column in dict.fromkeys([*after, *data])
        if data.get(column) != after.get(column) or (column in data) != (column in after)
    ]
    if not cells:
        cells = [["timestamp", str(timestamp), str(compared.row.timestamp)]]
    return {
        "id": compared.row.id,
        "line": compared.row.line,
        "cells": cells[:CHANGED_CELLS],
        "more": max(len(cells) - CHANGED_CELLS, 0),
    }


def _cell(data: Mapping[str, Any], column: str) -> str | None:
    return _short(cell_text(data[column])) if column in data else None


def _short(text: str) -> str:
    return text if len(text) <= CHARACTERS else text[:CHARACTERS] + "…"
