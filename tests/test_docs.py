"""What can be typed stands in the documentation, and what stands there can be typed.

The reference is made of the code; these tests hold that nothing in it is left without words, that
what is written by hand names only what is there, and that each command has a place in a guide.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.urls import resolve

from dataflow_site.variables import NAMES, VARIABLES
from docs import reference_pages
from processing.rules import KINDS
from tests.installation import ROOT

WRITTEN = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md")
    for path in ROOT.glob(pattern)
    if path.name != "CHANGELOG.md"  # which tells of what was
)
GUIDES = [path for path in WRITTEN if path.is_relative_to(ROOT / "docs")]
# What reads or sets a variable whose name is its first argument, besides the functions of
# dataflow_site.environment.
READERS = {"os.environ.get", "os.getenv", "os.environ.setdefault", "os.environ.pop"}
# What tests set for processes of their own, and what Python and the tools of tests read.
OF_TESTS = {
    "OTHER_HOST",
    "CLOCK_AHEAD",
    "DJANGO_ALLOW_ASYNC_UNSAFE",
    "PATH",
    "COLUMNS",
}
COMMAND = re.compile(r"manage\.py +([a-z_]+)((?:[^\n`]|\\\n)*)")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
# What a URL asks of lists of records, as in `/records?status=failed`.
QUERY = re.compile(
    r"(?<![\w/])(?:/api(?:/v1)?)?(/records|/records/facets|/export|/explore/)\?([\w=&.,:%-]+)"
)


@cache
def reference() -> dict[str, str]:
    return reference_pages.pages()


def tracked(pattern: str) -> Iterator[Path]:
    for path in ROOT.rglob(pattern):
        inside = path.relative_to(ROOT).parts
        if not {".venv", "var", "node_modules", "migrations"} & set(inside):
            yield path


def constants(tree: ast.Module) -> dict[str, str]:
    """The texts that a module gives names to."""
    return {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name) and isinstance(node.value.value, str)
    }


def names_read(path: Path) -> Iterator[str]:
    """The variables that a module reads or sets, as far as it names them itself."""
    tree = ast.parse(path.read_text())
    known = constants(tree)
    readers = READERS | {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "dataflow_site.environment"
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if ast.unparse(node.func) not in readers:
                continue
            named = node.args[0] if node.args else None
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            named = node.slice
        else:
            continue
        if isinstance(named, ast.Constant) and isinstance(named.value, str):
            yield named.value
        elif isinstance(named, ast.Name) and named.id in known:
            yield known[named.id]


def variables_in_use() -> set[str]:
    found = {name for path in tracked("*.py") for name in names_read(path)}
    compose = (ROOT / "docker-compose.yml").read_text()
    found |= set(re.findall(r"\$\{(\w+)", compose))
    make = (ROOT / "Makefile").read_text()
    found |= set(re.findall(r"^(?:export )?([A-Z_]+) \?=", make, re.MULTILINE))
    found |= set(re.findall(r"\$\(or \$\(([A-Z_]+)\)", make))
    # The names of the test servers, which are looked through one after the other.
    found |= {"TEST_DATABASE_URL", "DATAFLOW_SECRET_*"}
    return found - OF_TESTS


def test_each_variable_that_is_read_is_documented_and_no_other():
    assert variables_in_use() == NAMES


def test_the_names_that_a_scan_takes_for_granted_are_read():
    assert "TEST_DATABASE_URL" in (ROOT / "tests" / "postgres.py").read_text()
    assert any(
        "DATAFLOW_SECRET_" in path.read_text()
        for path in tracked("secrets.py")
        if path.is_relative_to(ROOT / "ingestion")
    )


def test_no_variable_is_documented_twice_or_without_words():
    found = [each for group in VARIABLES.values() for each in group]
    assert len(found) == len(NAMES)
    for name, default, meaning in found:
        assert name in reference()["reference/settings.md"]
        assert default
        assert meaning.endswith("."), name


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_variables_of_ours_that_are_named_by_hand_are_there(path):
    named = set(re.findall(r"\bDATAFLOW_[A-Z_]*[A-Z]\b", path.read_text()))
    assert {name for name in named if not name.startswith("DATAFLOW_SECRET_")} <= NAMES


def test_each_command_and_each_of_its_options_has_words():
    text = reference()["reference/commands.md"]
    assert reference_pages.commands().keys() >= {"ingest", "process", "export", "worker"}
    for name, parser in reference_pages.commands().items():
        assert parser.description, name
        section = text.split(f"\n## {name}\n")[1].split("\n## ")[0]
        for action in reference_pages.options(parser):
            assert action.help, f"{name} {action.dest}"
            for option in action.option_strings:
                assert option in section, f"{name} {option}"


def test_each_command_is_in_a_guide():
    text = "\n".join(path.read_text() for path in GUIDES)
    named = {name for name, _ in COMMAND.findall(text)}
    assert reference_pages.commands().keys() - named == set()


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_and_options_that_are_written_by_hand_are_there(path):
    parsers = reference_pages.commands()
    for name, rest in COMMAND.findall(path.read_text()):
        assert name in get_commands() or name == "COMMAND", f"manage.py {name}"
        if name in parsers:
            known = {
                option for action in parsers[name]._actions for option in action.option_strings
            }
            assert set(OPTION.findall(rest)) <= known, f"manage.py {name}{rest}"


def test_each_filter_parameter_has_words():
    text = reference()["reference/filters.md"]
    for path in ("/api/v1/records", "/api/v1/records/facets", "/api/v1/export"):
        for name, described in reference_pages.parameters(path).items():
            assert described.get("description"), f"{path} {name}"
            assert f"| `{name}` |" in text, f"{path} {name}"


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_parameters_of_urls_that_are_written_by_hand_are_there(path):
    for url, query in QUERY.findall(path.read_text()):
        operation = "/api/v1/records" if url == "/explore/" else f"/api/v1{url}"
        known = reference_pages.parameters(operation).keys()
        for part in query.split("&"):
            assert part.partition("=")[0] in known, f"{url}?{query}"


def test_each_parameter_of_the_list_of_rejected_rows_is_in_its_guide():
    module = import_module(resolve("/rejected/").func.__module__)
    guide = (ROOT / "docs" / "how-to" / "fix-rejected-rows.md").read_text()
    documented = set(re.findall(r"^\| `(\w+)` \|", guide, re.MULTILINE))
    assert documented == module.RejectedFilter.base_fields.keys()


def test_each_parameter_of_the_api_has_words():
    for path, method, _ in reference_pages.operations():
        for name, described in reference_pages.parameters(path, method).items():
            assert described.get("description"), f"{method} {path} {name}"


def test_each_kind_of_rules_and_each_url_of_the_api_is_in_the_reference():
    rules, api = reference()["reference/rules.md"], reference()["reference/api.md"]
    for code, kind in KINDS.items():
        assert f"## {code}\n" in rules
        for parameter in kind.parameters:
            assert f"| `{parameter.name}` |" in rules
    for path, method, described in reference_pages.operations():
        assert f"## {method.upper()} {path}\n" in api
        assert described["summary"], path


def test_each_decision_is_numbered_and_listed():
    decisions = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert [path.name[:4] for path in decisions] == [
        f"{number:04}" for number in range(1, len(decisions) + 1)
    ]
    listed = (ROOT / "docs" / "decisions" / "index.md").read_text()
    for path in decisions:
        assert f"({path.name})" in listed
        for heading in ("## Context", "## Decision", "## Alternatives rejected"):
            assert f"\n{heading}\n" in path.read_text(), path.name
