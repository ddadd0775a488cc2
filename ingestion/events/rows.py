"""The events of requests as rows of one run: numbered, with their keys and columns."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from ingestion.events.runs import DIALECT, ENCODING
from ingestion.parsing.cloud_events import EventRow
from ingestion.parsing.event_mapper import own_id
from ingestion.parsing.limits import MAX_NESTED_COLUMNS
from ingestion.parsing.readers.base import Chunk, original_bytes
from ingestion.parsing.readers.ndjson import LinesOfRows
from records.rows import Reject


@dataclass(frozen=True, slots=True)
class Sent:
    """The events of a request; with a ``key``, repeating it changes nothing."""

    source: str
    user: User
    events: Sequence[EventRow]
    key: str = ""

    @property
    def fingerprint(self) -> str:
        """The digest of what the request asks for."""
        asked = hashlib.sha256(f"events\0{self.source}\0".encode())
        for event in self.events:
            asked.update(event.text.encode("utf-8", "surrogatepass") + b"\n")
        return asked.hexdigest()

    def made_keys(self, run: int, first: int) -> Iterator[str]:
        """Keys for events that have none: by the request's key and their place, else by the run and
        their number in it, of which ``first`` is the first. Equal events are different ones."""
        if self.key:
            named = f"{self.user.pk}\0{self.key}".encode()
            start = f"event-{hashlib.blake2b(named, digest_size=10).hexdigest()}"
            first = 1
        else:
            start = f"event-{run:06}"
        # Keys in order land fastest.
        return (f"{start}-{number:07}" for number in range(first, first + len(self.events)))


def chunk_of(requests: Sequence[Sent], *, first: int) -> Chunk:
    """The rows of events, and those that can't be read; ``first`` is the number of the first."""
    events = [event for request in requests for event in request.events]
    reader = LinesOfRows(encoding=ENCODING, nested=DIALECT.nested)
    texts = ["" if event.refusal else event.text for event in events]
    chunk = reader.chunk(first, texts, 0)
    for number, event in enumerate(events, first):
        if (error := event.refusal) is not None:
            what = (error.code, error.message, error.column)
            chunk.rejects.append(Reject(number, original_bytes(event.text, ENCODING), *what))
    return chunk


def within_limit(chunk: Chunk, columns: Collection[str]) -> Chunk:
    """The chunk; rows that would give the source too many columns are rejected."""
    known, limit = set(columns), max(MAX_NESTED_COLUMNS, len(columns))
    kept: list[int] = []
    for place, row in enumerate(chunk.rows):
        new = row.keys() - known
        if len(known) + len(new) <= limit:
            known |= new
            kept.append(place)
    if len(kept) == len(chunk.rows):
        return chunk
    message = f"With the event, the source would have more than {limit:,} columns."
    over = (place for place in range(len(chunk.rows)) if place not in set(kept))
    rejects = [Reject(chunk.lines[p], chunk.raw(p), "unstorable", message) for p in over]
    return Chunk(
        lines=[chunk.lines[place] for place in kept],
        rows=[chunk.rows[place] for place in kept],
        rejects=[*chunk.rejects, *rejects],
        raw=lambda index: chunk.raw(kept[index]),
        bytes_read=chunk.bytes_read,
    )


def columns_of(chunk: Chunk, lines: Collection[int], columns: Sequence[str]) -> list[str]:
    """The columns, and behind them the new ones of the rows with these numbers."""
    known = set(columns)
    added: dict[str, None] = {}
    for line, row in zip(chunk.lines, chunk.rows, strict=True):
        if not row.keys() <= known and line in lines:
            added |= dict.fromkeys(name for name in row if name not in known)
    return [*columns, *added]


def own_ids(source: str, chunk: Chunk) -> dict[int, str]:
    """The record IDs that CloudEvents make, by the numbers of the events."""
    found = {}
    for line, row in zip(chunk.lines, chunk.rows, strict=True):
        if made := own_id(f"{source}:", row):
            found[line] = made
    return found


def with_duplicates(
    outcomes: Sequence[dict[str, Any]], own: dict[int, str]
) -> list[dict[str, Any]]:
    """The outcomes; an event that came before, by its own ID and with the same content, is a
    duplicate, which the ledger counts as unchanged."""
    if not own:
        return list(outcomes)
    return [
        {**each, "outcome": "duplicate"}
        if each["outcome"] == "unchanged" and own.get(each["line"]) == each["id"]
        else each
        for each in outcomes
    ]
