"""Detects the delimiter, the quotes and the position of the table in a text. Pure: no Django."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ingestion.parsing.detection.layout import Layout, find_layout
from ingestion.parsing.detection.quotes import find_quotes, plain_header
from ingestion.parsing.detection.sample import Parsed, Sample, fit, parse, read_sample
from ingestion.parsing.detection.spaces import find_columns, find_spaces
from ingestion.parsing.detection.usual import detected
from ingestion.parsing.detection.whole import says_nothing
from ingestion.parsing.dialect import Dialect, Spaces
from ingestion.parsing.readers.delimited_header import other_names

DELIMITERS = [",", ";", "\t", "|"]
# Delimiters to try if the usual ones don't fit.
RARE_DELIMITERS = ["\x1f", "\x01", "\x1e", "\x02", "^", "~", "¦", "§", ":", "!"]
# The share of rows that must have the same number of cells for a delimiter to fit.
FITTING = 0.9


def find_dialect(path: Path, encoding: str, said: Mapping[str, Any]) -> tuple[Dialect, list[str]]:
    """The dialect of a delimited text, and notes on unusual features.

    ``said`` are the fields of the Dialect that are known already.
    """
    sample = read_sample(path, encoding, said.get("skip", 0))
    lines = sample.lines
    if "skip" not in said and lines and lines[0].strip().lower().startswith("sep="):
        # "sep=" tells Excel the delimiter.
        mark = lines[0].strip("\r\n")[4:]
        if len(mark) == 1 and mark not in '"\\':
            said = {"delimiter": mark, **said, "skip": 1}
            sample = Sample(lines[1:], sample.is_whole)
    rows = [line for line in sample.lines if not says_nothing(line)] or sample.lines
    dialect = _told_apart(path, encoding, Sample(rows, sample.is_whole), said)
    found = parse(sample.lines, dialect, is_whole=sample.is_whole)
    if "header" not in said and (plain := plain_header(sample, found, dialect)) is not None:
        dialect, found = replace(dialect, plain_header=True), plain
    layout = find_layout(found.rows, above="skip" not in said, header=said.get("header"))
    skip = said.get("skip", 0)
    if layout.first or (found.rows and 0 in found.faults and "header" not in said):
        # A line above that breaks the rules of quoting is no row.
        skip += found.starts[layout.first]
    dialect = replace(
        dialect,
        skip=skip,
        header=layout.header,
        left=layout.left,
        surplus=layout.surplus,
        unnamed=layout.unnamed,
        gaps=layout.gaps,
    )
    if dialect.delimiter == "|" and layout.left and layout.surplus > 0:
        # A table in a frame is padded for the eye.
        dialect = replace(dialect, spaces=Spaces.AROUND)
    dialect = _with_own_header(dialect, sample, found, layout)
    return dialect, [*_notes(dialect, said), *_layout_notes(layout, found, skip, said)]


def _notes(dialect: Dialect, said: Mapping[str, Any]) -> list[str]:
    notes = []
    if dialect.cuts or dialect.spaces == Spaces.RUNS:
        notes.append("The columns are separated by spaces.")
    elif "delimiter" not in said and dialect.delimiter == " ":
        notes.append("The delimiter is a space.")
    elif "delimiter" not in said and dialect.delimiter not in DELIMITERS:
        notes.append(f"The delimiter is {dialect.delimiter!r}.")
    if "quote" not in said and dialect.quote not in ('"', ""):
        notes.append(f"The quote character is {dialect.quote!r}.")
    if "escape" not in said and dialect.escape:
        notes.append(f"The escape character is {dialect.escape!r}.")
    if dialect.spaces == Spaces.AFTER:
        notes.append("All delimiters are followed by a space, which was ignored.")
    if dialect.spaces == Spaces.AROUND:
        notes.append("Spaces around cells were ignored.")
    if dialect.wrapped:
        notes.append("Each line is in quotes, which were removed.")
    if dialect.header_delimiter:
        notes.append(f"The header has another delimiter: {dialect.header_delimiter!r}.")
    return notes


def _layout_notes(layout: Layout, found: Parsed, skip: int, said: Mapping[str, Any]) -> list[str]:
    width = max(map(len, found.rows[layout.first :]), default=1)
    width -= layout.left + max(layout.surplus, 0)
    return [
        note
        for note in layout.notes(skip + 1, width)
        if "header" not in said or not note.startswith(("There is no", "The header has"))
    ]


def _told_apart(path: Path, encoding: str, sample: Sample, said: Mapping[str, Any]) -> Dialect:
    known = {name: said[name] for name in ("delimiter", "quote", "escape") if name in said}
    dialect = _delimited(sample, known)
    if not known.keys() & {"quote", "escape"}:
        dialect = find_quotes(path, encoding, sample, dialect)
    if "delimiter" not in known and fit(sample, dialect) < FITTING:
        for delimiter in RARE_DELIMITERS:
            other = Dialect(**{"delimiter": delimiter, **known})
            is_there = any(delimiter in line for line in sample.lines)
            if is_there and delimiter != other.quote and fit(sample, other) >= FITTING:
                return other
        if not known and (columns := find_columns(path, encoding, sample, dialect)) is not None:
            return columns
    return find_spaces(path, encoding, sample, dialect)


def _delimited(sample: Sample, known: Mapping[str, Any]) -> Dialect:
    if {"delimiter", "quote"} <= set(known):
        return Dialect(**known)
    usual = [known["delimiter"]] if "delimiter" in known else DELIMITERS
    there = [d for d in usual if any(d in line for line in sample.lines)]
    if not known:
        fitting = [d for d in there if fit(sample, Dialect(delimiter=d)) >= FITTING]
        if len(fitting) == 1:
            return Dialect(delimiter=fitting[0])
    found = detected(sample.lines, tuple(there) or (usual[0],))
    dialect = Dialect(delimiter=usual[0])
    if found is not None:
        # Quotes may first appear after the sample, so a dialect without a quote gets the usual one.
        dialect = Dialect(
            delimiter=found.delimiter or usual[0],
            quote=found.quotechar or '"',
            escape=found.escapechar or None,
        )
    if dialect.delimiter == dialect.quote:
        dialect = replace(dialect, quote="")
    return replace(dialect, **known)


def _with_own_header(dialect: Dialect, sample: Sample, found: Parsed, layout: Layout) -> Dialect:
    """The dialect with the delimiter of the header, if that is another one than that of rows."""
    rows = [row for row in found.rows[layout.first :] if any(row)]
    if dialect.header != 1 or len(rows) < 2 or len(rows[0]) > 1 or dialect.cuts:
        return dialect
    widths = {len(row) for row in rows[1:]}
    if len(widths) > 1 or widths == {1}:
        return dialect
    line = sample.lines[found.starts[layout.first]]
    for delimiter in [*DELIMITERS, " "]:
        if delimiter == dialect.delimiter or delimiter not in line:
            continue
        names = other_names(line, replace(dialect, header_delimiter=delimiter))
        missing = (widths - {len(names)}).pop() - len(names) if widths != {len(names)} else 0
        if 0 <= missing <= 1 and all(map(str.strip, names)):
            return replace(
                dialect, header_delimiter=delimiter, unnamed=0, gaps=False, surplus=missing
            )
    return dialect
