"""What is installed: the packages that are asked for, all that they need, and nothing unchecked."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.installation import ROOT

FILES = ["requirements", "requirements-dev"]
PACKAGE = re.compile(r"^\S.*?==.*?(?=^\S|\Z)", re.MULTILINE | re.DOTALL)


class Locked(NamedTuple):
    requirement: Requirement
    hashes: list[str]


def locked(file: str) -> dict[str, Locked]:
    """The packages that a lock file installs on this system."""
    found: dict[str, Locked] = {}
    for entry in PACKAGE.findall((ROOT / f"{file}.lock").read_text()):
        requirement = Requirement(entry.partition("\\")[0])
        if requirement.marker is None or requirement.marker.evaluate():
            hashes = re.findall(r"--hash=sha256:[0-9a-f]{64}\b", entry)
            found[canonicalize_name(requirement.name)] = Locked(requirement, hashes)
    return found


def asked(file: str) -> Iterator[Requirement]:
    for line in (ROOT / f"{file}.txt").read_text().splitlines():
        if included := re.match(r"-r (\S+)\.txt", line):
            yield from asked(included[1])
        elif line and not line.startswith("#"):
            yield Requirement(line)


def needed(requirements: Iterator[Requirement]) -> set[str]:
    """The packages that these need on this system, and the packages that those need."""
    open_, seen = list(requirements), set()
    while open_:
        one = open_.pop()
        key = (canonicalize_name(one.name), frozenset(one.extras))
        if key in seen:
            continue
        seen.add(key)
        for text in metadata.requires(one.name) or []:
            next_ = Requirement(text)
            extras = one.extras or {""}
            if next_.marker is None or any(next_.marker.evaluate({"extra": e}) for e in extras):
                open_.append(next_)
    return {name for name, _ in seen}


@pytest.mark.parametrize("file", FILES)
def test_what_is_asked_for_is_locked_at_its_version(file: str) -> None:
    packages = locked(file)
    for requirement in asked(file):
        name = canonicalize_name(requirement.name)
        assert name in packages, f"{name}: run make lock"
        assert packages[name].requirement.specifier == requirement.specifier, name


@pytest.mark.parametrize("file", FILES)
def test_what_packages_need_is_locked_and_nothing_else(file: str) -> None:
    assert locked(file).keys() == needed(asked(file))


@pytest.mark.parametrize("file", FILES)
def test_each_package_is_locked_at_the_version_that_is_tested(file: str) -> None:
    for name, package in locked(file).items():
        assert str(package.requirement.specifier) == f"=={metadata.version(name)}", name


@pytest.mark.parametrize("file", FILES)
def test_each_locked_package_has_hashes_and_no_place_it_comes_from(file: str) -> None:
    packages = locked(file)
    assert len(packages) > 50
    assert [name for name, package in packages.items() if not package.hashes] == []
    text = (ROOT / f"{file}.lock").read_text()
    assert "://" not in text
    assert {line[:2] for line in text.splitlines()} & {"--", "-i", "-f"} == set()


@pytest.mark.parametrize("file", ["Makefile", "Dockerfile"])
def test_packages_are_installed_only_if_their_hashes_fit(file: str) -> None:
    installs = re.findall(r"^.*\bpip install\b.*$", (ROOT / file).read_text(), re.MULTILINE)
    assert installs
    for line in installs:
        assert "--require-hashes" in line
        assert "requirements.txt" not in line


def test_the_bill_of_materials_lists_what_the_application_installs(tmp_path: Path) -> None:
    recipe = (ROOT / "Makefile").read_text().split("\nsbom:")[1].split("\n\n")[0]
    command = recipe.splitlines()[-1].strip()
    assert command.startswith("$(PYTHON) ")
    assert command.endswith(" var/sbom.json")
    bill = tmp_path / "sbom.json"
    _, *words = command.replace("var/sbom.json", str(bill)).split()
    subprocess.run([sys.executable, *words], cwd=ROOT, check=True, capture_output=True)
    made = json.loads(bill.read_text())
    assert made["bomFormat"] == "CycloneDX"
    listed = {part["name"]: part for part in made["components"]}
    assert listed.keys() >= locked("requirements").keys()
    assert listed["django"]["purl"].startswith("pkg:pypi/django@")
    assert listed["django"]["externalReferences"][0]["hashes"]


@pytest.mark.parametrize("file", FILES)
def test_no_package_makes_each_process_start_seconds_later(file: str) -> None:
    """jsonschema, which charts need, loads this one if it is there; it compiles 39 grammars."""
    assert "rfc3987-syntax" not in locked(file)
