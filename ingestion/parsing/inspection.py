"""The first lines and rows of an input, for its preview. Pure: no Django, no tables."""

import gzip
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ingestion.errors import IngestionError, NoRoom, room_to_read
from ingestion.parsing.compression import COPIED, GZIP, unpacked
from ingestion.parsing.detection import Detected, detect
from ingestion.parsing.dialect import check_reading
from ingestion.parsing.mapping import FORMAT, ZONE, ZONE_COLUMN
from ingestion.parsing.number_format import (
    NUMBER_FORMAT,
    NUMBERS,
    chosen_format,
    formats_for,
    known_style,
    offered_formats,
)
from ingestion.parsing.preparation import Prepared, prepare
from ingestion.parsing.shared_ids import SharedIds
from ingestion.parsing.timestamps.patterns import patterns_of
from ingestion.parsing.timestamps.search import parser, spelled
from records.number_text import PLAIN
from records.rows import ROLES

# How much of the raw file, and how many of its rows, a preview shows.
SHOWN_BYTES = 32 << 10
SHOWN_LINES = 12
SHOWN_CHARACTERS = 400
SHOWN_ROWS = 8
# Column names are matched by similarity only up to so many pairs, and up to this length.
LIKENESS_PAIRS = 2_500
LIKENESS_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class HeaderChange:
    """How the columns of an input differ from those of the source's last input."""

    added: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    renamed: list[tuple[str, str]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.added or self.missing or self.renamed)


@dataclass(slots=True)
class Look:
    """What a preview shows at once: the beginning of an input, and how it is parsed.

    ``found`` is what was detected without the user's parsing options; ``error`` says why the input
    can't be read with them, and then ``prepared`` is None. ``partly``: only the beginning of a
    large file was read. ``formats`` are the date formats that fit, each with an example,
    ``number_formats`` those of the value column.
    ``settled``: the dry run has told what the beginning left open; ``awaited``: it has not yet.
    ``same`` is a run that imported the same file before.
    """

    lines: list[str] = field(default_factory=list)
    found: Detected | None = None
    prepared: Prepared | None = None
    error: str = ""
    no_room: bool = False
    partly: bool = False
    header: HeaderChange = field(default_factory=HeaderChange)
    formats: list[tuple[str, str]] = field(default_factory=list)
    number_formats: list[tuple[str, str]] = field(default_factory=list)
    settled: bool = False
    awaited: bool = False
    same: object = None
    # The file was not read, since too many others were being previewed.
    is_busy: bool = False

    @property
    def rows(self) -> list[list[str]]:
        return self.prepared.sample[:SHOWN_ROWS] if self.prepared else []

    @property
    def mapping(self) -> dict[str, Any]:
        """The column mapping, with the formats of dates and numbers if they are known; "" for no
        time zone."""
        zones = {ZONE: "", ZONE_COLUMN: ""}
        if self.prepared is None:
            return {**{role: [] for role in ROLES}, FORMAT: None, NUMBER_FORMAT: None, **zones}
        chosen = None if self.asks_for_format else self.prepared.mapping.get(FORMAT)
        values = self.prepared.mapping["value"]
        numbers = chosen_format(self.prepared.mapping, values[0]) if values else None
        if self.asks_for_number_format:
            numbers = None
        return {**zones, **self.prepared.mapping, FORMAT: chosen, NUMBER_FORMAT: numbers}

    @property
    def asks_for_format(self) -> bool:
        """Whether the dates are ambiguous and nobody has chosen a format."""
        return self.prepared is not None and self.prepared.doubt is not None

    @property
    def is_misfit(self) -> bool:
        """Whether the saved date format reads nearly no date of this input."""
        doubt = self.prepared.doubt if self.prepared else None
        return doubt is not None and doubt.is_misfit

    @property
    def asks_for_number_format(self) -> bool:
        """Whether the numbers are ambiguous and nobody has chosen a format."""
        return self.prepared is not None and self.prepared.number_doubt is not None

    @property
    def shared_ids(self) -> SharedIds | None:
        """The rows that share an ID, if a person has chosen that and some do."""
        return (self.prepared and self.prepared.shared_ids) or None

    @property
    def obstacle(self) -> str:
        """Why the input can't be imported with these settings; empty if it can."""
        if self.prepared is None:
            return self.error
        if missing := self.prepared.missing:
            named = ", ".join(f"“{column}” ({role})" for role, column in missing)
            return f"The file has no column {named}. Choose another column, or none."
        if self.asks_for_format:
            what = "don't fit the format of earlier files" if self.is_misfit else "are ambiguous"
            return f"The dates {what}. Choose their format."
        if self.asks_for_number_format:
            return "The numbers are ambiguous. Choose their format."
        return ""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of an input a preview reads: all of it up to ``whole`` bytes, or
    ``whole_compressed`` if it is compressed; of a larger one the first ``start`` bytes, and the dry
    run reads the rest.
    """

    whole: int = 64 << 20
    # Compressed files grow when they are unpacked.
    whole_compressed: int = 8 << 20
    start: int = 1 << 20


def look_at(
    *,
    path: Path,
    name: str,
    reading: Mapping[str, Any],
    named: Mapping[str, Any],
    remembered: Mapping[str, Any],
    before: Sequence[str],
    told: Mapping[str, Any] | None,
    merges: bool,
    sizes: Sizes,
) -> Look:
    """Preview an input; ``before`` are the columns of the source's last input, if any.

    ``told`` is the report of a dry run that has read all of it. For the rest see ``prepare``.
    """
    seen = Look()
    try:
        with _glimpse(path, name, sizes) as (plain, inner, seen.partly):
            seen.found = detect(plain, inner)
            encoding = check_reading(reading).get("encoding", seen.found.encoding)
            seen.lines = _first_lines(plain, encoding)
            seen.prepared = prepare(
                plain,
                inner,
                reading=reading,
                named=named,
                remembered=remembered,
                merges=merges,
                detected=None if reading else seen.found,
                asks=True,
            )
    except IngestionError as error:
        seen.error, seen.no_room = str(error), isinstance(error, NoRoom)
        return seen
    except OSError as error:
        seen.error = f"{name} can't be read: {error.strerror or error}."
        return seen
    if before:
        seen.header = header_change(before, seen.prepared.columns)
    seen.awaited = seen.partly and told is None
    if seen.partly and told is not None:
        seen.settled = _settle(seen.prepared, told, named)
    seen.formats = _formats(seen.prepared)
    seen.number_formats = _number_formats(seen.prepared)
    # The rest of the sample has been used already.
    seen.prepared.sample = seen.rows
    return seen


def _settle(prepared: Prepared, told: Mapping[str, Any], named: Mapping[str, Any]) -> bool:
    """Take what the dry run has found in the whole input; return whether it differs."""
    mapping = told["mapping"]
    before = _open(prepared)
    prepared.mapping |= {role: mapping[role] for role in ROLES if role not in named}
    if prepared.doubt is not None and mapping["timestamp"] == prepared.mapping["timestamp"]:
        prepared.mapping[FORMAT], prepared.doubt = mapping[FORMAT], None
    if prepared.shared_ids is not None:
        prepared.shared_ids = SharedIds(**told["shared_ids"])
    if mapping["value"] == prepared.mapping["value"]:
        prepared.mapping.pop(NUMBERS, None)
        prepared.mapping |= {NUMBERS: mapping[NUMBERS]} if NUMBERS in mapping else {}
        prepared.number_doubt = None
    return before != _open(prepared)


def _open(prepared: Prepared) -> tuple[Any, ...]:
    """What the beginning of an input may leave open."""
    doubts = prepared.doubt, prepared.number_doubt
    return dict(prepared.mapping), *doubts, prepared.shared_ids


def header_change(before: Sequence[str], after: Sequence[str]) -> HeaderChange:
    """Which columns were added, are missing, or were probably renamed."""
    known, found = set(before), set(after)
    added = {column: None for column in after if column not in known}
    missing = {column: None for column in before if column not in found}
    # Matching many names by similarity would take minutes.
    few = len(added) * len(missing) <= LIKENESS_PAIRS
    plain = {name.casefold(): name for name in added if few and len(name) <= LIKENESS_CHARACTERS}
    places = {column: place for place, column in enumerate(before)}
    renamed = []
    for column in list(missing):
        close = [plain[name] for name in _like(column.casefold(), plain)]
        in_place = after[places[column]] if len(before) == len(after) else None
        name = close[0] if close else in_place
        if name is not None and name in added:
            renamed.append((column, name))
            del added[name], missing[column]
            plain.pop(name.casefold(), None)
    return HeaderChange(list(added), list(missing), renamed)


def _like(name: str, names: Mapping[str, str]) -> list[str]:
    if name in names:
        return [name]
    return get_close_matches(name, names, n=1) if len(name) <= LIKENESS_CHARACTERS else []


@contextmanager
def _glimpse(path: Path, name: str, sizes: Sizes) -> Iterator[tuple[Path, str, bool]]:
    """The file to preview: unpacked, and of a large one only the beginning."""
    beginning = _beginning(path, sizes)
    # The beginning of an archive, a workbook, a Parquet file or JSON can't be read by itself.
    if beginning is None or beginning.lstrip().startswith((*COPIED, b"[", b"{")):
        with unpacked(path, name) as plain:
            yield plain.path, plain.name, False
        return
    with room_to_read(name), tempfile.TemporaryDirectory() as folder:
        short = Path(folder) / "beginning"
        # The last line may be cut.
        short.write_bytes(beginning[: beginning.rfind(b"\n") + 1] or beginning)
        yield short, name.removesuffix(".gz"), True


def _beginning(path: Path, sizes: Sizes) -> bytes | None:
    """The beginning of a large file; None for one that is not large."""
    with path.open("rb") as file:
        is_gzip = file.read(len(GZIP)) == GZIP
        file.seek(0)
        if path.stat().st_size <= (sizes.whole_compressed if is_gzip else sizes.whole):
            return None
        return (gzip.GzipFile(fileobj=file) if is_gzip else file).read(sizes.start)


def _first_lines(path: Path, encoding: str) -> list[str]:
    with path.open("rb") as file:
        start = file.read(SHOWN_BYTES)
    if start.startswith(COPIED):
        return []
    lines = re.split("\r\n|\n|\r", start.decode(encoding, "replace").removeprefix("\ufeff"))
    if not lines[-1]:
        lines.pop()
    return [line[:SHOWN_CHARACTERS] for line in lines[:SHOWN_LINES]]


def _formats(prepared: Prepared) -> list[tuple[str, str]]:
    """The formats that can read a date of the sample, each with its reading."""
    columns = prepared.mapping["timestamp"]
    if not columns or prepared.missing or "timestamp" in prepared.absent:
        return []
    places = [prepared.columns.index(column) for column in columns]
    texts = (" ".join(row[place] for place in places) for row in prepared.sample)
    example = next(filter(str.strip, texts), "")
    chosen, doubt = prepared.mapping[FORMAT], prepared.doubt
    first = [chosen] if chosen else []
    if doubt:
        example, first = doubt.text, [doubt.best, doubt.rival]
    found = []
    for pattern in dict.fromkeys([*first, *(whole for _, whole in patterns_of(example))]):
        moment = parser(pattern)(example)
        if moment is not None:
            found.append((pattern, f"{example.strip()[:40]} is {spelled(moment)}"))
    if chosen and chosen not in dict(found):
        found.insert(0, (chosen, "same as earlier files"))
    return found


def _number_formats(prepared: Prepared) -> list[tuple[str, str]]:
    """The number formats to choose from, with their readings of a number of the sample."""
    values = prepared.mapping["value"]
    if not values or prepared.missing or "value" in prepared.absent:
        return []
    if doubt := prepared.number_doubt:
        return formats_for(doubt.text, [doubt.best, doubt.rival])
    place = prepared.columns.index(values[0])
    style = known_style(prepared.mapping, values[0]) or PLAIN
    return offered_formats([row[place] for row in prepared.sample], style)
