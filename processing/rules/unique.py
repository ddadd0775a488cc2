"""Records that no other record of the source repeats."""

from processing.rules.base import Batch, Kind, Step, is_missing, listed
from processing.rules.parameters import CHOICE, COLUMNS, Parameter


def unique(batch: Batch, step: Step) -> None:
    """The row fails if another record of the source has the same cells in all of the columns.

    Cells are compared as they are at this step. A row in which one of them says nothing passes.
    Which records are alike is asked of the batch's facts, which know the whole source.
    """
    names, first = step["columns"], step["passes"] == "first"
    together = f" together with {listed(names[1:])}" if len(names) > 1 else ""
    message = f"is not unique{together}"
    columns = [batch.cells(name) for name in names]
    ids = batch.ids or [""] * len(batch.rows)
    for place, (record_id, *cells) in enumerate(zip(ids, *columns, strict=True)):
        if any(map(is_missing, cells)):
            continue
        if batch.facts.is_repeated(names, cells, record_id, first=first):
            batch.fail(place, names[0], message, value=cells if len(names) > 1 else cells[0])


def describe(step: Step) -> str:
    names = step["columns"]
    except_first = ", except the one with the smallest ID" if step["passes"] == "first" else ""
    return f"Fail records with the same {listed(names)}{except_first}"


KIND = Kind(
    code="unique",
    title="Unique",
    summary="Records fail if another record of the source has the same cells.",
    parameters=(
        Parameter(
            "columns",
            COLUMNS,
            "Columns",
            "Records are duplicates if all of these match. Records with an empty cell pass.",
        ),
        Parameter(
            "passes",
            CHOICE,
            "Duplicates",
            default="first",
            choices=[("first", "Keep the one with the smallest ID"), ("none", "Fail all")],
        ),
    ),
    apply=unique,
    describe=describe,
    facts="repeats",
)
