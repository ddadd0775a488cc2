"""What becomes of a key that comes back with other content, and of too many rejected rows."""

import pytest
from django.core.management import CommandError, call_command

from ingestion.errors import InvalidLimit, TooManyRejects
from ingestion.loading import runs as ingestion_runs
from ingestion.loading.reject_limit import check_limit, check_rejects
from records.jobs.runner import work_on
from records.models import DataRecord, IngestionRun, RecordVersion, RejectedRow, RunState, Source
from tests.factories import WORKER, counted, load, recounted

pytestmark = pytest.mark.django_db


def load_twice(tmp_path, policy: str) -> IngestionRun:
    Source.objects.create(name="s", on_conflict=policy)
    path = tmp_path / "s.csv"
    path.write_text("id,value\n1,a\n2,b\n3,c\n")
    load(path, source="s", id=["id"])
    path.write_text("id,value\n1,a\n2,B\n4,d\n")
    return load(path, source="s", id=["id"])


def ledger(run: IngestionRun) -> tuple[int, ...]:
    return run.read, run.created, run.updated, run.unchanged, run.rejected


def values() -> dict[str, str]:
    return {record.id: record.data["value"] for record in DataRecord.objects.all()}


def test_by_default_the_record_is_updated_and_its_former_content_kept(tmp_path):
    assert ledger(load_twice(tmp_path, "update")) == (3, 1, 1, 1, 0)
    assert values()["s:2"] == "B"
    assert RecordVersion.objects.get().data["value"] == "b"


def test_a_source_that_keeps_takes_the_row_as_unchanged(tmp_path):
    assert ledger(load_twice(tmp_path, "keep")) == (3, 1, 0, 2, 0)
    assert values() == {"s:1": "a", "s:2": "b", "s:3": "c", "s:4": "d"}
    assert not RecordVersion.objects.exists()


def test_a_source_that_rejects_holds_the_row_with_its_bytes(tmp_path):
    assert ledger(load_twice(tmp_path, "reject")) == (3, 1, 0, 1, 1)
    assert values()["s:2"] == "b"
    held = RejectedRow.objects.get()
    assert (held.line, held.code, bytes(held.raw)) == (3, "key_conflict", b"2,B\n")
    assert "'2'" in held.message
    assert counted() == recounted()


@pytest.mark.parametrize("policy", ["keep", "reject"])
def test_a_key_that_stands_twice_in_a_file_keeps_its_first_row(tmp_path, policy):
    Source.objects.create(name="s", on_conflict=policy)
    path = tmp_path / "s.csv"
    path.write_text("id,value\n1,a\n1,b\n1,a\n")
    run = load(path, source="s", id=["id"])
    assert values() == {"s:1": "a"}
    assert run.created == 1
    assert run.rejected == (1 if policy == "reject" else 0)


@pytest.mark.parametrize("policy", ["update", "keep", "reject"])
def test_a_column_of_time_that_is_named_later_reaches_the_records_by_any_policy(tmp_path, policy):
    Source.objects.create(name="s", on_conflict=policy)
    path = tmp_path / "s.csv"
    path.write_text("id,on,till\n1,2025-01-02,2025-01-03\n")
    load(path, source="s", id=["id"], timestamp=["on"])
    run = load(path, source="s", id=["id"], timestamp=["till"])
    assert (run.updated, run.rejected) == (1, 0)
    moment = DataRecord.objects.get().timestamp
    assert moment is not None
    assert moment.day == 3


def test_a_run_stops_at_more_rejected_rows_than_it_may_have(tmp_path, settings):
    settings.BATCH_ROWS = 2
    path = tmp_path / "s.csv"
    path.write_text("id,value\n" + "1\n" * 3 + "".join(f"{n},x\n" for n in range(10)))
    run = ingestion_runs.create_run(path=path, file_name="s.csv", trigger="test", max_rejects="2")
    done = work_on(run, WORKER)
    assert done is not None
    assert done.state == RunState.FAILED
    assert done.error.startswith("Stopped: 3 of ")
    assert RejectedRow.objects.count() == 3
    assert 0 < done.read < 13


def test_the_command_takes_a_limit_as_a_share(tmp_path, capsys):
    path = tmp_path / "s.csv"
    path.write_text("id,value\n1\n2,x\n3,y\n")
    with pytest.raises(SystemExit):
        call_command("ingest", str(path), "--max-rejects", "33%")
    assert "limit is 33%" in capsys.readouterr().err
    call_command("ingest", str(path), "--max-rejects", "34 %")
    with pytest.raises(CommandError, match="'few' is not a valid reject limit"):
        call_command("ingest", str(path), "--max-rejects", "few")


@pytest.mark.parametrize("text", ["-1", "101%", "1.5", "٣", "%", "1e3", "1%%"])
def test_a_limit_that_is_none_is_refused(text):
    with pytest.raises(InvalidLimit):
        check_limit(text)


def test_a_share_is_asked_for_when_it_says_something():
    check_rejects("10%", rejected=5, read=10, at_end=False)
    with pytest.raises(TooManyRejects):
        check_rejects("10%", rejected=5, read=10, at_end=True)
    with pytest.raises(TooManyRejects):
        check_rejects("10%", rejected=500, read=1_000, at_end=False)
    check_rejects("", rejected=500, read=500, at_end=True)


def test_what_is_said_about_reading_is_taken_by_the_command(tmp_path):
    path = tmp_path / "s.txt"
    path.write_text("made by hand\n1~a\n2~b;c\n")
    call_command("ingest", str(path), "--delimiter", "~", "--header", "none", "--skip", "1")
    assert [r.data for r in DataRecord.objects.order_by("line")] == [
        {"column_1": "1", "column_2": "a"},
        {"column_1": "2", "column_2": "b;c"},
    ]
    with pytest.raises(CommandError, match="use one character"):
        call_command("ingest", str(path), "--delimiter", "ab")
