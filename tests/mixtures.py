"""Anything that may happen to the records of a source, in any order, for property tests."""

from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from ingestion.loading import undo
from records import store
from records.jobs.runner import work_on
from records.models import DataRecord, IngestionRun, RunState
from tests.factories import WORKER, load, process

KEYS = st.integers(0, 5)
DAYS = st.sampled_from(["2026-03-01", "2026-03-02T23:59:59", "", "never"])
ROWS = st.lists(st.tuples(KEYS, DAYS, st.sampled_from(["1", "x", ""])), min_size=1, max_size=6)
STEP = st.one_of(
    st.tuples(st.just("ingest"), ROWS),
    st.tuples(st.just("process"), st.integers(1, 4)),
    st.tuples(st.just("undo"), st.integers(0, 5)),
    st.tuples(st.just("edit"), st.tuples(KEYS, st.sampled_from("xyz"))),
    st.tuples(st.just("requeue"), st.sets(KEYS)),
    st.tuples(st.just("delete"), st.sets(KEYS, max_size=3)),
)
STEPS = st.lists(STEP, max_size=12)


def take(step: tuple[str, Any], path: Path) -> None:
    """Do one step; what is ingested is written to ``path`` first."""
    kind, argument = step
    if kind == "ingest":
        rows = "".join(f"{key},{day},{value}\n" for key, day, value in argument)
        path.write_text(f"id,date,value\n{rows}")
        run = load(path, "s", id=["id"], timestamp=["date"], value=["value"])
        assert run.state == RunState.FINISHED, run.error
    elif kind == "process":
        process(limit=argument)
    elif kind == "undo":
        runs = IngestionRun.objects.filter(state=RunState.FINISHED).order_by("pk")
        if taken := list(runs)[argument : argument + 1]:
            work_on(undo.create_undo(run=taken[0], trigger="test"), WORKER)
    elif kind == "edit":
        record_id = f"s:{argument[0]}"
        if DataRecord.objects.filter(pk=record_id).exists():
            store.edit_record(record_id=record_id, data={"id": argument[1]}, user=None)
    elif kind == "requeue":
        store.requeue_records(ids=[f"s:{key}" for key in argument])
    else:
        store.delete_records(ids=[f"s:{key}" for key in argument])
