"""Cells replaced by what a table says."""

from processing.rules.base import (
    ABSENT,
    Batch,
    Kind,
    Step,
    as_text,
    counted,
    is_missing,
    replace_failing,
)
from processing.rules.parameters import FLAG, TABLE, Parameter, column, on_failure


def replace(batch: Batch, step: Step) -> None:
    """A cell that stands in the table becomes what stands beside it.

    A cell that is no text is looked up as its JSON. An absent cell stays absent.
    """
    name, table, ignores_case = step["column"], step["table"], step["ignore_case"]
    if ignores_case:
        table = {key.casefold(): after for key, after in table.items()}
    cells, failing = batch.cells(name), []
    for place, cell in enumerate(cells):
        if cell is ABSENT or cell is None:
            continue
        key = as_text(cell)
        key = key.casefold() if ignores_case else key
        if key in table:
            cells[place] = table[key]
        elif step["on_failure"] != "keep" and not is_missing(cell):
            failing.append((place, "is not in the table of replacements"))
    batch.put(name, cells)
    replace_failing(batch, name, failing, on_failure=step["on_failure"])


def describe(step: Step) -> str:
    otherwise = {
        "keep": "others stay what they are",
        "empty": "others become empty and are kept as repairs",
        "fail": "others fail the record",
    }[step["on_failure"]]
    count = counted(len(step["table"]), "value")
    case = ", whatever their case," if step["ignore_case"] else ""
    return f"{step['column']!r}: {count}{case} replaced by what a table says; {otherwise}"


def conflict(step: Step) -> str | None:
    if step["ignore_case"] and len({key.casefold() for key in step["table"]}) < len(step["table"]):
        return "'table' has keys that differ by case alone, which 'ignore_case' makes the same"
    return None


KIND = Kind(
    code="replace",
    title="Replace by table",
    summary="Cells that stand in a table become what stands beside them.",
    parameters=(
        column(),
        Parameter("table", TABLE, "Table", "What stands in a cell, and what it becomes."),
        Parameter("ignore_case", FLAG, "Upper and lower case are alike", default=False),
        on_failure("keep", "keep", "empty", "fail"),
    ),
    apply=replace,
    describe=describe,
    conflict=conflict,
)
