"""Dry runs: what they say is what loading then does."""

import itertools
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ingestion.loading import dry_runs, runs
from ingestion.loading.dry_runs import examine
from ingestion.parsing.preparation import Prepared, prepare
from records.jobs.runner import work_on
from records.jobs.sweep import wake_stalled
from records.models import DataRecord, DryRun, IngestionRun, RunState, Source
from tests.factories import WORKER, load

pytestmark = pytest.mark.django_db

NUMBERS = itertools.count()
LEDGER = ("read", "created", "updated", "unchanged", "rejected")


def draft(path, source="shop", **roles) -> IngestionRun:
    return runs.create_run(
        path=path, file_name=path.name, trigger="upload", source_name=source, roles=roles,
        state=RunState.DRAFT,
    )  # fmt: skip


def write(path, *lines):
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def file(tmp_path):
    return write(tmp_path / "a.csv", "id,date,value", "1,2025-01-02,5", "2,2025-01-03,x", "3")


def carried_out(dry: DryRun) -> DryRun:
    done = work_on(dry, WORKER)
    assert done is not None
    return done


def examined(run, on_conflict="update"):
    return examine(run, on_conflict=on_conflict)


def test_a_dry_run_reports_and_lands_nothing(file):
    run = draft(file)
    dry = dry_runs.start(run, on_conflict="update")
    done = carried_out(dry)
    assert (done.state, done.error) == ("finished", "")
    assert {name: done.report[name] for name in LEDGER} == {
        "read": 3, "created": 2, "updated": 0, "unchanged": 0, "rejected": 1,
    }  # fmt: skip
    (reason,) = done.report["reasons"]
    assert (reason["code"], reason["count"]) == ("too_few_cells", 1)
    assert reason["examples"][0]["row"] == "3"
    assert [c["looks_like"] for c in done.report["profile"]] == ["id", "date", "id"]
    run.refresh_from_db()
    assert run.state == "draft"
    assert len(run.sha256) == 64
    assert not DataRecord.objects.exists()
    assert Source.everything.get().mapping == {}


def test_updated_cells_are_shown_as_they_are_and_as_they_would_be(file, tmp_path):
    load(file, "shop")
    again = write(tmp_path / "b.csv", "id,date,value", "1,2025-01-02,6", "2,2025-01-03,x")
    report = examined(draft(again))
    assert (report["updated"], report["unchanged"]) == (1, 1)
    assert report["changes"] == [
        {"id": "shop:1", "line": 2, "cells": [["value", "5", "6"]], "more": 0}
    ]


def test_an_input_that_lacks_a_mapped_column_ends_the_dry_run_as_failed(file, tmp_path):
    load(file, "shop")
    run = draft(write(tmp_path / "b.csv", "id,day,value", "1,2025-01-02,6"))
    done = carried_out(dry_runs.start(run, on_conflict="update"))
    assert done.state == "failed"
    assert "has no column 'date'" in done.error


def test_a_new_dry_run_ends_the_one_before(file):
    run = draft(file)
    first = dry_runs.start(run, on_conflict="update")
    dry_runs.start(run, on_conflict="keep")
    first.refresh_from_db()
    assert first.state == "cancelled"
    assert work_on(first, WORKER) is None


def test_a_dry_run_that_is_cancelled_meanwhile_is_left(file, monkeypatch):
    run = draft(file)
    dry = dry_runs.start(run, on_conflict="update")

    def cancel_and_prepare(*args: Any, **options: Any) -> Prepared:
        dry_runs.stop(run)
        return prepare(*args, **options)

    monkeypatch.setattr(dry_runs, "prepare", cancel_and_prepare)
    assert carried_out(dry).state == "cancelled"


def test_a_dry_run_whose_worker_is_gone_is_woken_and_done_again(file):
    run = draft(file)
    dry = dry_runs.start(run, on_conflict="update")
    DryRun.objects.filter(pk=dry.pk).update(
        state="running", worker="elsewhere:1:x", woken_at=None,
        lease_until=timezone.now() - timedelta(seconds=1),
    )  # fmt: skip
    wake_stalled("ingestion")
    dry.refresh_from_db()
    assert dry.woken_at is not None
    assert carried_out(dry).state == "finished"


def test_what_no_database_can_hold_is_reported_all_the_same(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("id,näme\n1,a\0b\n2,".encode() + b"\xff\n3,\xc3\xa4\xc3\xb6\n")
    done = carried_out(dry_runs.start(draft(path), on_conflict="update"))
    assert done.state == "finished"
    assert {r["code"] for r in done.report["reasons"]} == {"nul_character", "bad_bytes"}


cells = st.tuples(
    st.sampled_from(["", "1", "2", "3", "4"]),
    st.sampled_from(["2025-01-02", "2025-01-03", "never"]),
    st.sampled_from(["2025-02-02", ""]),
    st.sampled_from(["a", "b"]),
)
tables = st.lists(st.one_of(cells, cells.map(lambda row: row[:2])), min_size=1, max_size=12)


@hypothesis_settings(max_examples=15)
@given(
    tables=st.tuples(tables, tables),
    has_key=st.booleans(),
    times=st.tuples(*[st.sampled_from(["date", "till"])] * 3),
    batch_rows=st.integers(1, 4),
)
@pytest.mark.parametrize("policy", ["update", "keep", "reject"])
def test_what_a_dry_run_says_is_what_loading_does(
    tmp_path, settings, policy, tables, has_key, times, batch_rows
):
    settings.BATCH_ROWS = batch_rows
    source = f"shop{next(NUMBERS)}"
    Source.objects.create(name=source, on_conflict=policy)
    for number, (table, time) in enumerate(zip([*tables, tables[-1]], times, strict=True)):
        roles = {"id": ["id"] if has_key else [], "timestamp": [time]}
        path = write(tmp_path / f"{number}.csv", "id,date,till,kind", *map(",".join, table))
        report = examined(draft(path, source, **roles), policy)
        run = load(path, source, **roles)
        assert run.error == ""
        assert {name: report[name] for name in LEDGER} == {
            name: getattr(run, name) for name in LEDGER
        }


@pytest.mark.parametrize("policy", ["update", "keep", "reject"])
def test_another_column_of_time_is_reported_as_an_update_by_any_policy(tmp_path, policy):
    Source.objects.create(name="shop", on_conflict=policy)
    path = write(tmp_path / "a.csv", "id,date,till", "1,2025-01-02,2025-02-03")
    load(path, "shop", id=["id"], timestamp=["date"])
    report = examined(draft(path, "shop", timestamp=["till"]), policy)
    assert (report["updated"], report["unchanged"], report["rejected"]) == (1, 0, 0)
    assert load(path, "shop", timestamp=["till"]).updated == 1


def test_the_command_prints_what_loading_would_do_and_leaves_no_trace(file, capsys):
    call_command("ingest", str(file), "--source", "shop", "--dry-run")
    said = capsys.readouterr().out
    assert "3 read = 2 created + 0 updated + 0 unchanged + 1 rejected" in said
    assert "rejected: 1 too_few_cells, e.g. line 4" in said
    assert "column date: date, 2 filled, 0 empty, 2 distinct, 2025-01-02 to 2025-01-03" in said
    assert not Source.objects.exists()
    assert not IngestionRun.objects.exists()


def test_the_command_prints_the_report_as_json(file, capsys, tmp_path):
    load(file, "shop")
    again = write(tmp_path / "b.csv", "id,date,value", "1,2025-01-02,6", "2,2025-01-03,x")
    call_command("ingest", str(again), "--source", "shop", "--dry-run", "--json")
    report = json.loads(capsys.readouterr().out)
    assert (report["source"], report["read"], report["updated"]) == ("shop", 2, 1)
    assert report["changes"][0]["cells"] == [["value", "5", "6"]]
    assert IngestionRun.objects.count() == 1
    with pytest.raises(SystemExit) as error:
        call_command("ingest", str(again), "--source", "shop", "--id", "x", "--dry-run")
    assert error.value.code == 1
