"""A process starts without the libraries that only some of its work needs."""

import os
import subprocess
import sys

from tests.installation import ROOT

HEAVY = {
    "numpy",
    "pandas",
    "altair",
    "openpyxl",
    "clevercsv",
    "drf_spectacular.plumbing",
    "duckdb",
    "mcp",
}
CODE = "import sys, django; django.setup(); print(*sys.modules)"


def test_it_loads_them_when_they_are_needed(tmp_path):
    loaded = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "dataflow_site.settings",
            "DATAFLOW_VAR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "records.models" in loaded
    assert HEAVY.isdisjoint(loaded)
