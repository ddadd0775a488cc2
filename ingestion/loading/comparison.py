"""Compares the rows of an input with the records of its source. Nothing is written."""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Self

import orjson

from ingestion.parsing.spill_dict import SpillDict
from records.database import bulk
from records.json_text import json_text, parsed
from records.merging import Content, merged_rows
from records.models import DataRecord
from records.models.sources import OnConflict
from records.rows import Row


class Verdict(StrEnum):
    """The outcome of a row; the names are those of the ledger."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


@dataclass(slots=True)
class Compared:
    """A row, its outcome, and the content of its record if that differs."""

    row: Row
    verdict: Verdict
    before: Content | None = None


class Comparison:
    """Compares rows with the records of their source and with earlier rows of the input.

    It predicts what records.store.land would do. Rows that would be written are remembered as
    digests.
    """

    def __init__(self, *, on_conflict: str, repeats: bool, time_columns: Collection[str]) -> None:
        """``repeats`` says whether a key may occur twice in the input."""
        self._on_conflict = on_conflict
        self._repeats = repeats
        self._time_columns = time_columns
        self._seen = SpillDict()
        # What records would hold after the rows so far, where rows are merged with them.
        self._contents = SpillDict()

    def __enter__(self) -> Self:
        self._seen.__enter__()
        self._contents.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._seen.__exit__(kind, error, traceback)
        self._contents.__exit__(kind, error, traceback)

    def __call__(self, rows: Sequence[Row]) -> Iterator[Compared]:
        """The outcome of each row, in order."""
        if not rows:
            return
        known = _known(rows)
        if self._on_conflict == OnConflict.MERGE:
            rows = self._merged(rows, known)
        seen = self._seen.remembered(row.id for row in rows) if self._repeats else {}
        written: dict[str, bytes] = {}
        for row in rows:
            digest = _digest(row) if self._repeats else b""
            found = self._compare(row, digest, seen.get(row.id), known.get(row.id))
            if found.verdict in (Verdict.CREATED, Verdict.UPDATED):
                seen[row.id] = written[row.id] = digest
            yield found
        if self._repeats:
            self._seen.remember(written)

    def _merged(self, rows: Sequence[Row], known: Mapping[str, Content]) -> list[Row]:
        """The rows with the cells that they lack: those of their records, or of earlier rows."""
        contents = dict(known)
        if self._repeats:
            for key, text in self._contents.remembered(row.id for row in rows).items():
                contents[key] = Content(*parsed(text.decode()))
        merged = list(merged_rows(rows, contents, time_columns=self._time_columns))
        if self._repeats:
            after = {row.id: f"[{row.data},{json_text(row.timestamp)}]".encode() for row in merged}
            self._contents.remember(after)
        return merged

    def _compare(
        self,
        row: Row,
        digest: bytes,
        seen: bytes | None,
        known: Content | None,
    ) -> Compared:
        if seen is not None:
            return Compared(row, Verdict.UNCHANGED if seen == digest else self._conflict())
        if known is None:
            return Compared(row, Verdict.CREATED)
        data, timestamp = known
        if data != orjson.loads(row.data):
            return Compared(row, self._conflict(), known)
        # A changed timestamp mapping updates records under any policy.
        verdict = Verdict.UNCHANGED if timestamp == row.timestamp else Verdict.UPDATED
        return Compared(row, verdict, known)

    def _conflict(self) -> Verdict:
        match self._on_conflict:
            case OnConflict.KEEP:
                return Verdict.UNCHANGED
            case OnConflict.REJECT:
                return Verdict.REJECTED
        return Verdict.UPDATED


def _known(rows: Sequence[Row]) -> dict[str, Content]:
    ids = {row.id for row in rows}
    if not DataRecord.objects.filter(id__range=(min(ids), max(ids))).exists():
        return {}
    found = DataRecord.objects.with_ids(ids).values_list("id", "data", "timestamp")
    return {key: Content(data, bulk.sql_time(timestamp)) for key, data, timestamp in found}


def _digest(row: Row) -> bytes:
    # The order of the columns makes no difference.
    data = orjson.dumps(orjson.loads(row.data), option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(data + str(row.timestamp).encode(), digest_size=16).digest()
