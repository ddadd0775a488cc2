"""Whether rules that a person wrote can be carried out. Pure: no Django, no tables."""

from collections.abc import Callable
from typing import Any

from processing.errors import InvalidRules
from processing.rules import RULES


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value) and "\0" not in value


def _is_names(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_name, value))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 1e300


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


Check = tuple[Callable[[object], bool], str]
COLUMN: Check = (_is_name, "the name of a column")
FLAG: Check = (_is_flag, "true or false")

# The parameters of each rule, and which of them may be left out.
PARAMETERS: dict[str, dict[str, Check]] = {
    "required": {"columns": (_is_names, "a list of names of columns")},
    "number": {"column": COLUMN, "default": (_is_number, "a number")},
    "text": {"column": COLUMN, "strip": FLAG, "lower": FLAG},
    "stamp": {"column": COLUMN},
}
OPTIONAL = {"strip", "lower"}


def check_rules(rules: object) -> list[dict[str, Any]]:
    """The rules, if they are a list of steps that can be carried out. Raises InvalidRules."""
    if not isinstance(rules, list):
        raise InvalidRules("Rules are a list of steps.")
    for number, step in enumerate(rules, start=1):
        _check_step(number, step)
    return rules


def _check_step(number: int, step: object) -> None:
    if not isinstance(step, dict) or step.get("rule") not in list(RULES):
        raise InvalidRules(f"Step {number} has no 'rule' that is one of {', '.join(RULES)}.")
    code = step["rule"]
    parameters = PARAMETERS[code]
    for name in step.keys() - parameters.keys() - {"rule"}:
        known = ", ".join(parameters)
        raise InvalidRules(f"Step {number}: {code!r} has no {name!r}, but {known}.")
    for name, (fits, what) in parameters.items():
        is_needed = name in step or name not in OPTIONAL
        if is_needed and not fits(step.get(name)):
            raise InvalidRules(f"Step {number}: {name!r} of {code!r} is {what}.")
