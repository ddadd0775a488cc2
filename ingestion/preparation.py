"""What an input is, and which columns play which roles, before it is read. Pure: no tables."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingestion.detection import Detected, detect
from ingestion.mapping import FORMAT, Roles, cell_text, missing_columns, propose
from ingestion.readers import Reader, open_reader
from ingestion.readers.repaired import RepairedReader
from ingestion.timestamps import detect_format
from records.rows import ROLES

# The rows by which column names are borne out and the format of dates is told.
SAMPLE_ROWS = 1_000


@dataclass(slots=True)
class Prepared:
    """What was found out about an input, and what follows from that.

    ``sample`` are the cells of its first rows as text. ``rival`` is another format that reads all
    dates of the sample, but otherwise than the one in the mapping; None where a person has chosen.
    ``notes`` are sentences worth telling. ``repaired`` is the number of the run whose rejected rows
    the input holds, repaired; None for any other input.
    """

    detected: Detected
    columns: list[str]
    sample: list[list[str]]
    mapping: dict[str, Any]
    rival: str | None = None
    notes: list[str] = field(default_factory=list)
    repaired: int | None = None

    @property
    def missing(self) -> list[tuple[str, str]]:
        """The roles that are played by columns which the input does not have, and these."""
        return missing_columns(self.mapping, self.columns)


def prepare(
    path: Path,
    name: str,
    *,
    reading: Mapping[str, Any],
    named: Mapping[str, Any],
    remembered: Mapping[str, Any],
    on_chunk: Callable[[], None] | None = None,
) -> Prepared:
    """Find out what an input is, and choose who plays which role.

    ``reading`` is what a person says about how to read it; ``named`` is the part of a mapping that
    was named for this input, ``remembered`` that of its source. Raises UnreadableInput and
    InvalidReading.
    """
    detected = detect(path, name, reading=reading, on_chunk=on_chunk)
    with open_reader(
        path,
        name=name,
        encoding=detected.encoding,
        dialect=detected.dialect,
        on_chunk=on_chunk or (lambda: None),
    ) as reader:
        columns, sample = reader.columns, _sample(reader)
        repaired = reader.run if isinstance(reader, RepairedReader) else None
    roles = _choose_roles(named, remembered, columns, sample)
    found = Prepared(
        detected, columns, sample, {**roles}, notes=list(detected.notes), repaired=repaired
    )
    if not found.missing:
        _choose_format(found, roles, named, remembered)
    if not roles["id"]:
        found.notes.append(
            "No column is the key: each row has one made of its content, so a row that changes "
            "is a new record. Name the key columns if the input has any."
        )
    return found


def _sample(reader: Reader) -> list[list[str]]:
    sample: list[list[str]] = []
    for chunk in reader.chunks(SAMPLE_ROWS):
        sample += [[cell_text(row.get(name)) for name in reader.columns] for row in chunk.rows]
        if len(sample) >= SAMPLE_ROWS:
            break
    return sample[:SAMPLE_ROWS]


def _choose_roles(
    named: Mapping[str, Any],
    remembered: Mapping[str, Any],
    columns: Sequence[str],
    sample: Sequence[Sequence[str]],
) -> Roles:
    """What the user named, else what the source remembers, else what the columns are called."""
    known = remembered or propose(columns, sample)
    taken = {column for role in ROLES for column in named.get(role) or []}
    return {
        role: list(named[role])
        if role in named
        else [column for column in known.get(role, []) if remembered or column not in taken]
        for role in ROLES
    }


def _choose_format(
    found: Prepared, roles: Roles, named: Mapping[str, Any], remembered: Mapping[str, Any]
) -> None:
    """Put the format of the dates into the mapping: what was named, remembered, or is likely."""
    found.mapping[FORMAT] = None
    if not roles["timestamp"]:
        return
    for known in (named, remembered):
        if known.get(FORMAT) and known.get("timestamp") == roles["timestamp"]:
            found.mapping[FORMAT] = str(known[FORMAT])
            return
    places = [found.columns.index(column) for column in roles["timestamp"]]
    texts = [" ".join(row[place] for place in places) for row in found.sample]
    best, found.rival = detect_format(texts)
    found.mapping[FORMAT] = best
    column = " and ".join(map(repr, roles["timestamp"]))
    if best is None and any(text.strip() for text in texts):
        found.notes.append(f"The dates in {column} have a format that is not known; none was read.")
    if found.rival is not None:
        found.notes.append(
            f"The dates in {column} can be read in two ways: they were read as {best}, not as "
            f"{found.rival}."
        )
