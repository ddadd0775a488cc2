"""`manage.py check_counts`, and that the counters are exact whatever happens to records."""

import json
import re
from datetime import UTC, date, datetime

import pytest
from django.core.management import call_command
from django.db import transaction
from hypothesis import given, settings

from explore.metrics.record_counts import totals
from records.models import DataRecord, RecordCount
from records.store import WrongCount, check_counts
from tests.landed import land, process_all, sale
from tests.mixtures import STEPS, take

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
    assert checked(capsys) == ("All counters are correct (0 records).\n", 0)
    land("shop", {"1": sale(1)}, timestamp=None)
    assert checked(capsys) == ("All counters are correct (1 records).\n", 0)
    output, status = checked(capsys, "--json")
    assert (json.loads(output), status) == ({"records": 1, "wrong": [], "repaired": False}, 0)


def test_wrong_counters_are_named_and_stay(capsys, wrong):
    output, status = checked(capsys)
    assert status == 1
    assert output.splitlines() == [
        "3 counters are wrong; use --repair to correct them:",
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
    assert output.startswith("3 counters have been corrected:")
    assert check_counts() == []
    assert (totals().total, totals().failed, totals().processed) == (3, 1, 2)


def test_of_many_wrong_counters_the_first_are_named(capsys):
    RecordCount.objects.bulk_create(
        RecordCount(source=f"s{n}", day="2026-01-01", status="raw", count=1) for n in range(30)
    )
    output, _ = checked(capsys)
    assert re.search(r"\.\.\. and 10 more\n$", output)


@settings(max_examples=40)
@given(steps=STEPS)
def test_counters_equal_full_counts_after_any_mixture_of_work(db, tmp_path, steps):
    with transaction.atomic():
        for step in steps:
            take(step, tmp_path / "s.csv")
            assert check_counts() == []
        assert totals().total == DataRecord.objects.count()
        transaction.set_rollback(True)
