"""Detects what a file is, from all of its bytes and the parsing options. Pure: no Django."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ingestion.errors import InputAway, UnreadableInput
from ingestion.parsing.compression import COPIED, unpacked
from ingestion.parsing.detection.aside import with_aside
from ingestion.parsing.detection.delimiters import find_dialect
from ingestion.parsing.detection.documents import declared_encoding
from ingestion.parsing.detection.encoding import read_whole, unicode_of
from ingestion.parsing.detection.json_shape import find_json_rows, find_ndjson_columns
from ingestion.parsing.detection.kind import START_BYTES, check_is_table, format_of
from ingestion.parsing.detection.legacy import Guess
from ingestion.parsing.detection.sheets import find_table
from ingestion.parsing.dialect import WORKBOOKS, Dialect, Format, check_reading
from ingestion.parsing.input_file import Digest, InputFile
from ingestion.parsing.readers.base import check_line
from ingestion.parsing.readers.parquet import type_note

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(slots=True)
class Detected:
    """What was detected. ``notes`` are sentences for the user.

    ``columns`` are set if the whole file had to be read for something else. ``sheets`` are those of
    a workbook that may be chosen, ``rows_paths`` the paths to rows in a JSON document with the
    counts of these, ``guesses`` encodings with some of the text as they read it.
    """

    digest: Digest
    encoding: str
    dialect: Dialect = field(default_factory=Dialect)
    notes: list[str] = field(default_factory=list)
    columns: list[str] | None = None
    sheets: list[str] = field(default_factory=list)
    rows_paths: dict[str, int] = field(default_factory=dict)
    guesses: list[Guess] = field(default_factory=list)


def detect(
    path: Path,
    name: str,
    *,
    reading: Mapping[str, Any] = NOTHING,
    on_chunk: Callable[[], None] | None = None,
) -> Detected:
    """Detect what a file is, from all of its bytes. ``name`` is the name that the user knows.

    ``reading`` are the parsing options (see check_reading); they override detection. Size and
    digest are those of the original file, compressed or not. ``on_chunk`` is called repeatedly
    while a large file is read. Raises InvalidReading, InputAway for a file that can't be opened
    now, and UnreadableInput for one that is empty or has no rows.
    """
    said = check_reading(reading)
    tell = on_chunk or (lambda: None)
    try:
        with path.open("rb") as file:
            check_is_table(file.read(START_BYTES), name)
        with unpacked(path, name, on_chunk=tell) as plain:
            found = _detect(plain.path, name, plain.name, said, tell)
            if plain.digest:
                found.digest = plain.digest
            if plain.digest and not plain.is_whole:
                found.notes.insert(0, f"The file was unpacked; {plain.name} was read.")
    except IsADirectoryError as error:
        raise UnreadableInput(name, "it is a folder.") from error
    except OSError as error:
        raise InputAway(name, error) from error
    return found


def _detect(
    path: Path, name: str, inner: str, said: dict[str, Any], on_chunk: Callable[[], None]
) -> Detected:
    with path.open("rb") as file:
        start = file.read(START_BYTES)
        check_is_table(start, name)
        file.seek(0)
        text = read_whole(file, start, on_chunk)
    found = Detected(text.digest, text.encoding, notes=text.notes, guesses=text.guesses)
    is_said = "encoding" in said
    if start.startswith(COPIED):
        # The text of these is Unicode, whatever its compressed bytes look like.
        found.encoding, found.notes, found.guesses = "utf-8", [], []
    if "encoding" in said:
        found.encoding, found.notes = said.pop("encoding"), []
    form = said.pop("format", None) or format_of(path, start, inner, found.encoding)
    if form in (Format.DELIMITED, Format.NDJSON):
        check_line(text.longest_line, name)
    if form is Format.DELIMITED:
        dialect, notes = find_dialect(path, found.encoding, said)
        plain = InputFile(path, text.digest)
        found.dialect, more = with_aside(
            plain, name=name, encoding=found.encoding, dialect=dialect, on_chunk=on_chunk
        )
        found.notes += [*notes, *more]
    else:
        found.dialect = replace(Dialect(format=form), **said)
        if form in WORKBOOKS:
            if form == Format.HTML and not is_said and found.encoding != unicode_of(start):
                _take_declared(found, start)
            sheets = find_table(
                InputFile(path),
                found.dialect,
                name=name,
                encoding=found.encoding,
                said=said,
                on_chunk=on_chunk,
            )
            found.dialect, found.sheets = sheets.dialect, sheets.choices
            found.notes += sheets.notes
        elif form is Format.PARQUET:
            found.notes.append(type_note(InputFile(path), name=name, on_chunk=on_chunk))
        elif form in (Format.JSON, Format.NDJSON):
            find = find_json_rows if form is Format.JSON else find_ndjson_columns
            rows = find(
                InputFile(path, found.digest),
                name=name,
                encoding=found.encoding,
                said={**said, "format": form},
                on_chunk=on_chunk,
            )
            found.dialect, found.columns, found.rows_paths = (
                rows.dialect,
                rows.columns,
                rows.choices,
            )
            found.notes += rows.notes
    return found


def _take_declared(found: Detected, start: bytes) -> None:
    """Read an HTML document in the encoding that it declares, unless all of it is UTF-8."""
    declared = declared_encoding(start)
    if declared is not None and found.notes:
        found.encoding, found.notes = declared, []
