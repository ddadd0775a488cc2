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
            failing.append((place, "is not in the replacement table"))
    batch.put(name, cells)
    replace_failing(batch, name, failing, on_failure=step["on_failure"])


def describe(step: Step) -> str:
    otherwise = {
        "keep": "other values are kept",
        "empty": "other values are emptied (recorded as repairs)",
        "fail": "other values fail the record",
    }[step["on_failure"]]
    count = counted(len(step["table"]), "value")
    case = ", ignoring case" if step["ignore_case"] else ""
    return f"Replace {count} in {step['column']!r} by a table{case}; {otherwise}"


def conflict(step: Step) -> str | None:
    if step["ignore_case"] and len({key.casefold() for key in step["table"]}) < len(step["table"]):
        return "'table' has keys that differ only in case, which 'ignore_case' does not allow"
    return None


KIND = Kind(
    code="replace",
    title="Replace values",
    summary="Replace values by a table.",
    parameters=(
        column(),
        Parameter("table", TABLE, "Table", "Values and their replacements."),
        Parameter("ignore_case", FLAG, "Ignore case", default=False),
        on_failure("keep", "keep", "empty", "fail"),
    ),
    apply=replace,
    describe=describe,
    conflict=conflict,
)
