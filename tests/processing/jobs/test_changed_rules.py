"""A rule that is changed on many stored rows: forecast, switched on, and taken back again.

The long form: ``pytest -s -m long tests/processing/jobs/test_changed_rules.py``, on 1,000,000
rows or so many as DATAFLOW_ROWS says.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.installation import Installation, copied
from tests.outcomes import counters, recounted

SOURCE = "sales"
# What the draft changes: what can't be read fails, what is missing passes, a category gets another
# name, and values that lie far from the others are flagged.
DRAFT = [
    {"rule": "required", "columns": ["id"]},
    {"rule": "number", "column": "value", "on_failure": "fail"},
    {"rule": "text", "column": "category", "strip": True, "lower": True},
    {"rule": "replace", "column": "category", "table": {"c3": "three"}},
    {"rule": "anomaly", "column": "value", "by": "category"},
    {"rule": "stamp", "column": "processed_timestamp"},
]


@pytest.fixture
def processed(
    request: pytest.FixtureRequest, prepared_installation: Installation, tmp_path: Path
) -> Iterator[tuple[Installation, int]]:
    """An installation whose rows have been processed by the default rules."""
    rows = request.param or int(os.environ.get("DATAFLOW_ROWS", "1000000"))
    path = tmp_path / f"{SOURCE}.csv"
    with path.open("w") as file:
        file.write("id,date,value,category\n")
        for number in range(rows):
            value = f"{number % 997}.25"
            match number % 100:
                case 50:
                    value = "n/a"
                case 7 | 57:
                    value = ""
                case 31 if number % 500 == 31:
                    value = "1e6"
            file.write(f"{number:07},2026-01-{number % 28 + 1:02},{value}, C{number % 9} \n")
    with copied(prepared_installation, tmp_path / "installed") as made:
        made.environment["DATAFLOW_BATCH_ROWS"] = str(min(rows // 4, 10_000))
        timed(made, "ingest", str(path), "--json")
        timed(made, "process", "--source", SOURCE, "--json")
        yield made, rows


def timed(at: Installation, *arguments: str) -> str:
    """What a command prints; how long it takes is said."""
    began = time.monotonic()
    printed = at.manage(*arguments)
    sys.stdout.write(f"{arguments[0]}: {time.monotonic() - began:.1f} s: {printed[:300].strip()}\n")
    sys.stdout.flush()
    return printed


def digests(at: Installation) -> tuple[str, str]:
    """Of the records, and of what their results say."""
    of_source = ("digest", "--source", SOURCE)
    return timed(at, *of_source), timed(at, *of_source, "--results")


def happened(at: Installation, version: int) -> dict[str, dict[str, int]]:
    """What became another one by a version of the rules, counted from the results themselves."""
    pairs = (
        "FROM processing_results AS new JOIN processing_results AS old "
        "ON old.record_id = new.record_id AND NOT old.current AND new.current "
        "JOIN rule_sets AS rules ON rules.id = new.rule_set_id "
        f"WHERE rules.version = {version} AND old.id = (SELECT MAX(id) FROM processing_results "
        "AS former WHERE former.record_id = new.record_id AND NOT former.current)"
    )

    def count(condition: str) -> int:
        return int(at.rows(f"SELECT COUNT(*) {pairs} AND {condition}")[0][0])

    both = at.rows(
        f"SELECT old.processed_data, new.processed_data {pairs} AND old.success AND new.success"
    )
    return {
        "failing": {
            "newly": count("old.success AND NOT new.success"),
            "no_longer": count("new.success AND NOT old.success"),
            "another_reason": count("NOT new.success AND NOT old.success"),
        },
        "changed": {
            "records": count("TRUE"),
            "cells": sum(cells_that_differ(*map(as_cells, pair)) for pair in both),
        },
        "anomalies": {
            "newly": count("new.anomaly IS NOT NULL AND old.anomaly IS NULL"),
            "no_longer": count("old.anomaly IS NOT NULL AND new.anomaly IS NULL"),
        },
    }


def as_cells(stored: Any) -> dict[str, Any]:
    cells: dict[str, Any] = json.loads(stored) if isinstance(stored, str) else dict(stored)
    assert cells.pop("processed_timestamp") > 0
    return cells


def cells_that_differ(old: dict[str, Any], new: dict[str, Any]) -> int:
    return sum(old.get(name, "") != new.get(name, "") for name in old.keys() | new.keys())


def switched_on(at: Installation, version: int, rules: Path, *options: str) -> dict[str, Any]:
    """Dry run rules, switch them on, reprocess what changes: the forecast, which came true."""
    forecast = json.loads(timed(at, "rehearse", str(rules), "--source", SOURCE, "--json"))
    timed(at, "rules", "--source", SOURCE, *options)
    changed = ("--reprocess", "changed", "--json")
    run = json.loads(timed(at, "process", "--source", SOURCE, *changed))
    assert run["processed"] + run["failed"] == forecast["changed"]["records"]
    assert run["unchanged"] == forecast["records"] - forecast["changed"]["records"]
    found = happened(at, version)
    # How many are flagged after all is asked of all results.
    found["anomalies"]["total"] = asked(at, "anomaly IS NOT NULL")
    assert {name: forecast[name] for name in found} == found
    assert forecast["failed"] == asked(at, "NOT success")
    assert forecast["processed"] == asked(at, "success")
    assert counters(at, SOURCE) == recounted(at, SOURCE)
    return forecast


def asked(at: Installation, condition: str) -> int:
    """How many current results are like that."""
    sql = f"SELECT COUNT(*) FROM processing_results WHERE current AND {condition}"
    return int(at.rows(sql)[0][0])


@pytest.mark.parametrize(
    "processed",
    [
        pytest.param(4_000, marks=pytest.mark.cluster, id="short"),
        pytest.param(None, marks=pytest.mark.long, id="long"),
    ],
    indirect=True,
)
def test_what_a_changed_rule_does_is_what_was_forecast_and_can_be_taken_back(
    processed: tuple[Installation, int], tmp_path: Path
) -> None:
    at, rows = processed
    before = digests(at)
    former, draft = tmp_path / "former.json", tmp_path / "draft.json"
    former.write_text(at.manage("rules", "--source", SOURCE))
    draft.write_text(json.dumps(DRAFT))
    forecast = switched_on(at, 2, draft, "--save", str(draft))
    hundredth = rows // 100
    assert forecast["failed"] == forecast["failing"]["newly"] == hundredth
    assert forecast["failing"]["no_longer"] == 2 * hundredth
    assert forecast["anomalies"]["newly"] == rows // 500
    (renamed,) = [group for group in forecast["rules"] if group["rule"] == "replace"]
    assert renamed["cells"] == forecast["changed"]["cells"] > rows // 10
    records, results = digests(at)
    assert records == before[0]
    assert results != before[1]
    back = switched_on(at, 3, former, "--back-to", "1")
    assert back["failing"] == {
        "newly": 2 * hundredth,
        "no_longer": hundredth,
        "another_reason": 0,
    }
    assert back["changed"] == forecast["changed"]
    assert digests(at) == before
