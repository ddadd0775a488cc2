"""Closes the records that are missing from a snapshot: an input that holds all of its source."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from ingestion.parsing.spill_dict import SpillDict
from records import store
from records.models import DataRecord, IngestionRun, RecordCount
from records.notes import warning

# If a snapshot would close more records than this share, it may be the wrong file.
MANY = 0.5


@dataclass(frozen=True, slots=True)
class Missing:
    """How many of the ``known`` open records are missing from an input, and how many of its
    rejected rows may be any of these, as their keys can't be read."""

    records: int
    known: int
    unknown_keys: int = 0
    reopened: int = 0

    @property
    def is_many(self) -> bool:
        return self.records > self.known * MANY

    @property
    def obstacle(self) -> str:
        """Why no record can be closed, as a sentence; "" if nothing prevents it."""
        if not self.unknown_keys:
            return ""
        return (
            f"No record is closed. Rejected rows whose key can't be read: {self.unknown_keys:,}. "
            "Their records would seem to be missing, so fix these rows and import the whole file "
            "again."
        )

    @property
    def question(self) -> str:
        """What a person has to confirm before records are closed; "" if nothing."""
        if self.obstacle or not self.is_many:
            return ""
        return (
            f"{self.records:,} of {self.known:,} records are not in this file, and would be closed."
        )

    def notes(self) -> list[str]:
        """What an import would close and reopen, as sentences."""
        told = self.obstacle or self.question
        found = [warning(told)] if told else []
        if self.records and not told:
            found.append(f"Records to be closed, as they are not in this file: {self.records:,}.")
        if self.reopened:
            found.append(f"Closed records to be reopened: {self.reopened:,}.")
        return found


def is_whole(run: IngestionRun) -> bool:
    """Whether the input of a run can be the whole of its source."""
    if run.parent is not None or run.keeps_outcomes:
        return False
    is_incremental = run.feed is not None and run.feed.config.get("incremental", {}).get("param")
    return not is_incremental


def close_missing(
    run: IngestionRun, worker: str, on_batch: Callable[[], None] = lambda: None
) -> list[str]:
    """Close what is missing from a snapshot whose rows are all saved; return notes.

    If this must not be done, or needs a person to confirm it, no record is closed and the run is
    no snapshot any more. After an interruption this continues behind the last batch.
    """
    run.refresh_from_db()
    if not run.is_snapshot or run.cut_short:
        return _reopened(run)
    if not run.closing_cursor:
        known = RecordCount.objects.of_source(run.source.name).open().records() - run.created
        missing = Missing(store.count_missing(run), known, run.unknown_keys)
        if said := missing.obstacle or ("" if run.closes_many else missing.question):
            run.is_snapshot = False
            hint = (
                ""
                if missing.obstacle
                else " None has been, as these are more than half. If the file is complete, import "
                "it again and confirm that they are closed (--close-many)."
            )
            return [warning(said + hint), *_reopened(run)]
    more = True
    while more:
        more = store.close_batch(run=run, worker=worker)
        on_batch()
    run.refresh_from_db()
    closed = [f"Closed records, which are missing from this file: {run.closed:,}."]
    return [*(closed if run.closed else []), *_reopened(run)]


def _reopened(run: IngestionRun) -> list[str]:
    return [f"Reopened records, which were closed: {run.reopened:,}."] if run.reopened else []


class Forecast:
    """Tells from the keys of an input what it would close and reopen. Nothing is written."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._seen = SpillDict()
        self._found = self._reopened = self._unknown_keys = 0

    def __enter__(self) -> Self:
        self._seen.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._seen.__exit__(kind, error, traceback)

    def add(self, ids: Collection[str], unknown_keys: int) -> None:
        """The next keys, and how many rejected rows come without one."""
        self._unknown_keys += unknown_keys
        wanted = set(ids)
        if not wanted:
            return
        if not DataRecord.objects.filter(id__range=(min(wanted), max(wanted))).exists():
            return
        found = DataRecord.objects.with_ids(wanted).values_list("id", "closed_by_id")
        known = dict(found)
        before = self._seen.remembered(known)
        new = {key: closed_by for key, closed_by in known.items() if key not in before}
        self._found += sum(closed_by is None for closed_by in new.values())
        self._reopened += sum(closed_by is not None for closed_by in new.values())
        self._seen.remember(dict.fromkeys(new, b""))

    def missing(self) -> Missing:
        known = RecordCount.objects.of_source(self._source).open().records()
        return Missing(known - self._found, known, self._unknown_keys, self._reopened)
