"""Validates rules. Pure: no Django, no tables."""

from typing import Any

from processing.errors import InvalidRules
from processing.rules import KINDS, Kind
from processing.rules.parameters import FLAG, TEXT, Parameter

# More steps than a person can read are a mistake.
MOST_STEPS = 100

# What any step may have besides the parameters of its kind.
EVERY_STEP = (
    Parameter("off", FLAG, "Off", "Keep the rule without applying it.", False),
    Parameter("note", TEXT, "Note", "Why this rule exists.", ""),
)


def check_rules(rules: object) -> list[dict[str, Any]]:
    """The rules, if they are a list of steps that can be carried out.

    Raises InvalidRules with a sentence that names the first step and parameter that is wrong, and
    what is expected.
    """
    if not isinstance(rules, list):
        raise InvalidRules("Rules must be a list.")
    if len(rules) > MOST_STEPS:
        raise InvalidRules(f"There can be at most {MOST_STEPS} rules.")
    for number, step in enumerate(rules, start=1):
        if problem := step_problem(step):
            raise InvalidRules(f"Rule {number}{problem}")
    return rules


def step_problem(step: object) -> str | None:
    """What is wrong with a step, as the end of a sentence that begins "Rule 3"; None if nothing."""
    code = step.get("rule") if isinstance(step, dict) else None
    if not isinstance(step, dict) or not isinstance(code, str) or code not in KINDS:
        return f": 'rule' must be one of {', '.join(KINDS)}."
    kind = KINDS[code]
    parameters = {p.name: p for p in (*kind.parameters, *EVERY_STEP)}
    for name in step.keys() - parameters.keys() - {"rule"}:
        known = ", ".join(parameters)
        return f": {code!r} has no parameter {name!r}, only {known}."
    for parameter in parameters.values():
        if problem := parameter_problem(step, parameter):
            return f": {parameter.name!r} of {code!r} must be {problem}."
    if problem := conflict(kind, step):
        return f": {problem}."
    return None


def parameter_problem(step: dict[str, Any], parameter: Parameter) -> str | None:
    """What a parameter of a step has to be, if it is something else."""
    if parameter.name not in step and not parameter.is_required:
        return None
    return parameter.problem(step.get(parameter.name))


def conflict(kind: Kind, step: dict[str, Any]) -> str | None:
    """What is wrong with parameters that are right one by one."""
    return kind.conflict(kind.complete(step))
