"""Records that no other record of the source repeats."""

from processing.rules.base import Batch, Kind, Step, is_missing, listed
from processing.rules.parameters import CHOICE, COLUMNS, Parameter


def unique(batch: Batch, step: Step) -> None:
    """The row fails if another record of the source has the same cells in all of the columns.

    Cells are compared as they are at this step. A row in which one of them says nothing passes.
    Which records are alike is asked of the batch's facts, which know the whole source.
    """
    names, first = step["columns"], step["passes"] == "first"
    together = f", together with {listed(names[1:])}," if len(names) > 1 else ""
    message = f"is{together} the same as in another record"
    columns = [batch.cells(name) for name in names]
    ids = batch.ids or [""] * len(batch.rows)
    for place, (record_id, *cells) in enumerate(zip(ids, *columns, strict=True)):
        if any(map(is_missing, cells)):
            continue
        if batch.facts.is_repeated(names, cells, record_id, first=first):
            batch.fail(place, names[0], message, value=cells if len(names) > 1 else cells[0])


def describe(step: Step) -> str:
    names = step["columns"]
    same = f"the same {listed(names)}"
    if step["passes"] == "first":
        return f"Of records with {same}, the one with the smallest id passes; the others fail"
    return f"Records with {same} fail"


KIND = Kind(
    code="unique",
    title="Unique within the source",
    summary="The record fails if another one of the source has the same cells.",
    parameters=(
        Parameter(
            "columns",
            COLUMNS,
            "Columns",
            "Records are the same if all of these are. A record in which one is empty passes.",
        ),
        Parameter(
            "passes",
            CHOICE,
            "Of records that are the same",
            default="first",
            choices=[("first", "the one with the smallest id passes"), ("none", "none passes")],
        ),
    ),
    apply=unique,
    describe=describe,
    facts="repeats",
)
