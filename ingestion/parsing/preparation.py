"""Detects what an input is and maps its columns, before its rows are read. Pure: no tables."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingestion.errors import AmbiguousDates, AmbiguousNumbers
from ingestion.parsing.date_mapping import (
    choose_zone,
    known_format,
    misfit,
    notes_on_format,
    unused_dates,
)
from ingestion.parsing.detection import Detected, detect
from ingestion.parsing.distinct import KeyCells
from ingestion.parsing.keys import KeySearch
from ingestion.parsing.mapping import (
    FORMAT,
    ZONE,
    ZONE_COLUMN,
    Roles,
    absent_roles,
    check_columns,
    knows_roles,
    missing_columns,
    propose,
)
from ingestion.parsing.number_format import (
    NUMBER_FORMAT,
    NUMBERS,
    NumberSearch,
    pair_notes,
    search_for,
    sentences,
)
from ingestion.parsing.readers import Chunk, open_reader
from ingestion.parsing.readers.repaired import RepairedReader
from ingestion.parsing.readers.table import Table
from ingestion.parsing.row_mapper import cell_text, join_key
from ingestion.parsing.shared_ids import SharedIds
from ingestion.parsing.survey import Survey
from ingestion.parsing.timestamps.search import Doubt, FormatSearch
from records.number_decision import Doubt as NumberDoubt
from records.number_text import PLAIN
from records.rows import ROLES

# How many rows are used to find the columns that may play a role; the survey looks at all of them.
SAMPLE_ROWS = 1_000
# A wide input gets fewer rows, so that the sample has about this many cells at most.
SAMPLE_CELLS = 200_000
MIN_SAMPLE_ROWS = 20


@dataclass(slots=True)
class Prepared:
    """What was detected about an input, and its column mapping.

    ``sample`` are the cells of its first rows as text. ``doubt`` is an ambiguity of the date format
    that no row settles; None if a person has chosen. ``number_doubt`` is one of the number format.
    ``notes`` are sentences for the user. ``shared_ids`` are the rows that share an ID, if that was
    asked. ``repaired`` is the number of the run whose fixed rejected rows the input contains; None
    for any other input. ``absent`` are roles of the source that the input does not play: its rows
    are merged with records that do. ``is_undecided``: the first numbers are plain, and whoever
    reads all rows next has to tell the style of the value column from all of them.
    """

    detected: Detected
    columns: list[str]
    sample: list[list[str]]
    mapping: dict[str, Any]
    doubt: Doubt | None = None
    number_doubt: NumberDoubt | None = None
    notes: list[str] = field(default_factory=list)
    shared_ids: SharedIds | None = None
    repaired: int | None = None
    absent: Collection[str] = ()
    is_undecided: bool = False

    @property
    def missing(self) -> list[tuple[str, str]]:
        """The roles with mapped columns that the input does not have, and these columns."""
        missing = missing_columns(self.mapping, self.columns)
        return [(role, column) for role, column in missing if role not in self.absent]

    def texts(self, columns: Sequence[str]) -> list[str]:
        """The cells of columns in the sample, those of a row joined."""
        places = [self.columns.index(column) for column in columns]
        return [" ".join(row[place] for place in places) for row in self.sample]

    def check(self) -> None:
        """Raise MissingColumns, AmbiguousDates or AmbiguousNumbers if the input can't be imported
        like this."""
        check_columns(self.mapping, self.columns, absent=self.absent)
        if self.doubt is not None:
            raise AmbiguousDates(self.mapping["timestamp"], self.doubt)
        if self.number_doubt is not None:
            raise AmbiguousNumbers(self.mapping["value"][0], self.number_doubt)


def prepare(
    path: Path,
    name: str,
    *,
    reading: Mapping[str, Any],
    named: Mapping[str, Any],
    remembered: Mapping[str, Any],
    merges: bool = False,
    on_chunk: Callable[[], None] = lambda: None,
    detected: Detected | None = None,
    asks: bool = False,
    decides_later: bool = False,
) -> Prepared:
    """Detect what an input is, and map its columns.

    ``reading`` are the parsing options; ``named`` is the part of the mapping that was given for
    this input, ``remembered`` the mapping of its source. ``merges`` says that records keep the
    cells that their rows lack, so the input may do without columns. ``on_chunk`` is called
    repeatedly while a large input is read. ``detected`` is what is known about it already. If a
    person ``asks``, the rows that share an ID which was given for this input are counted. Who
    ``decides_later`` about the style of plain numbers spares a pass (see ``is_undecided``). Raises
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
        if not columns:
            # An empty file says nothing about the mapping of its source.
            nothing: dict[str, Any] = {**{role: [] for role in ROLES}, FORMAT: None}
            return Prepared(detected, [], [], nothing, notes=list(detected.notes))
        survey = Survey()
        roles = _choose_roles(named, remembered, columns, sample)
        found = Prepared(
            detected,
            columns,
            sample,
            {**roles, FORMAT: None},
            notes=list(detected.notes),
            repaired=reader.run if isinstance(reader, RepairedReader) else None,
            absent=absent_roles(roles, columns, remembered) if merges else (),
        )
        keys = _search_key(found, named, remembered, name, survey)
        ids = _watch_ids(named, remembered, survey) if asks and not found.missing else None
        dates = numbers = None
        if not found.missing:
            dates = _search_format(found, named, remembered, survey)
            numbers = _search_numbers(found, named, remembered)
        if numbers is not None:
            numbers.numbers.add(found.texts([numbers.column]))
            found.is_undecided = decides_later and len(sample) >= size and numbers.is_plain
            if not found.is_undecided:
                survey.watch([numbers.column], numbers.numbers, knows_first=True)
        watched = found.mapping["timestamp"]
        survey.run(Table(columns, sample), chunks, on_chunk)
    if keys is not None:
        key = keys.best()
        found.mapping |= _choose_roles(named, remembered, columns, sample, key)
        found.notes += keys.notes(key)
        keys.close()
    if ids is not None:
        found.shared_ids = SharedIds(ids.repeats(), ids.filled - ids.repeats())
        ids.close()
    if "timestamp" in found.absent:
        kept = (FORMAT, ZONE, ZONE_COLUMN)
        found.mapping |= {name: remembered[name] for name in kept if name in remembered}
    elif not found.missing:
        if found.mapping["timestamp"] != watched:
            # The key is a column of dates that was taken for the timestamp.
            dates = _search_format(found, named, remembered, survey)
        _choose_dates(found, dates, named, remembered)
    if numbers is not None and found.mapping["value"] == [numbers.column]:
        _choose_numbers(found, numbers)
    if found.absent:
        names = [column for role in found.absent for column in found.mapping[role]]
        found.notes.append(
            f"Mapped columns that this file does not have: {', '.join(map(repr, names))}. Existing "
            "records keep these cells, and new ones have none."
        )
    if not found.mapping["id"]:
        found.notes.append(
            "No ID column: the key of each row is made from its content, so a row that changes "
            "becomes a new record. Map an ID column if the file has one."
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
    key: Sequence[str] = (),
) -> Roles:
    """The mapping given by the user, else that of the source, else a proposal with the ``key``."""
    knows = knows_roles(remembered)
    known = remembered if knows else propose(columns, sample, key=key)
    taken = _taken(named)
    return {
        role: list(named[role])
        if role in named
        else [column for column in known.get(role, []) if knows or column not in taken]
        for role in ROLES
    }


def _taken(named: Mapping[str, Any]) -> set[str]:
    return {column for role in ROLES for column in named.get(role) or []}


def _search_key(
    found: Prepared,
    named: Mapping[str, Any],
    remembered: Mapping[str, Any],
    name: str,
    survey: Survey,
) -> KeySearch | None:
    """Watch the columns that may be the key, unless it was given or saved with the source."""
    if "id" in named or knows_roles(remembered):
        return None
    cells = {
        column: [row[place] for row in found.sample] for place, column in enumerate(found.columns)
    }
    moments = found.mapping["timestamp"]
    return KeySearch(
        cells,
        taken={*_taken(named), *moments},
        proposed={*found.mapping["value"], *found.mapping["category"]},
        about=name,
        has_moments=bool(moments),
        survey=survey,
    )


def _watch_ids(
    named: Mapping[str, Any], remembered: Mapping[str, Any], survey: Survey
) -> KeyCells | None:
    """Watch the ID that a person has chosen, unless the source has it already."""
    key = named.get("id")
    if not key or key == remembered.get("id"):
        return None
    cells = KeyCells()
    survey.watch(key, cells, join=join_key)
    return cells


def _search_format(
    found: Prepared, named: Mapping[str, Any], remembered: Mapping[str, Any], survey: Survey
) -> FormatSearch | None:
    """Add the date format to the mapping if it was given or saved with the source; else watch the
    dates."""
    columns = found.mapping["timestamp"]
    if not columns:
        if named.get(FORMAT):
            found.notes.append("The date format was ignored: no timestamp column is mapped.")
        return None
    if "timestamp" in found.absent:
        return None
    pattern = found.mapping[FORMAT] = known_format(columns, named, remembered)
    if pattern:
        if not named.get(FORMAT):
            found.doubt = misfit(pattern, found.texts(columns))
        return None
    search = FormatSearch(found.texts(columns))
    survey.watch(columns, search, knows_first=True)
    return search


def _choose_dates(
    found: Prepared,
    search: FormatSearch | None,
    named: Mapping[str, Any],
    remembered: Mapping[str, Any],
) -> None:
    """Add the date format that was detected to the mapping, and the time zone."""
    columns = found.mapping["timestamp"]
    texts = found.texts(columns)
    if search is not None:
        found.mapping[FORMAT], found.doubt = search.best, search.doubt
        found.notes += notes_on_format(columns, search, texts)
    cells = {column: found.texts([column]) for column in found.columns}
    found.notes += choose_zone(found.mapping, texts, cells, named, remembered)
    free = [column for column in found.columns if column not in found.mapping["id"]]
    if not columns and (note := unused_dates(free, cells)):
        found.notes.append(note)


def _search_numbers(
    found: Prepared, named: Mapping[str, Any], remembered: Mapping[str, Any]
) -> NumberSearch | None:
    """Add the number styles that are known to the mapping; return what looks for that of the value
    column if it is not."""
    known = {**(remembered.get(NUMBERS) or {}), **(named.get(NUMBERS) or {})}
    # What an input to merge does not have, its records do.
    columns = {*found.columns, *(name for role in found.absent for name in found.mapping[role])}
    if kept := {column: style for column, style in known.items() if column in columns}:
        found.mapping[NUMBERS] = kept
    values = found.mapping["value"]
    if values and "value" not in found.absent:
        return search_for(values[0], named, remembered)
    if named.get(NUMBER_FORMAT):
        found.notes.append("The number format was ignored: no value column is mapped.")
    return None


def _choose_numbers(found: Prepared, search: NumberSearch) -> None:
    """Add the number style of the value column to the mapping."""
    column = search.column
    numbers = search.found(found.columns, found.sample)
    found.notes += pair_notes(column, found.columns, found.sample)
    found.number_doubt = numbers.doubt
    found.notes += sentences(column, numbers)
    styles = dict(found.mapping.pop(NUMBERS, {}))
    styles.pop(column, None)
    # Plain numbers need no word, unless a person has chosen their format.
    if numbers.style != PLAIN or search.given is not None:
        styles[column] = numbers.style.parameters()
    if styles:
        found.mapping[NUMBERS] = styles
