"""Texts that match a pattern, in time that grows with their length alone."""

from functools import lru_cache
from typing import Any

import re2

from processing.rules.base import Batch, Kind, Step, as_text, filled, replace_failing
from processing.rules.parameters import FLAG, TEXT, Parameter, column, on_failure


def pattern(batch: Batch, step: Step) -> None:
    """A cell that says something has to match; one that is no text as its JSON."""
    name, compiled = step["column"], _compiled(step["pattern"])
    matches = compiled.fullmatch if step["whole"] else compiled.search
    failing = [
        (place, "does not match the pattern")
        for place, cell in filled(batch, name)
        if not matches(_encodable(as_text(cell)))
    ]
    replace_failing(batch, name, failing, on_failure=step["on_failure"])


def _encodable(text: str) -> str:
    """The text as RE2 takes it: half a character is none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="replace").decode()
    return text


@lru_cache(maxsize=256)
def _compiled(text: str) -> Any:
    """RE2 never goes back, so no pattern takes for ever; it has no back references."""
    options = re2.Options()
    options.log_errors = False
    return re2.compile(text, options)


def describe(step: Step) -> str:
    otherwise = {
        "fail": "fails the record",
        "empty": "is emptied (recorded as a repair)",
    }[step["on_failure"]]
    verb = "match" if step["whole"] else "contain"
    rule = f"Require {step['column']!r} to {verb} the pattern {step['pattern']}"
    return f"{rule}; other text {otherwise}"


def conflict(step: Step) -> str | None:
    try:
        _compiled(step["pattern"])
    except re2.error as error:
        (reason,) = error.args
        said = reason.decode(errors="replace") if isinstance(reason, bytes) else reason
        return f"'pattern' is not valid: {said}"
    return None


KIND = Kind(
    code="pattern",
    title="Pattern",
    summary="Text must match a pattern; other text fails the record or is emptied.",
    parameters=(
        column(),
        Parameter(
            "pattern",
            TEXT,
            "Pattern",
            "A regular expression in RE2 syntax, for example [A-Z]{2}[0-9]+. Back references are "
            "not supported.",
        ),
        Parameter("whole", FLAG, "Match the whole cell", default=True),
        on_failure("fail", "empty", "fail"),
    ),
    apply=pattern,
    describe=describe,
    conflict=conflict,
)
