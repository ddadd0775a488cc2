"""Numbers between two bounds."""

from processing.rules.base import Batch, Kind, Step, filled, replace_failing
from processing.rules.parameters import NUMBER, Parameter, column, on_failure
from records.number_text import read_number


def value_range(batch: Batch, step: Step) -> None:
    """A cell that says something has to be a number between the bounds, which are included."""
    name = step["column"]
    failing = []
    for place, cell in filled(batch, name):
        found = cell if type(cell) is float else read_number(cell)
        if message := _message(found, step["least"], step["greatest"]):
            failing.append((place, message))
    if step["on_failure"] != "nearest":
        replace_failing(batch, name, failing, on_failure=step["on_failure"])
        return
    cells = batch.cells(name)
    for place, message in failing:
        found = read_number(cells[place])
        if found is None:
            batch.fail(place, name, message, value=cells[place])
            continue
        is_below = step["least"] is not None and found < step["least"]
        after = float(step["least"] if is_below else step["greatest"])
        batch.repair(place, name, cells[place], after)
        cells[place] = after
    batch.put(name, cells)


def _message(found: float | None, least: float | None, greatest: float | None) -> str | None:
    # A float that is not finite is not a number either; no comparison with it holds.
    if found is None or not abs(found) < float("inf"):
        return "is not a number"
    if least is not None and found < least:
        return f"is below {least}"
    if greatest is not None and found > greatest:
        return f"is above {greatest}"
    return None


def describe(step: Step) -> str:
    bounds = [
        f"at least {step['least']}" if step["least"] is not None else "",
        f"at most {step['greatest']}" if step["greatest"] is not None else "",
    ]
    otherwise = {
        "fail": "fail the record",
        "empty": "are emptied (recorded as repairs)",
        "nearest": "become the nearest limit (recorded as repairs)",
    }[step["on_failure"]]
    said = " and ".join(bound for bound in bounds if bound)
    return f"Require {step['column']!r} to be {said}; other values {otherwise}"


def conflict(step: Step) -> str | None:
    least, greatest = step["least"], step["greatest"]
    if least is None and greatest is None:
        return "'least' or 'greatest' of 'range' is required"
    if least is not None and greatest is not None and least > greatest:
        return "'least' of 'range' is greater than 'greatest'"
    return None


KIND = Kind(
    code="range",
    title="Range",
    summary="Numbers must be within limits; others fail the record or are replaced.",
    parameters=(
        column(),
        Parameter("least", NUMBER, "Min", default=None),
        Parameter("greatest", NUMBER, "Max", default=None),
        on_failure("fail", "nearest", "empty", "fail"),
    ),
    apply=value_range,
    describe=describe,
    conflict=conflict,
)
