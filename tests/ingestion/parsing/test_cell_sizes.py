"""Rules can't make cells, records or batches so large that they fill the memory."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from processing.engine import pipeline
from processing.engine.trial import try_out
from processing.jobs import process as processing_runs
from processing.jobs.rule_report import examine_rules
from processing.rules.size import (
    CELL_TOO_LONG,
    MAX_BATCH_CHARACTERS,
    MAX_RECORD_CHARACTERS,
    RECORD_TOO_LONG,
    BatchTooLarge,
)
from records import store
from records.jobs.runner import work_on
from records.models import ProcessingBatch, ProcessingResult, Selection, Source
from records.rows import MAX_CELL_CHARACTERS, RawRecord
from tests.factories import WORKER
from tests.landed import land, process_all, sale

ROOT = Path(__file__).parents[3]
DOUBLE = [
    step
    for _ in range(15)
    for step in (
        {"rule": "combine", "columns": ["a"], "into": "b"},
        {"rule": "combine", "columns": ["a", "b"], "into": "a", "separator": ""},
    )
]
MESSAGE = f"Data validation failed: 'a' {CELL_TOO_LONG}."


def run(rows, rules):
    records = [RawRecord(f"s:{place}", 1, row) for place, row in enumerate(rows)]
    return pipeline.run(records, rules, {}, 0.0)


def test_a_record_whose_cells_are_doubled_again_and_again_fails_by_the_step_that_did_it():
    (outcome,) = run([{"a": "x" * 1_000}], DOUBLE)
    assert outcome.error_message == MESSAGE
    (error,) = outcome.errors
    assert (error["rule"], error["column"]) == ("combine", "a")


def test_a_cell_of_exactly_the_limit_passes():
    half = MAX_CELL_CHARACTERS // 2
    step = {"rule": "combine", "columns": ["a", "b"], "into": "c", "separator": ""}
    (outcome,) = run([{"a": "x" * half, "b": "y" * half}], [step])
    assert outcome.success
    (outcome,) = run([{"a": "x" * half, "b": "y" * (half + 1)}], [step])
    assert outcome.error_message == f"Data validation failed: 'c' {CELL_TOO_LONG}."


@pytest.mark.parametrize(
    ("cell", "step"),
    [
        ("ΐ", {"rule": "text", "column": "a", "upper": True}),
        ("\u0958", {"rule": "text", "column": "a", "normalize": True}),
    ],
)
def test_letters_that_become_several_make_no_cell_too_long_either(cell, step):
    (outcome,) = run([{"a": cell * (MAX_CELL_CHARACTERS // 2 + 1)}], [step])
    assert outcome.error_message == MESSAGE
    assert outcome.errors[0]["rule"] == "text"


def test_a_record_of_very_many_long_cells_fails():
    rules = [{"rule": "combine", "columns": ["a"], "into": f"c{n}"} for n in range(40)]
    (outcome,) = run([{"a": "x" * 1_000_000}], rules)
    assert outcome.errors[0]["message"] == RECORD_TOO_LONG
    assert outcome.errors[0]["column"] == f"c{MAX_RECORD_CHARACTERS // 1_000_000}"


def test_what_repairs_keep_counts_as_well():
    allowed = {"rule": "allowed", "column": "b", "values": ["x"], "on_failure": "empty"}
    rules = [{"rule": "combine", "columns": ["a"], "into": "b"}, allowed] * 30
    (outcome,) = run([{"a": "x" * 1_000_000}], rules)
    assert outcome.errors[0]["message"] == RECORD_TOO_LONG


def test_what_becomes_of_a_record_does_not_depend_on_those_beside_it():
    rules = [{"rule": "combine", "columns": ["a"], "into": f"c{n}"} for n in range(20)]
    rows = [{"a": "x" * 900_000}, {"a": "y"}]
    together = run(rows, rules)
    assert [outcome.error_message for outcome in together] == [
        outcome.error_message for row in rows for outcome in run([row], rules)
    ]
    assert [outcome.success for outcome in together] == [False, True]


def test_a_batch_that_becomes_too_large_is_not_made():
    with pytest.raises(BatchTooLarge):
        run([{"a": "x" * 2_000}] * 200, DOUBLE[:18])


MEASURE = """
import json, sys
from pathlib import Path
from processing.engine import pipeline
from processing.rules.size import BatchTooLarge
from records.rows import RawRecord
DOUBLE = json.loads(sys.argv[1])
records = [RawRecord(f"s:{n}", 1, {"a": "x" * 2_000}) for n in range(10_000)]
def made(part):
    try:
        return sum(not outcome.success for outcome in pipeline.run(part, DOUBLE, {}, 0.0))
    except BatchTooLarge:
        return made(part[: len(part) // 2]) + made(part[len(part) // 2 :])
print(made(records[:600]), Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""


def test_memory_stays_flat_while_cells_are_doubled():
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, json.dumps(DOUBLE)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-1_000:]
    failed, kilobytes = map(int, done.stdout.split())
    assert failed == 600
    assert kilobytes < 500 << 10


@pytest.mark.django_db
def test_trial_dry_run_and_run_say_the_same(settings):
    settings.BATCH_ROWS = 50
    rows = {str(n): sale(n, a="x" * (1_000 if n % 5 else 10)) for n in range(60)}
    land("shop", rows)
    process_all()
    source = Source.objects.get(name="shop")
    # Long enough ones fail; of the others the batch is too large to be in memory at once.
    rules = [
        *DOUBLE[:22],
        *({"rule": "combine", "columns": ["a"], "into": f"c{n}"} for n in range(2)),
    ]
    assert MAX_BATCH_CHARACTERS < 48 * 1_000_000
    tried = try_out([(f"shop:{key}", row) for key, row in rows.items()], rules, 0.0)
    failing = {row.record_id for row in tried if row.message == MESSAGE}
    assert failing == {f"shop:{n}" for n in range(60) if n % 5}
    report = examine_rules(source, rules)
    assert (report["failed"], report["failing"]["newly"]) == (48, 48)
    assert [group["rule"] for group in report["rules"] if group["failing"]] == ["combine"]
    store.save_rule_set(source=source, rules=rules)
    made = processing_runs.create_run(trigger="test", source_name="shop", selection=Selection.ALL)
    done = work_on(made, WORKER)
    assert done is not None
    assert (done.processed, done.failed, done.error) == (12, 48, "")
    results = ProcessingResult.objects.filter(current=True)
    assert set(results.filter(error_message=MESSAGE).values_list("record_id", flat=True)) == failing
    assert not ProcessingBatch.objects.exists()


@pytest.mark.django_db
def test_results_that_are_large_together_are_saved_in_parts(settings):
    settings.BATCH_ROWS = 200
    land("shop", {str(n): sale(n, a=f"{n % 10}" * 2_000) for n in range(100)})
    source = Source.objects.get(name="shop")
    # All of it is looked through for repeated cells first, which is too much at once as well.
    rules = [*DOUBLE[:16], {"rule": "unique", "columns": ["id", "a"]}]
    store.save_rule_set(source=source, rules=rules)
    process_all()
    results = ProcessingResult.objects.filter(current=True, success=True)
    assert results.count() == 100
    lengths = {len((result.processed_data or {})["a"]) for result in results[:5]}
    assert lengths == {2_000 * 2**8}
