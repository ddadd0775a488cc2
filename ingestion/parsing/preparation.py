"""What an input is, and which columns play which roles, before it is read. Pure: no tables."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingestion.errors import AmbiguousDates
from ingestion.parsing.detection import Detected, detect
from ingestion.parsing.mapping import (
    FORMAT,
    Roles,
    check_columns,
    knows_roles,
    missing_columns,
    propose,
)
from ingestion.parsing.readers import Chunk, open_reader
from ingestion.parsing.readers.repaired import RepairedReader
from ingestion.parsing.row_mapper import cell_text
from ingestion.parsing.timestamps import Doubt, FormatSearch
from records.rows import ROLES

# The rows by which column names are borne out and the format of dates is told.
SAMPLE_ROWS = 1_000
# Of a wide input fewer rows do, so that the sample has about so many cells at the most.
SAMPLE_CELLS = 200_000
MIN_SAMPLE_ROWS = 20
# While the dates of a long input are gone through, so many chunks come between signs of life.
CHUNKS_A_SIGN = 50


@dataclass(slots=True)
class Prepared:
    """What was found out about an input, and what follows from that.

    ``sample`` are the cells of its first rows as text. ``doubt`` is what can't be told about the
    format of its dates, not even by its other rows; None where a person has chosen. ``notes`` are
    sentences worth telling. ``repaired`` is the number of the run whose rejected rows the input
    holds, repaired; None for any other input.
    """

    detected: Detected
    columns: list[str]
    sample: list[list[str]]
    mapping: dict[str, Any]
    doubt: Doubt | None = None
    notes: list[str] = field(default_factory=list)
    repaired: int | None = None

    @property
    def missing(self) -> list[tuple[str, str]]:
        """The roles that are played by columns which the input does not have, and these."""
        return missing_columns(self.mapping, self.columns)

    def check(self) -> None:
        """Raise MissingColumns or AmbiguousDates where the input can't be loaded like this."""
        check_columns(self.mapping, self.columns)
        if self.doubt is not None:
            raise AmbiguousDates(self.mapping["timestamp"], self.doubt)


def prepare(
    path: Path,
    name: str,
    *,
    reading: Mapping[str, Any],
    named: Mapping[str, Any],
    remembered: Mapping[str, Any],
    on_chunk: Callable[[], None] = lambda: None,
    detected: Detected | None = None,
) -> Prepared:
    """Find out what an input is, and choose who plays which role.

    ``reading`` is what a person says about how to read it; ``named`` is the part of a mapping that
    was named for this input, ``remembered`` that of its source. ``on_chunk`` is called again and
    again while a large input is looked through. ``detected`` is what is known of it already. Raises
    UnreadableInput and InvalidReading.
    """
    detected = detected or detect(path, name, reading=reading, on_chunk=on_chunk)
    with open_reader(
        path,
        name=name,
        encoding=detected.encoding,
        dialect=detected.dialect,
        on_chunk=on_chunk,
        columns=detected.columns,
        digest=detected.digest,
    ) as reader:
        columns = reader.columns
        size = min(SAMPLE_ROWS, max(SAMPLE_CELLS // max(len(columns), 1), MIN_SAMPLE_ROWS))
        chunks = reader.chunks(size)
        sample = _sample(columns, chunks, size, on_chunk)
        roles = _choose_roles(named, remembered, columns, sample)
        found = Prepared(
            detected,
            columns,
            sample,
            {**roles, FORMAT: None},
            notes=list(detected.notes),
            repaired=reader.run if isinstance(reader, RepairedReader) else None,
        )
        if not found.missing:
            _choose_format(found, named, remembered, chunks, on_chunk)
    if not roles["id"]:
        found.notes.append(
            "No column is the key: each row has one made of its content, so a row that changes "
            "is a new record. Name the key columns if the input has any."
        )
    return found


def _sample(
    columns: Sequence[str], chunks: Iterator[Chunk], size: int, on_chunk: Callable[[], None]
) -> list[list[str]]:
    sample: list[list[str]] = []
    while len(sample) < size and (chunk := next(chunks, None)):
        on_chunk()
        sample += [_cells(row, columns) for row in chunk.rows]
    return sample


def _cells(row: Mapping[str, Any], columns: Sequence[str]) -> list[str]:
    return [cell_text(row.get(name)) for name in columns]


def _choose_roles(
    named: Mapping[str, Any],
    remembered: Mapping[str, Any],
    columns: Sequence[str],
    sample: Sequence[Sequence[str]],
) -> Roles:
    """What the user named, else what the source remembers, else what the columns are called."""
    knows = knows_roles(remembered)
    known = remembered if knows else propose(columns, sample)
    taken = {column for role in ROLES for column in named.get(role) or []}
    return {
        role: list(named[role])
        if role in named
        else [column for column in known.get(role, []) if knows or column not in taken]
        for role in ROLES
    }


def _choose_format(
    found: Prepared,
    named: Mapping[str, Any],
    remembered: Mapping[str, Any],
    more: Iterator[Chunk],
    on_chunk: Callable[[], None],
) -> None:
    """Put the format of the dates into the mapping: what was named, remembered, or is found.

    Where the first rows leave it open, ``more`` rows are read until one decides.
    """
    columns = found.mapping["timestamp"]
    if not columns:
        if named.get(FORMAT):
            found.notes.append("No column is the timestamp, so that its format has no use here.")
        return
    found.mapping[FORMAT] = _known_format(columns, named, remembered)
    if found.mapping[FORMAT]:
        return
    places = [found.columns.index(column) for column in columns]
    texts = [" ".join(row[place] for place in places) for row in found.sample]
    search = FormatSearch(texts)
    number = 0
    while search.is_open and (chunk := next(more, None)):
        search.add(" ".join(_cells(row, columns)) for row in chunk.rows)
        number += 1
        if number % CHUNKS_A_SIGN == 0:
            on_chunk()
    found.mapping[FORMAT], found.doubt = search.best, search.doubt
    if search.best is None and any(text.strip() for text in texts):
        column = " and ".join(map(repr, columns))
        found.notes.append(f"The dates in {column} have a format that is not known; none was read.")


def _known_format(
    columns: Sequence[str], named: Mapping[str, Any], remembered: Mapping[str, Any]
) -> str | None:
    """The format that was named, else the one that the source remembers for these columns."""
    if named.get(FORMAT):
        return str(named[FORMAT])
    is_theirs = not knows_roles(remembered) or remembered.get("timestamp") == columns
    return str(remembered[FORMAT]) if is_theirs and remembered.get(FORMAT) else None
