"""Detects spaces that are delimiters, or next to delimiters. Pure: no Django."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ingestion.parsing.detection.cells import TIME, kinds_of
from ingestion.parsing.detection.sample import Sample, parse
from ingestion.parsing.detection.whole import lines_of, shape_of
from ingestion.parsing.dialect import Dialect, Spaces
from ingestion.parsing.readers.splitting import column_starts

# With fewer lines, words are in the same places by chance.
ENOUGH_LINES = 3


def find_spaces(path: Path, encoding: str, sample: Sample, dialect: Dialect) -> Dialect:
    """The dialect with spaces next to delimiters ignored, if all cells of the file have them."""
    if dialect.delimiter == " " or dialect.cuts or dialect.spaces:
        return dialect
    for spaces in (Spaces.AROUND, Spaces.AFTER):
        if _are_padded(sample.lines, dialect, spaces, is_whole=sample.is_whole):
            other = replace(dialect, spaces=spaces)
            if sample.is_whole or shape_of(path, encoding, other).are_padded:
                return other
    return dialect


def _are_padded(lines: Sequence[str], dialect: Dialect, spaces: Spaces, *, is_whole: bool) -> bool:
    quote, delimiter = dialect.quote, dialect.delimiter
    padded = 0
    other = replace(dialect, spaces=spaces)
    before = parse(lines, dialect, is_whole=is_whole)
    after = parse(lines, other, is_whole=is_whole)
    if len(after.faults) > len(before.faults):
        return False
    for line in lines:
        text = line.rstrip("\r\n")
        if delimiter not in text:
            continue
        if quote and quote in text:
            # Only what is outside of quotes counts.
            text = "x".join(text.split(quote)[::2])
        cells = text.split(delimiter)
        # The ends of a frame are not next to cells.
        is_framed = not cells[0].strip() and not cells[-1].strip()
        inner = cells[1:-1] if is_framed else cells[1:]
        if any(cell and cell[0] != " " for cell in inner):
            return False
        if spaces == Spaces.AROUND and any(
            cell and cell[-1] != " " for cell in (inner if is_framed else cells[:-1])
        ):
            return False
        padded += any(cell.strip() for cell in inner)
    return padded > 1


def find_columns(path: Path, encoding: str, sample: Sample, dialect: Dialect) -> Dialect | None:
    """The dialect of a text whose columns are separated by spaces; None if they are not."""
    said = [line.rstrip("\r\n") for line in sample.lines if line.strip()]
    if len(said) < ENOUGH_LINES or any("\t" in line for line in said):
        return None
    single = replace(dialect, delimiter=" ", quote='"', escape=None)
    found = parse(said, single, is_whole=True)
    is_whole = sample.is_whole
    fits = not found.faults and _is_table(found.rows)
    if fits and (is_whole or shape_of(path, encoding, single).is_regular):
        return single
    runs = replace(single, quote="", spaces=Spaces.RUNS)
    fits = _is_table([line.split() for line in said])
    if fits and (is_whole or shape_of(path, encoding, runs).is_regular):
        return runs
    cuts = column_starts(said)
    aligned = replace(single, quote="", cuts=tuple(cuts))
    fits = len(cuts) > 1 and _is_table(parse(said, aligned, is_whole=True).rows)
    if fits and (is_whole or _are_aligned(path, encoding, aligned)):
        return aligned
    return None


def _is_table(rows: Sequence[Sequence[str]]) -> bool:
    """Whether rows have the same number of cells, and a column of numbers or dates."""
    width = len(rows[0])
    if width < 2 or any(len(row) != width for row in rows):
        return False
    kinds = kinds_of(rows[1:], 1)
    if not any(kinds):
        return False
    # A moment is one cell, not two.
    is_moment = width == 2 and all(TIME.fullmatch(row[1]) for row in rows)
    return not is_moment


def _are_aligned(path: Path, encoding: str, dialect: Dialect) -> bool:
    return all(
        at >= len(line.rstrip()) or line[at - 1] == " "
        for line in lines_of(path, encoding)
        for at in dialect.cuts
        if at
    )
