"""The front door: what `make` does before Python takes over."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from dataflow_site import __version__
from tests.installation import ROOT


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """As much of a clone as these targets need."""
    for name in ("Makefile", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def make(clone: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    } | environment
    return subprocess.run(
        ["make", *arguments],
        cwd=clone,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("python", ["no-such-python", "./old-python"])
def test_without_a_python_that_is_new_enough_it_says_what_is_needed(
    clone: Path, python: str
) -> None:
    old = clone / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    outcome = make(clone, "run", f"DATAFLOW_PYTHON={python}")
    assert outcome.returncode == 2
    said, made = outcome.stderr.splitlines()
    assert said.startswith("Python 3.11 or newer with its venv module is needed")
    assert made.startswith("make: ***")
    assert outcome.stdout == ""
    assert not (clone / ".venv").exists()


def test_the_secrets_of_the_containers_are_made_once_and_for_their_owner_only(clone: Path) -> None:
    assert make(clone, ".env").returncode == 0
    secrets = clone / ".env"
    assert secrets.stat().st_mode & 0o777 == 0o600
    first = secrets.read_text()
    values = dict(line.split("=", 1) for line in first.splitlines() if "=" in line)
    assert len(values["SECRET_KEY"]) == 64
    assert len(values["POSTGRES_PASSWORD"]) == 32
    assert len(values["ADMIN_PASSWORD"]) == 24
    assert make(clone, ".env").returncode == 0
    assert secrets.read_text() == first


def test_no_secret_is_the_same_twice(clone: Path) -> None:
    make(clone, ".env")
    first = (clone / ".env").read_text()
    (clone / ".env").unlink()
    make(clone, ".env")
    assert (clone / ".env").read_text() != first


def stand_in(folder: Path, name: str, text: str) -> None:
    """A program that writes down how it was called."""
    program = folder / name
    program.write_text(f'#!/bin/sh\necho "{name} $*" >>"$0.log"\n{text}\n')
    program.chmod(0o755)


# What docker says where it has no compose, and where it has version 2.
NO_COMPOSE = "exit 1"
COMPOSE_2 = 'test "$3" != --short || echo 2.29.1'


@pytest.mark.parametrize(
    ("docker", "called", "commands"),
    [
        (COMPOSE_2, "docker", ["docker compose up --detach --build --wait"]),
        (
            NO_COMPOSE,
            "docker-compose",
            ["docker-compose up --detach --build", "docker-compose exec -T api python -c"],
        ),
    ],
)
def test_compose_2_is_preferred_and_docker_compose_1_will_do(
    clone: Path, tmp_path: Path, docker: str, called: str, commands: list[str]
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    stand_in(programs, "docker", docker)
    stand_in(programs, "docker-compose", 'test "$2" != --short || echo 1.29.2')
    outcome = make(clone, "up", PATH=f"{programs}{os.pathsep}{os.environ['PATH']}")
    assert outcome.returncode == 0, outcome.stderr
    assert "DataFlow Analytics runs at http://localhost:8000/" in outcome.stdout
    lines = (programs / f"{called}.log").read_text().splitlines()
    done = [line for line in lines if " version" not in line]
    assert [line[: len(command)] for line, command in zip(done, commands, strict=True)] == commands
    assert done[0] == commands[0]


def test_help_lists_every_target_for_people(clone: Path) -> None:
    outcome = make(clone, "help")
    listed = {line.split()[1] for line in outcome.stdout.splitlines()}
    declared = (ROOT / "Makefile").read_text().split(".PHONY:")[1].splitlines()[0].split()
    assert listed == set(declared) - {"again"}
    assert all(len(line.split()) > 3 for line in outcome.stdout.splitlines())


def test_pre_commit_runs_what_make_lint_runs() -> None:
    recipe = (ROOT / "Makefile").read_text().split("\nlint:")[1].split("\n\n")[0]
    commands = [line.strip().replace("$(PYTHON)", ".venv/bin/python") for line in
                recipe.splitlines()[1:]]  # fmt: skip
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    entries = {hook["id"]: hook["entry"] for hook in hooks}
    # The site is built by a target of its own, which `lint` asks for.
    assert "mkdocs build --strict" in entries.pop("docs")
    assert len(commands) == len(entries)
    for command in commands:
        # A hook gets the names of the files that were changed.
        assert any(command.startswith(entry) for entry in entries.values()), command


def test_the_version_has_a_section_in_the_changelog() -> None:
    assert f"\n## {__version__} (" in (ROOT / "CHANGELOG.md").read_text()
