"""Steps <-> what a person sees and types in a form. Pure: no Django, no tables.

The fields are made of the parameters of the kinds, so a new kind needs nothing here.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from processing.errors import InvalidRules
from processing.rules import KINDS, Kind, Step, describe
from processing.rules.check import (
    EVERY_STEP,
    MOST_STEPS,
    conflict,
    parameter_problem,
    step_problem,
)
from processing.rules.parameters import (
    COLUMN,
    COLUMNS,
    FLAG,
    NUMBER,
    OTHER_COLUMNS,
    SOURCE,
    TABLE,
    TEXT,
    TEXTS,
    WHOLE,
    Parameter,
)

WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,300}")
ARROW = "=>"
IN_LINES = (COLUMNS, OTHER_COLUMNS, TEXTS, TABLE)


class Form(Protocol):
    """What a browser sent."""

    def get(self, name: str) -> Any: ...

    def getlist(self, name: str) -> Sequence[Any]: ...


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter of a step in the form; ``text`` is what stands in it."""

    name: str
    parameter: Parameter
    text: str
    is_on: bool
    problem: str | None

    @property
    def widget(self) -> str:
        if self.parameter.choices:
            return "select"
        if self.parameter.type is FLAG:
            return "check"
        if self.parameter.type in IN_LINES:
            return "lines"
        return "line"

    @property
    def names_columns(self) -> bool:
        return self.parameter.type is COLUMN

    @property
    def names_source(self) -> bool:
        return self.parameter.type is SOURCE

    @property
    def is_number(self) -> bool:
        return self.parameter.type in (NUMBER, WHOLE)

    @property
    def help(self) -> str:
        more = {
            COLUMNS: "One per line.",
            OTHER_COLUMNS: "One per line.",
            TEXTS: "One per line.",
            TABLE: f"One per line: value {ARROW} replacement.",
        }.get(self.parameter.type, "")
        return " ".join(filter(None, [self.parameter.help, more]))


@dataclass(frozen=True, slots=True)
class StepFields:
    """A step in the form, at its place from 0; ``problem`` is about no single field."""

    place: int
    kind: Kind
    fields: list[Field]
    off: Field
    note: Field
    words: str
    problem: str | None

    @property
    def number(self) -> int:
        return self.place + 1

    @property
    def has_problem(self) -> bool:
        fields = (*self.fields, self.off, self.note)
        return self.problem is not None or any(field.problem for field in fields)


def fields_of(rules: Sequence[Step]) -> list[StepFields]:
    """The form for steps, which may have mistakes, but are of known kinds."""
    return [_step_fields(place, step) for place, step in enumerate(rules)]


def _step_fields(place: int, step: Step) -> StepFields:
    kind = KINDS[step["rule"]]
    fields = [_field(place, step, parameter) for parameter in kind.parameters]
    off, note = (_field(place, step, parameter) for parameter in EVERY_STEP)
    is_right = not any(field.problem for field in (*fields, off, note))
    problem = conflict(kind, step) if is_right else None
    words = describe(step) if is_right and problem is None else kind.summary
    return StepFields(place, kind, fields, off, note, words, problem)


def _field(place: int, step: Step, parameter: Parameter) -> Field:
    default = None if parameter.is_required else parameter.default
    value = step.get(parameter.name, default)
    return Field(
        name=f"{place}-{parameter.name}",
        parameter=parameter,
        text=to_text(parameter, value),
        is_on=value is True,
        problem=parameter_problem(step, parameter),
    )


def read_steps(form: Form) -> list[Step]:
    """The steps that a form holds, in its order, as far as they can be read: what can't is left
    for the check to find. Raises InvalidRules if it is not a form of ours."""
    places = form.getlist("step")
    if len(places) > MOST_STEPS:
        raise InvalidRules(f"There can be at most {MOST_STEPS} rules.")
    return [_read_step(form, str(place)) for place in places]


def _read_step(form: Form, place: str) -> Step:
    kind = KINDS.get(form.get(f"{place}-rule") or "")
    if kind is None:
        raise InvalidRules(f"'rule' must be one of {', '.join(KINDS)}.")
    step: Step = {"rule": kind.code}
    for parameter in (*kind.parameters, *EVERY_STEP):
        given = form.get(f"{place}-{parameter.name}")
        value = given is not None if parameter.type is FLAG else from_text(parameter, given)
        if parameter.is_required or not _is_default(parameter, value):
            step[parameter.name] = value
    return step


def _is_default(parameter: Parameter, value: object) -> bool:
    return value == parameter.default and type(value) is type(parameter.default)


def to_text(parameter: Parameter, value: Any) -> str:
    """A value as shown in its field."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if parameter.type in IN_LINES:
        lines = _as_lines(value)
        # What lines can't tell stands there as JSON.
        is_plain = lines is not None and from_text(parameter, lines) == value
        return lines if is_plain and lines else json.dumps(value, ensure_ascii=False)
    return repr(value) if isinstance(value, int | float) else json.dumps(value)


def _as_lines(value: Any) -> str | None:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "\n".join(value)
    if isinstance(value, dict) and all(isinstance(item, str) for item in value.values()):
        return "\n".join(f"{before} {ARROW} {after}" for before, after in value.items())
    return None


def from_text(parameter: Parameter, text: str | None) -> Any:
    """The value that a person typed; what can't be read stays the text that it is."""
    text = (text or "").replace("\r\n", "\n")
    if parameter.type in IN_LINES:
        return _from_lines(parameter, text)
    if parameter.type in (NUMBER, WHOLE):
        return _from_number(parameter, text.strip())
    if parameter.type is TEXT or parameter.choices:
        return text
    return None if not text and not parameter.is_required else text


def _from_number(parameter: Parameter, text: str) -> Any:
    if not text:
        return None if parameter.is_required else parameter.default
    if WHOLE_NUMBER.fullmatch(text):
        return int(text)
    try:
        return float(text)
    except ValueError:
        return text


def _from_lines(parameter: Parameter, text: str) -> Any:
    if text.lstrip().startswith("{" if parameter.type is TABLE else "["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if not lines and not parameter.is_required:
        return parameter.default
    return _table(lines, text) if parameter.type is TABLE else lines


def _table(lines: Sequence[str], text: str) -> Mapping[str, str] | str:
    pairs = [line.partition(ARROW) for line in lines]
    table = {before.strip(): after.strip() for before, _, after in pairs}
    is_one = len(table) == len(pairs) and all(arrow for _, arrow, _ in pairs)
    return table if is_one else text


def same_rules(some: Sequence[Step], others: Sequence[Step]) -> bool:
    """Whether two lists of steps do the same, and say so with the same notes."""
    return [whole(step) for step in some] == [whole(step) for step in others]


def whole(step: Step) -> str:
    """A step with all that it leaves out, as one text: 1 and 1.0 and true are told apart."""
    parameters = (*KINDS[step["rule"]].parameters, *EVERY_STEP)
    full = {p.name: step.get(p.name, None if p.is_required else p.default) for p in parameters}
    return json.dumps(full | {"rule": step["rule"]}, sort_keys=True)


def are_known(rules: Any) -> bool:
    """Whether rules can be shown in the form: all steps are right."""
    return isinstance(rules, list) and not any(map(step_problem, rules))
