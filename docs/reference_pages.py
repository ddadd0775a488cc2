"""The pages of the reference, made of what the code itself knows: Markdown by path.

Django has to be set up. What is asked are registries (commands, the API schema, kinds of rules),
so a new command, option, parameter or kind is listed without a change here.
"""

import importlib
import importlib.util
import json
from argparse import SUPPRESS, Action, ArgumentParser
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand
from drf_spectacular.generators import SchemaGenerator

from dataflow_site.variables import VARIABLES
from processing.rules import KINDS
from processing.rules.parameters import Parameter

ROOT = Path(__file__).resolve().parent.parent
METHODS = ("get", "post", "put", "patch", "delete")
# Parameters of lists that tell which page of them is wanted, and not which records.
PAGING = {"limit", "cursor"}
# The catalogue of reject codes has a page once it is there.
REJECT_CODES = "records.reject_codes"


def pages() -> dict[str, str]:
    """All pages, in the order in which they are listed."""
    found = {
        "reference/settings.md": settings_page(),
        "reference/commands.md": commands_page(),
        "reference/filters.md": filters_page(),
        "reference/rules.md": rules_page(),
    }
    if importlib.util.find_spec(REJECT_CODES):
        found["reference/reject-codes.md"] = reject_codes_page()
    return found | {"reference/api.md": api_page()}


def settings_page() -> str:
    parts = [
        "# Settings",
        "Settings are environment variables. Yes-or-no settings take `1` or `0`; numbers are whole "
        "numbers from 1. A wrong value stops the start with a message.",
    ]
    for heading, variables in VARIABLES.items():
        rows = [(f"`{name}`", default, meaning) for name, default, meaning in variables]
        parts += [f"## {heading}", table(("Variable", "Default", "Meaning"), rows)]
    return joined(parts)


def commands() -> dict[str, ArgumentParser]:
    """The project's own commands by name, with their parsers."""
    own = {app.name for app in apps.get_app_configs() if Path(app.path).parent == ROOT}
    return {
        name: load_command_class(app, name).create_parser("manage.py", name)
        for name, app in sorted(get_commands().items())
        if app in own
    }


def options(parser: ArgumentParser) -> list[Action]:
    """Arguments and options of a command, without those that every command has."""
    common = {action.dest for action in BaseCommand().create_parser("manage.py", "")._actions}
    return [action for action in parser._actions if action.dest not in common]


def commands_page() -> str:
    parts = [
        "# Commands",
        "Run commands with `.venv/bin/python manage.py COMMAND`. "
        "`--help` prints the options of a command.",
    ]
    for name, parser in commands().items():
        formatter = parser._get_formatter()
        rows = [
            (
                f"`{_named(action)}`",
                formatter._expand_help(action) if action.help not in (None, SUPPRESS) else "",
            )
            for action in options(parser)
        ]
        parts += [f"## {name}", parser.description or ""]
        if rows:
            parts.append(table(("Argument", "Meaning"), rows))
    return joined(parts)


def _named(action: Action) -> str:
    """An argument as it is written: --source NAME, or PATH [PATH ...]."""
    many = " ..." if action.nargs in ("*", "+") else ""
    if action.choices and not isinstance(action.metavar, str):
        value = "|".join(map(str, action.choices))
    else:
        value = str(action.metavar or action.dest.upper())
    if not action.option_strings:
        return f"[{value}{many}]" if action.nargs in ("*", "?") else f"{value}{many}"
    flags = ", ".join(action.option_strings)
    return flags if action.nargs == 0 else f"{flags} {value}{many}"


@cache
def schema() -> dict[str, Any]:
    """The API as OpenAPI has it."""
    generator: Any = SchemaGenerator
    made: dict[str, Any] = generator(api_version="v1").get_schema(request=None, public=True)
    return made


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and description of everything that the API does."""
    for path, methods in schema()["paths"].items():
        for method in METHODS:
            if method in methods:
                yield path, method, methods[method]


def parameters(path: str, method: str = "get") -> dict[str, dict[str, Any]]:
    """The query parameters of an operation by name."""
    described = schema()["paths"][path][method]
    found = described.get("parameters", [])
    return {each["name"]: each for each in found if each["in"] == "query"}


def filters_page() -> str:
    records = parameters("/api/v1/records")
    others = {
        "Pages of a list (`/records`)": {name: records[name] for name in PAGING & records.keys()},
        "Facets (`/records/facets`)": _besides(parameters("/api/v1/records/facets"), records),
        "Exports (`/export`)": _besides(parameters("/api/v1/export"), records),
    }
    parts = [
        "# Filters",
        "The explorer, the API and exports share these URL parameters. They can all be combined. "
        "A misspelled name or an invalid value is an error, never ignored. `manage.py export` has "
        "an option for each.",
        _parameter_table(
            {name: each for name, each in sorted(records.items()) if name not in PAGING}
        ),
    ]
    for heading, found in others.items():
        parts += [f"## {heading}", _parameter_table(dict(sorted(found.items())))]
    return joined(parts)


def _besides(some: Mapping[str, Any], others: Collection[str]) -> dict[str, Any]:
    return {name: each for name, each in some.items() if name not in others}


def _parameter_table(found: Mapping[str, dict[str, Any]]) -> str:
    rows = [
        (
            f"`{name}`",
            "yes" if each["schema"].get("type") == "array" else "",
            _values(each["schema"]),
            # Without the list of values that the schema adds.
            each.get("description", "").split("\n\n* `")[0],
        )
        for name, each in found.items()
    ]
    return table(("Parameter", "Repeatable", "Values", "Meaning"), rows)


def _values(described: Mapping[str, Any]) -> str:
    inner = described.get("items", described)
    if "enum" in inner:
        return ", ".join(f"`{value}`" for value in inner["enum"])
    return str(inner.get("format") or inner.get("type", ""))


def rules_page() -> str:
    parts = [
        "# Rules",
        "A rule set is a list of steps. Each step is an object with `rule`, the parameters of that "
        "rule, and optionally `off` (`true` switches the step off) and `note`. Steps run in order.",
    ]
    for code, kind in KINDS.items():
        rows = [
            (f"`{each.name}`", _rule_values(each), _default(each), _meaning(each))
            for each in kind.parameters
        ]
        parts += [
            f"## {code}",
            f"**{kind.title}.** {kind.summary}",
            table(("Parameter", "Values", "Default", "Meaning"), rows),
        ]
    return joined(parts)


def _rule_values(parameter: Parameter) -> str:
    if parameter.choices:
        return ", ".join(code(value) for value, _ in parameter.choices)
    return parameter.type.expected


def _default(parameter: Parameter) -> str:
    if parameter.is_required:
        return "required"
    return "" if parameter.default is None else code(json.dumps(parameter.default))


def _meaning(parameter: Parameter) -> str:
    words = [f"{parameter.label}{'' if parameter.label.endswith('.') else '.'} {parameter.help}"]
    words += [f"{code(value)}: {meaning}." for value, meaning in parameter.choices]
    return " ".join(words)


def reject_codes_page() -> str:
    catalogue = importlib.import_module(REJECT_CODES).CATALOGUE
    rows = [
        (f"`{found.code}`", found.title, found.description, found.remedy)
        for found in catalogue.values()
    ]
    return joined(
        [
            "# Reject codes",
            "Why a row could not become a record. The code is stored with the rejected row.",
            table(("Code", "Title", "Meaning", "What to do"), rows),
        ]
    )


def api_page() -> str:
    parts = [
        "# API",
        "An overview; the full schema is at `/api/v1/schema/`, and `/api/v1/docs/` shows it in the "
        "browser. [Use the API](../how-to/use-the-api.md) explains tokens, pages of lists, errors, "
        "and what may change.",
    ]
    filters = parameters("/api/v1/records").keys() - PAGING
    for path, method, described in operations():
        answers = ", ".join(f"`{status}`" for status in described["responses"])
        found = parameters(path, method)
        shared = found.keys() & filters
        text = (described.get("description") or "").strip()
        parts += [f"## {method.upper()} {path}", f"**{described['summary']}.** {text}"]
        if own := _besides(found, shared):
            parts.append(_parameter_table(own))
        if shared:
            parts.append("It also takes all [filters](filters.md).")
        parts.append(f"Responses: {answers}.")
    return joined(parts)


def code(text: str) -> str:
    """A value as it is written; one without a visible character in words."""
    return f"`{text}`" if text.strip() else {"": "(empty)", " ": "(space)"}.get(text, repr(text))


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def joined(parts: Iterable[str]) -> str:
    return "\n\n".join(parts) + "\n"
