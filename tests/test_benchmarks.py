"""Benchmarks are commands that explain themselves."""

import subprocess
import sys

import pytest

from tests.installation import ROOT


@pytest.mark.parametrize(
    "path", sorted((ROOT / "benchmarks").glob("[!_]*.py")), ids=lambda path: path.stem
)
def test_a_benchmark_says_how_it_is_called(path):
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{path.stem}", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"usage: {path.name}" in done.stdout
