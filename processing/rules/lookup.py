"""Columns taken from another source by a key."""

from collections.abc import Iterable, Mapping
from typing import Any

from processing.rules.base import ABSENT, Batch, Kind, Step, as_text, filled, is_missing, listed
from processing.rules.facts import Matched, Reference, Table
from processing.rules.parameters import (
    COLUMN,
    OTHER_COLUMN,
    OTHER_COLUMNS,
    SOURCE,
    TEXT,
    Parameter,
    on_failure,
)


def lookup(batch: Batch, step: Step) -> None:
    """Each record gets cells of the record of another source that has its key.

    Keys are compared as text, without blanks around them. A record whose key is empty gets empty
    cells; one whose key several records of the other source have fails, as does one that has
    cells of its own where others should go. Which records there are is asked of the facts of the
    batch; where these know nothing of the other source, the step does nothing.
    """
    reference = reference_of(step)
    table = batch.facts.table(reference)
    if table is None:
        return
    name, other = step["column"], reference.source
    matched: dict[int, Matched] = {}
    for place, cell in filled(batch, name):
        if table.problem:
            batch.fail(place, name, f"can't be looked up: {table.problem}", value=cell)
            continue
        found = table.matched.get(key_of(cell))
        if found is None and step["on_failure"] == "fail":
            batch.fail(place, name, f"matches no record of {other!r}", value=cell)
        elif found is not None and found.records > 1:
            message = f"matches {found.records:,} records of {other!r}"
            batch.fail(place, name, message, value=cell)
        elif found is not None:
            matched[place] = found
    for number, column in enumerate(reference.columns):
        _put(batch, step["prefix"] + column, number, matched)


def _put(batch: Batch, name: str, number: int, matched: dict[int, Matched]) -> None:
    """Make a column of the cells at one place of those that matched."""
    own = batch.cells(name)
    cells: list[Any] = [None] * len(own)
    for place, cell in enumerate(own):
        if is_missing(cell):
            cells[place] = matched[place].cells[number] if place in matched else None
        else:
            cells[place] = cell
            batch.fail(place, name, "has a cell already; set another prefix", value=cell)
    batch.put(name, cells)


def key_of(cell: object) -> str:
    """The text by which a cell is compared with keys."""
    return as_text(cell).strip()


def reference_of(step: Step) -> Reference:
    """What a complete step asks for."""
    return Reference(step["source"], step["key"], tuple(step["take"]))


def table_of(rows: Iterable[Mapping[str, Any]], reference: Reference) -> Table:
    """The table of a reference, from the rows of its source in the order of their ids."""
    matched: dict[str, Matched] = {}
    lacking = dict.fromkeys((reference.key, *reference.columns))
    is_empty = True
    for row in rows:
        is_empty = False
        if lacking:
            lacking = dict.fromkeys(name for name in lacking if name not in row)
        cell = row.get(reference.key, ABSENT)
        if is_missing(cell):
            continue
        key = key_of(cell)
        known = matched.get(key)
        matched[key] = (
            Matched(1, [row.get(name) for name in reference.columns])
            if known is None
            else Matched(known.records + 1, known.cells)
        )
    if lacking and not is_empty:
        return Table({}, f"{reference.source!r} has no column {next(iter(lacking))!r}")
    return Table(matched)


def describe(step: Step) -> str:
    return (
        f"Take {listed(step['take'])} from the record of {step['source']!r} whose "
        f"{step['key']!r} is {step['column']!r}"
    )


KIND = Kind(
    code="lookup",
    title="Look up in another source",
    summary="Take columns from the record of another source that has the same key.",
    parameters=(
        Parameter("column", COLUMN, "Column", "Contains the key."),
        Parameter("source", SOURCE, "Other source"),
        Parameter(
            "key",
            OTHER_COLUMN,
            "Key column there",
            "Must be unique: records that match several others fail.",
        ),
        Parameter("take", OTHER_COLUMNS, "Columns to take", "As they were imported there."),
        Parameter("prefix", TEXT, "Prefix", "Goes in front of the names of the new columns.", ""),
        on_failure("fail", "fail", "empty"),
    ),
    apply=lookup,
    describe=describe,
    facts="tables",
)
