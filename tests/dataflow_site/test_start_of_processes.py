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
CODE = "import sys, django; django.setup(); {} print(*sys.modules)"
JOBS = "import ingestion.loading.load_file, processing.jobs.process;"


def loaded_by(code, tmp_path):
    return subprocess.run(
        [sys.executable, "-c", CODE.format(code)],
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


def test_it_loads_them_when_they_are_needed(tmp_path):
    loaded = loaded_by("", tmp_path)
    assert "records.models" in loaded
    assert HEAVY.isdisjoint(loaded)


def test_a_csv_file_needs_no_library_of_workbooks_and_its_records_no_frames(tmp_path):
    loaded = loaded_by(JOBS, tmp_path)
    assert "ingestion.parsing.readers.sheet" in loaded
    assert {"openpyxl", "pandas"}.isdisjoint(loaded)


def test_the_web_server_loads_all_pages_before_its_workers_are_forked(tmp_path):
    loaded = loaded_by("import dataflow_site.wsgi;", tmp_path)
    assert {"explore.pages.dashboard", "explore.api.views"} <= set(loaded)
    # DuckDB has threads, which a fork would not take along.
    assert {"duckdb", "pandas", "mcp"}.isdisjoint(loaded)
