"""The front door: what `make` does before Python takes over."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.installation import ROOT


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """As much of a clone as these targets need."""
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def make(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }
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
