"""Detects how cells are quoted, if that is not as RFC 4180 says. Pure: no Django."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ingestion.parsing.detection.sample import Parsed, Sample, parse
from ingestion.parsing.detection.whole import Shape, shape_of
from ingestion.parsing.dialect import Dialect
from ingestion.parsing.readers.splitting import plain_cells

USUAL = '"'
# How many lines a header that breaks the rules may have above it.
NEAR_TOP = 30


def find_quotes(path: Path, encoding: str, sample: Sample, dialect: Dialect) -> Dialect:
    """The dialect with the quote and the escape that are borne out by the whole file.

    Others than those of RFC 4180 are taken only where reading by it fails, and they hold: no row
    breaks their rules, and all rows have the same number of cells.
    """
    plain = replace(dialect, quote=USUAL, escape=None)
    parsed = parse(sample.lines, plain, is_whole=sample.is_whole)
    wrapped = replace(plain, wrapped=True)
    if _are_single(parsed) and _holds(path, encoding, sample, wrapped):
        return wrapped
    if _is_even(parsed):
        return plain
    for quote, escape in _candidates(dialect):
        other = replace(dialect, quote=quote, escape=escape)
        begins = dialect.delimiter + quote
        is_used = any(begins in line or line.startswith(quote) for line in sample.lines) and (
            escape is None or any(escape + quote in line for line in sample.lines)
        )
        if is_used and other.delimiter != quote and _holds(path, encoding, sample, other):
            return other
    return plain


def _candidates(dialect: Dialect) -> Iterable[tuple[str, str | None]]:
    found = (dialect.quote, dialect.escape)
    all_of_them = [(USUAL, "\\"), ("'", None), ("'", "\\"), ("`", None), found]
    return [(quote, escape) for quote, escape in all_of_them if quote]


def _holds(path: Path, encoding: str, sample: Sample, dialect: Dialect) -> bool:
    """Whether all rows of the file have the same number of cells, and none breaks the rules."""
    if not _is_even(parse(sample.lines, dialect, is_whole=sample.is_whole)):
        return False
    return sample.is_whole or _is_regular(shape_of(path, encoding, dialect))


def _is_regular(shape: Shape) -> bool:
    return not shape.faults and len(shape.widths) == 1


def _is_even(parsed: Parsed) -> bool:
    """Whether rows have the same number of cells, more than one, but for lines above the table."""
    widths = [len(row) for row in parsed.rows if any(row)]
    if parsed.faults or not widths:
        return False
    width = widths[-1]
    above = next((place for place, found in enumerate(widths) if found == width), 0)
    is_even = all(found == width for found in widths[above:])
    return width > 1 and is_even and above < NEAR_TOP and len(widths) - above > above


def _are_single(parsed: Parsed) -> bool:
    """Whether all rows are one cell that has quotes or delimiters in it."""
    rows = [row for row in parsed.rows if any(row)]
    return (
        not parsed.faults
        and len(rows) > 1
        and all(len(row) == 1 for row in rows)
        and any(USUAL in row[0] or "," in row[0] for row in rows)
    )


def plain_header(sample: Sample, found: Parsed, dialect: Dialect) -> Parsed | None:
    """The rows, with the header as it stands between delimiters, if it breaks the rules of quoting.

    None if it does not, or if its rows don't bear that out.
    """
    lines = sample.lines
    if not dialect.quote or not lines:
        return None
    if 0 not in found.faults and found.rows:
        # A header of several lines is sound if its rows are as wide.
        rest = Counter(len(row) for row in found.rows[1:] if any(row)).most_common(1)
        if lines[0].count(dialect.quote) % 2 == 0 or (rest and rest[0][0] == len(found.rows[0])):
            return None
    alone = parse(lines[:1], dialect, is_whole=True)
    if not alone.faults:
        return None
    below = parse(lines[1:], dialect, is_whole=sample.is_whole)
    widths = Counter(len(row) for row in below.rows if any(row))
    names = plain_cells(lines[0], dialect)
    if len(names) < 2 or not widths or (below.faults and len(below.faults) > len(below.rows)):
        return None
    width, _ = widths.most_common(1)[0]
    if abs(width - len(names)) > 1:
        return None
    return Parsed([names, *below.rows], [0, *(start + 1 for start in below.starts)], below.faults)
