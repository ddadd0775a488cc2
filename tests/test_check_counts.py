"""`manage.py check_counts`, and that the counters are exact whatever happens to records."""

import json
import re
from datetime import UTC, date, datetime

import pytest
from django.core.management import call_command
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion import undo
from records import store
from records.models import DataRecord, IngestionRun, RecordCount, RunState
from records.stats import totals
from records.store import WrongCount, check_counts
from tests.factories import WORKER, load, process
from tests.landed import land, process_all, sale

pytestmark = pytest.mark.django_db


def checked(capsys, *arguments: str) -> tuple[str, int]:
    status = 0
    try:
        call_command("check_counts", *arguments)
    except SystemExit as error:
        status = int(error.code or 0)
    return capsys.readouterr().out, status


@pytest.fixture
def wrong() -> list[WrongCount]:
    """Three counters that are wrong: one too high, one missing, one without records."""
    land("shop", {"1": sale(1), "2": {"id": "2"}}, timestamp=datetime(2026, 3, 1, 23, tzinfo=UTC))
    land("shop", {"3": sale(3)}, timestamp=None)
    process_all()
    RecordCount.objects.filter(status="processed", day="2026-03-01").update(count=7)
    RecordCount.objects.filter(status="failed").delete()
    RecordCount.objects.create(source="gone", day="2026-01-01", status="raw", count=4)
    return [
        WrongCount("gone", date(2026, 1, 1), "raw", 4, 0),
        WrongCount("shop", date(2026, 3, 1), "failed", 0, 1),
        WrongCount("shop", date(2026, 3, 1), "processed", 7, 1),
    ]


def test_right_counters_are_said_to_be_right(capsys):
    assert checked(capsys) == ("All counters are right: 0 records.\n", 0)
    land("shop", {"1": sale(1)}, timestamp=None)
    assert checked(capsys) == ("All counters are right: 1 records.\n", 0)
    output, status = checked(capsys, "--json")
    assert (json.loads(output), status) == ({"records": 1, "wrong": [], "repaired": False}, 0)


def test_wrong_counters_are_named_and_stay(capsys, wrong):
    output, status = checked(capsys)
    assert status == 1
    assert output.splitlines() == [
        "3 counters are wrong; --repair repairs them:",
        "  gone, 2026-01-01, raw: 4 instead of 0",
        "  shop, 2026-03-01, failed: 0 instead of 1",
        "  shop, 2026-03-01, processed: 7 instead of 1",
    ]
    assert check_counts() == wrong
    facts = json.loads(checked(capsys, "--json")[0])
    assert facts["wrong"][0] == {
        "source": "gone", "day": "2026-01-01", "status": "raw", "stored": 4, "counted": 0,
    }  # fmt: skip


def test_repaired_counters_are_right(capsys, wrong):
    output, status = checked(capsys, "--repair")
    assert status == 0
    assert output.startswith("3 counters have been repaired:")
    assert check_counts() == []
    assert (totals().total, totals().failed, totals().processed) == (3, 1, 2)


def test_of_many_wrong_counters_the_first_are_named(capsys):
    RecordCount.objects.bulk_create(
        RecordCount(source=f"s{n}", day="2026-01-01", status="raw", count=1) for n in range(30)
    )
    output, _ = checked(capsys)
    assert re.search(r"\.\.\. and 10 more\n$", output)


KEYS = st.integers(0, 5)
DAYS = st.sampled_from(["2026-03-01", "2026-03-02T23:59:59", "", "never"])
ROWS = st.lists(st.tuples(KEYS, DAYS, st.sampled_from(["1", "x", ""])), min_size=1, max_size=6)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ingest"), ROWS),
        st.tuples(st.just("process"), st.integers(1, 4)),
        st.tuples(st.just("undo"), st.integers(0, 5)),
        st.tuples(st.just("edit"), st.tuples(KEYS, st.sampled_from("xyz"))),
        st.tuples(st.just("requeue"), st.sets(KEYS)),
        st.tuples(st.just("delete"), st.sets(KEYS, max_size=3)),
    ),
    max_size=12,
)


@settings(max_examples=40)
@given(steps=STEPS)
def test_counters_equal_full_counts_after_any_mixture_of_work(db, tmp_path, steps):
    with transaction.atomic():
        for step, argument in steps:
            if step == "ingest":
                path = tmp_path / "s.csv"
                rows = "".join(f"{key},{day},{value}\n" for key, day, value in argument)
                path.write_text(f"id,date,value\n{rows}")
                run = load(path, "s", id=["id"], timestamp=["date"], value=["value"])
                assert run.state == RunState.FINISHED, run.error
            elif step == "process":
                process(limit=argument)
            elif step == "undo":
                runs = IngestionRun.objects.filter(state=RunState.FINISHED).order_by("pk")
                if taken := list(runs)[argument : argument + 1]:
                    undo.undo(undo.create_undo(run=taken[0], how="test").pk, WORKER)
            elif step == "edit":
                record_id = f"s:{argument[0]}"
                if DataRecord.objects.filter(pk=record_id).exists():
                    store.edit_record(record_id=record_id, data={"id": argument[1]}, user=None)
            elif step == "requeue":
                store.requeue_records(ids=[f"s:{key}" for key in argument])
            else:
                store.delete_records(ids=[f"s:{key}" for key in argument])
            assert check_counts() == []
        assert totals().total == DataRecord.objects.count()
        transaction.set_rollback(True)
