"""Detects the delimiter, the quotes and the position of the table in a text. Pure: no Django."""

import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from ingestion.parsing.detection.layout import find_layout
from ingestion.parsing.dialect import Dialect

DELIMITERS = [",", ";", "\t", "|"]
# Delimiters to try if the usual ones don't fit.
RARE_DELIMITERS = ["\x1f", "\x01", "\x1e", "\x02", "^", "~", "¦", "§", ":", "!"]
# The share of rows that must have the same number of cells for a delimiter to fit.
FITTING = 0.9
# How much of the text the dialect is detected from.
DIALECT_LINES = 60
DIALECT_CHARACTERS = 20_000
# Long words are shortened to this length for detection.
WORD_CHARACTERS = 200
# Without these clevercsv takes no cell for JSON.
NO_BRACES = str.maketrans("{}", "()")


def find_dialect(path: Path, encoding: str, said: Mapping[str, Any]) -> tuple[Dialect, list[str]]:
    """The dialect of a delimited text, and notes on unusual features.

    ``said`` are the fields of the Dialect that are known already.
    """
    lines = _sample(path, encoding, said.get("skip", 0))
    notes: list[str] = []
    if "skip" not in said and lines and lines[0].strip().lower().startswith("sep="):
        # "sep=" tells Excel the delimiter.
        mark = lines[0].strip("\r\n")[4:]
        if len(mark) == 1 and mark not in '"\\':
            said = {"delimiter": mark, **said, "skip": 1}
            lines = lines[1:]
    dialect = _told_apart(lines, said)
    rows, starts = _rows(lines, dialect)
    layout = find_layout(rows, above="skip" not in said, header=said.get("header"))
    skip = said.get("skip", 0) + (starts[layout.first] if layout.first else 0)
    dialect = replace(
        dialect, skip=skip, header=layout.header, left=layout.left, surplus=layout.surplus
    )
    if "delimiter" not in said and dialect.delimiter not in DELIMITERS:
        notes.append(f"The delimiter is {dialect.delimiter!r}.")
    if "quote" not in said and dialect.quote != '"':
        notes.append(f"The quote character is {dialect.quote!r}.")
    if "escape" not in said and dialect.escape:
        notes.append(f"The escape character is {dialect.escape!r}.")
    width = max(map(len, rows[layout.first :]), default=1) - layout.left - max(layout.surplus, 0)
    for note in layout.notes(skip + 1, width):
        if "header" not in said or not note.startswith(("There is no", "The header has")):
            notes.append(note)
    return dialect, notes


def _sample(path: Path, encoding: str, skip: int) -> list[str]:
    # Bytes that are not valid in the encoding don't matter for the dialect.
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        lines: list[str] = []
        characters = 0
        for _ in islice(file, skip):
            pass
        while len(lines) < DIALECT_LINES and characters < DIALECT_CHARACTERS:
            line = file.readline(DIALECT_CHARACTERS)
            if not line:
                return lines
            lines.append(line if lines or skip else line.removeprefix("\ufeff"))
            characters += len(line)
    return lines


def _told_apart(lines: Sequence[str], said: Mapping[str, Any]) -> Dialect:
    known = {name: said[name] for name in ("delimiter", "quote", "escape") if name in said}
    if {"delimiter", "quote"} <= set(known):
        return Dialect(**known)
    text = "".join(lines)
    usual = [known["delimiter"]] if "delimiter" in known else DELIMITERS
    found = _detected(text, tuple(d for d in usual if d in text) or (usual[0],))
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
    dialect = replace(dialect, **known)
    if "delimiter" not in known and _fit(lines, dialect) < FITTING:
        for delimiter in RARE_DELIMITERS:
            other = Dialect(**{"delimiter": delimiter, **known})
            if delimiter in text and delimiter != other.quote and _fit(lines, other) >= FITTING:
                return other
    return dialect


def _detected(text: str, delimiters: tuple[str, ...]) -> Any:
    """The dialect that clevercsv detects; None if it can't."""
    # Importing it takes long, since it scans all of Unicode; few processes need it.
    import clevercsv
    from clevercsv.detect import Detector

    # It fails on NUL, and its search for URLs is quadratic in the length of a word.
    text = _long_word(delimiters).sub(r"\1", text.replace("\0", "\ufffd"))
    for sample in (text, text.translate(NO_BRACES)):
        # It doesn't restore this limit when it fails.
        clevercsv.field_size_limit(len(text) + 1)
        try:
            return Detector().detect(sample, delimiters=list(delimiters))
        except clevercsv.Error:
            return None
        except (RecursionError, ValueError):
            # It parses cells in braces as JSON, and this one is nested too deeply or has a number
            # with too many digits.
            continue
    return None


@cache
def _long_word(delimiters: tuple[str, ...]) -> re.Pattern[str]:
    """Matches long words without delimiters and quotes, with the beginning of each as a group."""
    word = f"[^\\s\"'\\\\~`{re.escape(''.join(delimiters))}]"
    return re.compile(f"({word}{{{WORD_CHARACTERS}}}){word}+")


def _fit(lines: Sequence[str], dialect: Dialect) -> float:
    """The share of rows that have as many cells as the first, if that is more than one."""
    widths = [len(row) for row in _rows(lines, dialect)[0] if row]
    if len(widths) < 2:
        return 0
    width, count = Counter(widths).most_common(1)[0]
    return count / len(widths) if width > 1 and widths[0] == width else 0


def _rows(lines: Sequence[str], dialect: Dialect) -> tuple[list[list[str]], list[int]]:
    """The rows in some lines, and the line that each starts in, from 0."""
    reader = csv.reader(
        lines,
        delimiter=dialect.delimiter,
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        escapechar=dialect.escape,
    )
    rows: list[list[str]] = []
    starts: list[int] = []
    start = 0
    try:
        for row in reader:
            rows.append(row)
            starts.append(start)
            start = reader.line_num
    except csv.Error:
        pass
    if len(rows) > 1 and len(lines) >= DIALECT_LINES:
        # The sample may end in the middle of a row.
        rows.pop()
    return rows, starts
