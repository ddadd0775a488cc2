"""Dates, time zones and what a person is told of them, from a file to its records."""

import json
from datetime import date

import pytest
from django.core.management import CommandError, call_command

from explore.metrics import record_counts
from records.models import DataRecord, IngestionRun, Source
from tests.factories import load

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path):
    def written(text, name="times.csv"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return written


def moments(source="times"):
    return [
        f"{record.timestamp:%Y-%m-%d %H:%M:%S}" if record.timestamp else None
        for record in DataRecord.objects.filter(source=source).order_by("id")
    ]


def test_a_column_may_name_the_zone_of_each_row(file):
    run = load(
        file(
            "Transaction,Date,Time,TimeZone\n"
            "1,01/15/2024,23:22:11,PST\n2,07/17/2024,23:22:11,PDT\n3,07/18/2024,10:00:00,CST\n"
        ),
        id=["Transaction"],
    )
    assert moments() == ["2024-01-16 07:22:11", "2024-07-18 06:22:11", None]
    assert run.mapping["timestamp_zone_column"] == "TimeZone"
    assert "The times are read in the time zones that the column 'TimeZone' names." in run.notes
    assert any(
        note.startswith("Warning: rows with the time zone 'CST', which may be US Central")
        for note in run.notes
    )
    # It is remembered.
    load(file("Transaction,Date,Time,TimeZone\n1,01/15/2024,23:22:11,EST\n"))
    assert moments()[0] == "2024-01-16 04:22:11"


def test_a_source_may_have_a_time_zone_of_its_own(file):
    path = file("id,when\n1,2024-07-01 12:00\n2,2024-07-01T12:00Z\n3,2024-10-27 02:30\n")
    call_command("ingest", str(path), "--timestamp-zone", "Europe/Vienna", "--json")
    assert moments() == ["2024-07-01 10:00:00", "2024-07-01 12:00:00", "2024-10-27 00:30:00"]
    assert Source.objects.get().mapping["timestamp_zone"] == "Europe/Vienna"
    notes = IngestionRun.objects.get().notes
    assert any("exist twice: 1, the first in line 4" in note for note in notes)


def test_what_is_no_time_zone_is_refused(file):
    with pytest.raises(CommandError, match="'Middle/Earth' is not a time zone"):
        call_command("ingest", str(file("id\n1\n")), "--timestamp-zone", "Middle/Earth")


def test_a_column_of_zones_that_is_missing_is_named(file):
    run = load(file("id,when\n1,2024-07-01 12:00\n"))
    call_command("ingest", run.path, "--timestamp-zone-column", "when")
    with pytest.raises(SystemExit):
        call_command("ingest", run.path, "--timestamp-zone-column", "nope")
    assert "no column 'nope' (time zone)" in IngestionRun.objects.latest("pk").error


def test_times_that_exist_twice_are_told_apart_by_their_order(file):
    hours = ["01:30", "02:00", "02:30", "02:00", "02:30", "03:00"]
    rows = "".join(f"{n},2024-10-27 {hour}\n" for n, hour in enumerate(hours))
    path = file("id,when\n" + rows)
    call_command("ingest", str(path), "--timestamp-zone", "Europe/Vienna")
    assert [moment[11:16] for moment in moments()] == [
        "23:30", "00:00", "00:30", "01:00", "01:30", "02:00",
    ]  # fmt: skip
    assert not any("twice" in note for note in IngestionRun.objects.get().notes)


def test_a_saved_format_that_no_longer_fits_is_asked_for(file):
    load(file("id,day\n1,15.01.2024\n2,16.01.2024\n"))
    run = load(file("id,day\n3,2024-01-17\n4,2024-01-18\n"))
    assert run.error.startswith(
        "The dates in 'day' don't fit the date format of the source, %d.%m.%Y: '2024-01-17' is no "
        "such date, but 17 January 2024 as iso. Nothing was imported."
    )
    assert moments() == ["2024-01-15 00:00:00", "2024-01-16 00:00:00"]


def test_a_saved_format_that_fits_in_part_is_told(file):
    load(file("id,day\n1,15.01.2024\n"))
    run = load(file("id,day\n2,16.01.2024\n3,2024-01-17\n"))
    assert run.notes[-1] == (
        "Warning: rows with an unreadable timestamp: 1, the first in line 3. They are imported "
        "without a timestamp."
    )


def test_an_unknown_format_and_dates_without_a_role_are_told(file):
    run = load(file("id,when\n1,soon\n2,later\n"), timestamp=["when"])
    assert "Warning: the dates in 'when' have an unknown format; none was read." in run.notes
    run = load(file("id,when\n1,2024-01-05\n", "other.csv"), timestamp=[])
    assert any("'when' holds dates" in note for note in run.notes)


def test_bare_digits_are_told_as_they_are_read(file):
    run = load(file("id,timestamp\n1,20240115102211\n2,20240115102212\n"))
    assert moments() == ["2024-01-15 10:22:11", "2024-01-15 10:22:12"]
    assert run.notes[0] == (
        "'20240115102211' in 'timestamp' is read as 15 January 2024, 10:22:11 (%Y%m%d%H%M%S)."
    )


def test_days_that_stand_for_an_unknown_date_are_dates(file):
    run = load(file("id,day\n1,2024-01-05\n2,0001-01-01\n3,9999-12-31\n4,0001-01-01\n"))
    assert moments()[0] == "2024-01-05 00:00:00"
    assert None not in moments()
    days = record_counts.by_day("times")
    assert (days.dated[date(1, 1, 1)].raw, days.undated.raw) == (2, 0)
    assert run.notes[-1] == (
        "Dates that often stand for an unknown one: 0001-01-01 (2), 9999-12-31 (1). They count as "
        "dates."
    )


def test_the_dry_run_tells_the_same(file, capsys):
    path = file("id,when\n1,2024-07-01 12:00\n2,2024-03-31 02:30\n")
    call_command("ingest", str(path), "--dry-run", "--timestamp-zone", "Europe/Vienna", "--json")
    report = json.loads(capsys.readouterr().out)
    assert any("do not exist: 1, the first in line 3" in note for note in report["notes"])
