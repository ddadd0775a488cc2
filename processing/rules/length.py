"""Texts of a certain length."""

from processing.rules.base import Batch, Kind, Step, as_text, counted, filled, replace_failing
from processing.rules.parameters import WHOLE, Parameter, column, on_failure


def length(batch: Batch, step: Step) -> None:
    """A cell that says something has so many characters; one that is no text as its JSON."""
    name, least, greatest = step["column"], step["least"], step["greatest"]
    failing = []
    for place, cell in filled(batch, name):
        found = len(as_text(cell))
        if found < least:
            failing.append((place, f"is shorter than {counted(least, 'character')}"))
        elif greatest is not None and found > greatest:
            failing.append((place, f"is longer than {counted(greatest, 'character')}"))
    if step["on_failure"] != "cut":
        replace_failing(batch, name, failing, on_failure=step["on_failure"])
        return
    cells = batch.cells(name)
    for place, message in failing:
        text = as_text(cells[place])
        if len(text) < least:
            batch.fail(place, name, message, value=cells[place])
            continue
        batch.repair(place, name, cells[place], text[:greatest])
        cells[place] = text[:greatest]
    batch.put(name, cells)


def describe(step: Step) -> str:
    bounds = [
        f"at least {counted(step['least'], 'character')}" if step["least"] else "",
        f"at most {counted(step['greatest'], 'character')}" if step["greatest"] is not None else "",
    ]
    otherwise = {
        "fail": "other text fails the record",
        "empty": "other text is emptied (recorded as a repair)",
        "cut": "longer text is cut (recorded as a repair)",
    }[step["on_failure"]]
    said = " and ".join(bound for bound in bounds if bound)
    return f"Require {step['column']!r} to have {said}; {otherwise}"


def conflict(step: Step) -> str | None:
    least, greatest = step["least"], step["greatest"]
    if not least and greatest is None:
        return "'least' or 'greatest' of 'length' is required"
    if greatest is not None and least > greatest:
        return "'least' of 'length' is greater than 'greatest'"
    if greatest is None and step["on_failure"] == "cut":
        return "'greatest' of 'length' is required to cut cells"
    return None


KIND = Kind(
    code="length",
    title="Length",
    summary="Limit the length of text; other text fails the record or is cut.",
    parameters=(
        column(),
        Parameter("least", WHOLE, "Min length", default=0),
        Parameter("greatest", WHOLE, "Max length", default=None),
        on_failure("fail", "cut", "empty", "fail"),
    ),
    apply=length,
    describe=describe,
    conflict=conflict,
)
