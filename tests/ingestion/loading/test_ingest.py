"""`manage.py ingest`, from a file on disk to its ledger."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import override_settings
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ingestion.loading import runs as ingestion_runs
from records import store
from records.jobs.runner import work_on
from records.jobs.sweep import stalled
from records.models import DataRecord, IngestionRun, RejectedRow, RunState, Source
from tests.factories import WORKER, Died, load

pytestmark = pytest.mark.django_db

SALES = "id,date,amount,category\n1,2025-01-02,10.5,A\n2,2025-01-03,x,b\n"


@pytest.fixture
def sales(tmp_path) -> Path:
    path = tmp_path / "sales.csv"
    path.write_text(SALES)
    return path


def ingest(capsys, *arguments: object) -> tuple[list[dict[str, Any]], int]:
    """What the command printed with --json, and its exit status."""
    status = 0
    try:
        call_command("ingest", *map(str, arguments), "--json")
    except SystemExit as error:
        status = int(error.code or 0)
    except CommandError as error:
        status = error.returncode
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()], status


def test_a_file_lands_in_a_source_of_its_name(sales, capsys):
    (facts,), status = ingest(capsys, sales)
    assert status == 0
    assert facts.pop("seconds") >= 0
    assert facts == {
        "run": IngestionRun.objects.get().pk,
        "source": "sales",
        "file": "sales.csv",
        "state": "finished",
        "read": 2,
        "created": 2,
        "updated": 0,
        "unchanged": 0,
        "rejected": 0,
        "closed": 0,
        "reopened": 0,
        "value_cells": {"column": "amount", "filled": 2, "unread": 1, "examples": [[3, "x"]]},
    }
    assert Source.objects.get().mapping == {
        "id": ["id"],
        "timestamp": ["date"],
        "value": ["amount"],
        "category": ["category"],
        "timestamp_format": "iso",
    }


def test_the_same_file_again_creates_nothing(sales, capsys):
    ingest(capsys, sales)
    (facts,), _ = ingest(capsys, sales)
    assert (facts["created"], facts["updated"], facts["unchanged"]) == (0, 0, 2)


def test_named_columns_are_remembered_for_the_next_file(tmp_path, capsys):
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("No,When,Sum\n7,2025-01-02,1\n")
    second.write_text("No,When,Sum\n7,2025-01-02,2\n")
    ingest(capsys, first, "--source", "s", "--id", "No", "--timestamp", "When", "--value", "Sum")
    (facts,), _ = ingest(capsys, second, "--source", "s")
    assert facts["updated"] == 1
    assert DataRecord.objects.get().id == "s:7"


def test_a_column_that_the_file_lacks_stops_the_run_before_a_row_lands(sales, capsys):
    (facts,), status = ingest(capsys, sales, "--value", "Total")
    assert status == 1
    assert facts["state"] == "failed"
    assert "'Total' (value)" in facts["error"]
    assert "'amount'" in facts["error"]
    assert not DataRecord.objects.exists()
    assert Source.objects.get().mapping == {}


def test_bad_rows_are_held_with_line_and_reason_and_the_others_land(tmp_path, capsys):
    path = tmp_path / "bad.csv"
    path.write_bytes(
        b"id,value\n1,1\n2\n3,3,3\n,4\n5,a\0b\n" + "6,ü\n".encode() + b'7,\xff\n8,"x"y\n9,"open\n'
    )
    (facts,), status = ingest(capsys, path)
    assert status == 0
    assert facts["read"] == 9
    assert (facts["created"], facts["rejected"]) == (2, 7)
    assert list(RejectedRow.objects.values_list("line", "code")) == [
        (3, "too_few_cells"),
        (4, "too_many_cells"),
        (5, "missing_key"),
        (6, "nul_character"),
        (8, "bad_bytes"),
        (9, "misplaced_quote"),
        (10, "unclosed_quote"),
    ]
    assert bytes(RejectedRow.objects.get(line=8).raw) == b"7,\xff\n"


@pytest.mark.parametrize("content", [b"%PDF-1.7", b"PK\x03\x04"])
def test_a_file_that_is_no_table_is_one_clear_error(tmp_path, capsys, content):
    path = tmp_path / "odd.csv"
    path.write_bytes(content)
    (facts,), status = ingest(capsys, path)
    assert status == 1
    assert facts["error"].startswith("odd.csv can't be read: ")
    assert facts["read"] == 0


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_a_file_without_rows_is_a_finished_run_with_a_note(tmp_path, capsys, content):
    path = tmp_path / "nothing.csv"
    path.write_bytes(content)
    (facts,), status = ingest(capsys, path)
    assert (status, facts["read"]) == (0, 0)
    assert IngestionRun.objects.get().notes == ["The file has no rows."]


def test_rows_that_are_no_data_do_not_count_for_the_reject_limit(tmp_path, capsys):
    path = tmp_path / "stock.csv"
    path.write_text("id,name,n\n1,pen,2\n2,ink,3\nTotal,,5\n")
    (facts,), status = ingest(capsys, path, "--max-rejects", "0")
    assert (status, facts["created"], facts["rejected"]) == (0, 2, 1)


def test_a_database_without_tables_is_one_clear_sentence(sales, monkeypatch):
    def missing(**facts):
        raise OperationalError("no such table: sources")

    monkeypatch.setattr(ingestion_runs, "create_run", missing)
    with pytest.raises(CommandError, match=r"no such table: sources\. .*manage\.py migrate"):
        call_command("ingest", str(sales))


def test_ctrl_c_cancels_the_run_and_keeps_what_has_landed(tmp_path, capsys, settings, monkeypatch):
    settings.BATCH_ROWS = 1
    path = tmp_path / "sales.csv"
    path.write_text(SALES)
    landed = store.land

    def land_and_press(**arguments):
        landed(**arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(store, "land", land_and_press)
    (facts,), status = ingest(capsys, path, path)
    assert status == 130
    assert (facts["state"], facts["read"]) == ("cancelled", 1)
    assert DataRecord.objects.count() == 1


def test_an_encoding_that_is_named_is_taken(tmp_path, capsys):
    path = tmp_path / "cities.csv"
    path.write_bytes("id,city\n1,Łódź\n".encode("cp1250"))
    ingest(capsys, path, "--encoding", "windows-1250")
    assert DataRecord.objects.get().data["city"] == "Łódź"
    with pytest.raises(CommandError, match="'klingon' is not a valid encoding: use a name"):
        call_command("ingest", str(path), "--encoding", "klingon")


def test_a_first_file_without_rows_decides_nothing(tmp_path, capsys):
    path = tmp_path / "sales.csv"
    path.write_text(SALES.splitlines()[0])
    ingest(capsys, path)
    assert Source.objects.get().mapping == {}
    path.write_text(SALES)
    ingest(capsys, path)
    assert Source.objects.get().mapping["value"] == ["amount"]


def test_a_timestamp_that_is_named_later_reaches_the_records_that_have_landed(tmp_path, capsys):
    path = tmp_path / "visits.csv"
    path.write_text("id,from,till\n1,2025-01-02,2025-01-03\n2,2025-01-02,\n")
    ingest(capsys, path, "--timestamp", "from")
    (facts,), _ = ingest(capsys, path, "--timestamp", "till")
    assert facts["updated"] == 2
    moments = DataRecord.objects.order_by("id").values_list("timestamp", flat=True)
    assert list(moments) == [datetime(2025, 1, 3, tzinfo=UTC), None]
    (facts,), _ = ingest(capsys, path)
    assert facts["unchanged"] == 2


def test_folders_globs_and_files_are_loaded_once_each(tmp_path, capsys):
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text(SALES)
    (tmp_path / "C.CSV").write_text(SALES)
    (tmp_path / "folder.csv").mkdir()
    facts, _ = ingest(capsys, tmp_path, tmp_path / "*.csv", tmp_path / "a.csv")
    assert [fact["source"] for fact in facts] == ["C", "a", "b"]


def test_without_a_path_the_raw_folder_is_loaded(tmp_path, capsys, settings):
    settings.RAW_DIR = tmp_path
    (tmp_path / "sales.csv").write_text(SALES)
    (facts,), _ = ingest(capsys)
    assert facts["file"] == "sales.csv"


@pytest.mark.parametrize("arguments", [["nowhere.csv"], ["{sales}", "--source", "a:b"]])
def test_wrong_usage_exits_with_2(sales, capsys, arguments):
    facts, status = ingest(capsys, *(argument.format(sales=sales) for argument in arguments))
    assert (facts, status) == ([], 2)


@pytest.mark.parametrize(
    ("file_name", "source"),
    [
        ("sales.csv", "sales"),
        ("My Sales (2025).csv", "My_Sales_2025"),
        ("données.csv", "données"),
        ("...csv", "csv"),
        ("a" * 300 + ".csv", "a" * 100),
        (":::.csv", "upload"),
    ],
)
def test_any_file_name_makes_a_source_name(file_name, source):
    assert ingestion_runs.source_name_of(file_name) == source


def test_rows_without_a_key_all_survive_and_a_grown_file_adds_what_is_new(tmp_path):
    path = tmp_path / "visits.csv"
    path.write_text("who,what\nann,in\nann,in\nbob,out\n")
    assert load(path).created == 3
    path.write_text("who,what\nann,in\nann,in\nbob,out\nann,in\ncid,in\n")
    again = load(path)
    assert (again.created, again.unchanged) == (2, 3)


@pytest.fixture
def ambiguous(tmp_path) -> Path:
    path = tmp_path / "visits.csv"
    path.write_text("id,date\n1,03/04/2025\n2,05/06/2025\n")
    return path


def day_of(record: str) -> str:
    return str(DataRecord.objects.get(pk=record).timestamp)[:10]


def test_dates_that_can_be_read_two_ways_are_asked_for(ambiguous, capsys):
    (facts,), status = ingest(capsys, ambiguous)
    assert status == 1
    assert facts["error"] == (
        "The dates in 'date' are ambiguous: '03/04/2025' is 4 March 2025 as %m/%d/%Y, but "
        "3 April 2025 as %d/%m/%Y, and no other row settles it. Nothing was imported. Choose a "
        "date format and import the file again: --timestamp-format '%d/%m/%Y' on the command "
        "line, timestamp_format in the API, or Date format in the source settings."
    )
    assert facts["read"] == 0
    assert not DataRecord.objects.exists()
    assert Source.objects.get().mapping == {}
    (report,), status = ingest(capsys, ambiguous, "--dry-run")
    assert (report["error"], status) == (facts["error"], 1)


def test_how_dates_are_meant_is_remembered_once_it_was_said(ambiguous, capsys):
    (facts,), status = ingest(capsys, ambiguous, "--timestamp-format", "%d/%m/%Y")
    assert (facts["created"], status) == (2, 0)
    assert day_of("visits:1") == "2025-04-03"
    ambiguous.write_text("id,date\n3,01/02/2025\n")
    ingest(capsys, ambiguous)
    assert day_of("visits:3") == "2025-02-01"
    (report,), _ = ingest(capsys, ambiguous, "--dry-run", "--timestamp-format", "%m/%d/%Y")
    ((column, before, after),) = report["changes"][0]["cells"]
    assert (column, before[:10], after[:10]) == ("timestamp", "2025-02-01", "2025-01-02")
    # Of another column nothing is known.
    ambiguous.write_text("id,date,till\n4,01/02/2025,02/03/2025\n")
    (facts,), status = ingest(capsys, ambiguous, "--timestamp", "till")
    assert (facts["state"], status) == ("failed", 1)


@pytest.mark.parametrize("decides", [0, 1_500, 3_000])
def test_any_row_of_the_file_decides_how_dates_are_meant(tmp_path, capsys, decides):
    days = [f"{n % 12 + 1:02}/{n % 11 + 1:02}/2025" for n in range(3_001)]
    days[decides] = "25/03/2025"
    path = tmp_path / "long.csv"
    path.write_text("id,date\n" + "".join(f"{n},{day}\n" for n, day in enumerate(days)))
    (facts,), status = ingest(capsys, path)
    assert (facts["created"], status) == (3_001, 0)
    assert Source.objects.get().mapping["timestamp_format"] == "%d/%m/%Y"


def test_dates_that_mean_the_same_either_way_are_not_asked_for(tmp_path):
    path = tmp_path / "same.csv"
    path.write_text("id,date\n" + "".join(f"{n},{n % 12 + 1}/{n % 12 + 1}/25\n" for n in range(40)))
    assert load(path).created == 40
    assert day_of("same:2") == "2025-03-03"


@pytest.mark.parametrize("text", ["soon", "%H:%M", "%", "%d/%m/%Y %Q"])
def test_what_is_no_format_of_dates_is_refused(ambiguous, text):
    with pytest.raises(CommandError, match="is not a valid date format: use iso, unix") as no:
        call_command("ingest", str(ambiguous), "--timestamp-format", text)
    assert no.value.returncode == 2
    assert not IngestionRun.objects.exists()


def test_a_format_of_dates_without_dates_is_said_to_have_no_use(tmp_path):
    path = tmp_path / "s.csv"
    path.write_text("id,value\n1,2\n")
    call_command("ingest", str(path), "--timestamp-format", "iso")
    (note,) = IngestionRun.objects.get().notes
    assert note == "The date format was ignored: no timestamp column is mapped."


def test_a_killed_run_goes_on_behind_its_last_batch(tmp_path, settings, monkeypatch):
    settings.BATCH_ROWS = 10
    path = tmp_path / "long.csv"
    lines = [f"{n % 40},{n}" if n % 7 else f"{n}" for n in range(100)]
    path.write_text("\n".join(["id,value", *lines]))
    undisturbed = load(path, source="undisturbed", id=["id"])

    landed, batches = store.land, 0

    def die_in_the_fourth(**arguments):
        nonlocal batches
        batches += 1
        if batches == 4:
            raise Died
        return landed(**arguments)

    run = ingestion_runs.create_run(
        path=path, file_name="long.csv", trigger="test", source_name="killed", roles={"id": ["id"]}
    )
    monkeypatch.setattr(store, "land", die_in_the_fourth)
    with pytest.raises(Died):
        work_on(run, "the first worker")
    run.refresh_from_db()
    assert (run.state, run.read) == (RunState.RUNNING, 30)

    assert work_on(run, WORKER) is None, "its lease still runs"
    IngestionRun.objects.filter(pk=run.pk).update(lease_until=run.started_at)
    done = work_on(run, WORKER)
    assert done is not None
    for count in ("read", "created", "updated", "unchanged", "rejected"):
        assert getattr(done, count) == getattr(undisturbed, count)
    assert done.state == RunState.FINISHED
    assert content_of("killed") == content_of("undisturbed")


def content_of(source: str) -> list[tuple[Any, ...]]:
    records = DataRecord.objects.of_source(source).values_list("id", "data", "version", "line")
    return [(key.split(":")[1], data, version, line) for key, data, version, line in records]


def test_a_run_is_not_taken_up_again_on_another_file(sales):
    run = ingestion_runs.create_run(path=sales, file_name="sales.csv", trigger="test")
    assert work_on(run, WORKER) is not None
    IngestionRun.objects.filter(pk=run.pk).update(state=RunState.QUEUED)
    sales.write_text(SALES.replace("10.5", "11.5"))
    again = work_on(run, WORKER)
    assert again is not None
    assert again.state == RunState.FAILED
    assert "has changed since" in again.error


def test_a_run_that_waits_is_woken_again(sales):
    run = ingestion_runs.create_run(path=sales, file_name="sales.csv", trigger="test")
    assert stalled(IngestionRun) == [run]
    assert stalled(IngestionRun) == [], "it was woken just now"


@hypothesis_settings(max_examples=40)
@given(
    rows=st.lists(
        st.one_of(
            st.tuples(st.sampled_from("abcd"), st.text("xy", max_size=2)).map(",".join),
            st.sampled_from(["a", "a,b,c", ",x", 'a,"x"y', "a,\0", "b,\udcff"]),
        ),
        max_size=30,
    ),
    size=st.integers(1, 10),
)
def test_every_row_is_in_the_ledger_once(db, tmp_path, rows, size):
    store.delete_records(ids=list(DataRecord.objects.values_list("id", flat=True)))
    path = tmp_path / "any.csv"
    path.write_bytes("\n".join(["id," + "ä" * 200, *rows]).encode("utf-8", "surrogateescape"))
    with override_settings(BATCH_ROWS=size):
        run = load(path, id=["id"])
    assert run.state == RunState.FINISHED
    assert run.read == len(rows)
    assert run.rejected == run.rejected_rows.count()
    assert run.created == DataRecord.objects.count()
    assert b"".join(
        bytes(raw) for raw in run.rejected_rows.values_list("raw", flat=True)
    ).splitlines() == [
        row.encode("utf-8", "surrogateescape")
        for row in rows
        if row in ("a", "a,b,c", ",x", 'a,"x"y', "a,\0", "b,\udcff")
    ]
