"""Cells that are one of a few values."""

from processing.rules.base import Batch, Kind, Step, as_text, filled, listed, replace_failing
from processing.rules.parameters import FLAG, TEXT, TEXTS, Parameter, column, on_failure

SHOWN = 5


def allowed(batch: Batch, step: Step) -> None:
    """A cell that says something has to be one of the values; one that is no text as its JSON."""
    name, ignores_case = step["column"], step["ignore_case"]
    values = {value.casefold() if ignores_case else value for value in step["values"]}
    failing = []
    for place, cell in filled(batch, name):
        text = as_text(cell)
        if (text.casefold() if ignores_case else text) not in values:
            failing.append((place, "is not one of the allowed values"))
    replace_failing(batch, name, failing, on_failure=step["on_failure"], default=step["default"])


def describe(step: Step) -> str:
    values = step["values"]
    more = len(values) - SHOWN
    said = (
        listed(values, "or")
        if more <= 0
        else f"{', '.join(map(repr, values[:SHOWN]))} or {more:,} more"
    )
    otherwise = {
        "fail": "fail the record",
        "empty": "are emptied (recorded as repairs)",
        "default": f"become {step['default']!r} (recorded as repairs)",
    }[step["on_failure"]]
    return f"Allow only {said} in {step['column']!r}; other values {otherwise}"


KIND = Kind(
    code="allowed",
    title="Allowed values",
    summary="Cells must be one of a list of values; others fail the record or are replaced.",
    parameters=(
        column(),
        Parameter("values", TEXTS, "Allowed values"),
        Parameter("ignore_case", FLAG, "Ignore case", default=False),
        on_failure("fail", "default", "empty", "fail"),
        Parameter("default", TEXT, "Default", "Replaces cells that fail.", ""),
    ),
    apply=allowed,
    describe=describe,
)
