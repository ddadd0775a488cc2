"""Columns under another name."""

from processing.rules.base import ABSENT, Batch, Kind, Step, is_missing
from processing.rules.parameters import COLUMN, Parameter, column


def rename(batch: Batch, step: Step) -> None:
    """A column gets another name. Where a row has a cell of that name already, and both say
    something, it fails: nothing is overwritten."""
    name, to = step["column"], step["to"]
    cells = []
    for place, (cell, there) in enumerate(zip(batch.cells(name), batch.cells(to), strict=True)):
        if is_missing(cell) and there is not ABSENT:
            cells.append(there)
            continue
        if not is_missing(there) and cell is not ABSENT:
            message = f"can't be renamed: {to!r} already has a value"
            batch.fail(place, name, message, value=cell)
        cells.append(cell)
    batch.drop(name)
    batch.put(to, cells)
    for before, now in list(batch.renamed.items()):
        if now == name:
            batch.renamed[before] = to
    batch.renamed[name] = to


KIND = Kind(
    code="rename",
    title="Rename",
    summary="Rename a column.",
    parameters=(
        column(),
        Parameter(
            "to",
            COLUMN,
            "New name",
            "Records with a value in both columns fail.",
        ),
    ),
    apply=rename,
    describe=lambda step: f"Rename {step['column']!r} to {step['to']!r}",
    conflict=lambda step: (
        "'to' of 'rename' must differ from 'column'" if step["column"] == step["to"] else None
    ),
)
