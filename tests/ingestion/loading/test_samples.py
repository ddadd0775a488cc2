"""The sample data: the same every time, alive like real data, and its faults are all counted."""

import csv
import io
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from itertools import pairwise
from statistics import mean, median

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from ingestion.parsing.batches import read_batches
from ingestion.parsing.detection import detect
from ingestion.parsing.mapping import propose
from ingestion.parsing.preparation import SAMPLE_ROWS
from ingestion.parsing.readers import open_reader
from ingestion.parsing.row_mapper import RowMapper
from ingestion.samples import KEYS, Sample, samples

UNTIL = date(2026, 11, 23)
VALUES = {"sales": "amount", "sensors": "value", "tickets": "total_minutes"}
TIMES = {"sales": "ordered_at", "sensors": "timestamp", "tickets": "created"}
EVERYWHERE = {"too few cells", "too many cells", "no id", "NUL", "not UTF-8"}


@pytest.fixture(scope="module")
def made() -> dict[str, Sample]:
    return {sample.name: sample for sample in samples(until=UNTIL)}


@pytest.fixture(params=["sales", "sensors", "tickets"])
def sample(request, made: dict[str, Sample]) -> Sample:
    return made[request.param]


def sound_rows(sample: Sample) -> list[dict[str, str]]:
    """What is left without the rejected lines, read strictly."""
    lines = sample.content.split(b"\n")
    rejected = sample.expected.rejected_lines
    kept = [line for number, line in enumerate(lines, start=1) if number not in rejected]
    text = b"\n".join(kept).decode()
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    columns = next(reader)
    return [dict(zip(columns, cells, strict=True)) for cells in reader if cells]


def is_number(text: str) -> bool:
    try:
        return text != "NaN" and float(text) is not None
    except ValueError:
        return False


def by_day(rows: list[dict[str, str]], column: str) -> dict[date, list[dict[str, str]]]:
    days = defaultdict(list)
    for row in rows:
        days[datetime.fromisoformat(row[column]).date()].append(row)
    return days


def test_same_seed_and_day_give_the_same_bytes(made):
    again = {sample.name: sample for sample in samples(until=UNTIL)}
    assert again == made


def test_another_process_makes_the_same_bytes(made, tmp_path):
    subprocess.run(
        [
            sys.executable,
            "manage.py",
            "sample_data",
            "--directory",
            tmp_path,
            "--until",
            "2026-11-23",
        ],
        cwd=settings.BASE_DIR,
        check=True,
        capture_output=True,
    )
    for sample in made.values():
        assert (tmp_path / sample.file_name).read_bytes() == sample.content


def test_another_seed_or_another_day_gives_other_data(sample):
    others = [*samples(until=UNTIL, seed=7), *samples(until=date(2026, 11, 22))]
    assert all(other.content != sample.content for other in others if other.name == sample.name)


@pytest.mark.parametrize(("name", "rows"), [("sales", 9000), ("sensors", 12000), ("tickets", 4000)])
def test_the_number_of_rows_is_about_what_is_promised(made, name, rows):
    assert made[name].expected.rows == pytest.approx(rows, rel=0.02)


def test_one_or_two_rows_in_a_hundred_are_bad(sample):
    counts = sample.expected
    bad = counts.rejected + counts.failed + counts.repaired
    assert 0.01 < bad / counts.rows < 0.02


def test_files_are_utf_8_without_a_mark_and_with_plain_line_ends(sample):
    assert not sample.content.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in sample.content


def test_each_kind_of_bad_row_is_in_every_file_even_a_small_one(sample):
    small = {one.name: one for one in samples(until=UNTIL, scale=0.1)}[sample.name]
    for one in (sample, small):
        kinds = set(one.expected.rejected_lines.values())
        typed = set() if one.name == "sensors" else {"misplaced quote", "unclosed quote"}
        assert kinds == EVERYWHERE | typed
        counts = one.expected
        assert min(counts.unchanged, counts.updated, counts.failed, counts.repaired) > 0


def test_a_rejected_line_is_what_it_is_said_to_be(sample):
    lines = sample.content.split(b"\n")
    width = lines[0].count(b",") + 1
    for number, reason in sample.expected.rejected_lines.items():
        line = lines[number - 1]
        if reason == "not UTF-8":
            with pytest.raises(UnicodeDecodeError):
                line.decode()
            continue
        text = line.decode()
        if "quote" in reason:
            with pytest.raises(csv.Error):
                list(csv.reader([text], strict=True))
            continue
        (cells,) = csv.reader([text], strict=True)
        found = {
            "too few cells": len(cells) < width,
            "too many cells": len(cells) > width,
            "no id": len(cells) == width and cells[0] == "",
            "NUL": len(cells) == width and any("\0" in cell for cell in cells),
        }
        assert [kind for kind, holds in found.items() if holds] == [reason]


def test_all_other_rows_are_sound_and_their_counts_are_right(sample):
    counts = sample.expected
    rows = sound_rows(sample)
    assert len(rows) == counts.rows - counts.rejected
    current: dict[str, dict[str, str]] = {}
    ledger: Counter[str] = Counter()
    for row in rows:
        key = row[KEYS[sample.name]]
        known = current.get(key)
        ledger["created" if known is None else "unchanged" if known == row else "updated"] += 1
        current[key] = row
    assert ledger == {
        "created": counts.created,
        "unchanged": counts.unchanged,
        "updated": counts.updated,
    }
    values = [row[VALUES[sample.name]] for row in current.values()]
    assert values.count("") == counts.failed
    assert sum(1 for value in values if value and not is_number(value)) == counts.repaired


def test_the_project_s_own_reader_agrees_with_every_count(sample, tmp_path):
    path = tmp_path / sample.file_name
    path.write_bytes(sample.content)
    found = detect(path, path.name)
    assert found.encoding == "utf-8"
    read, rejected = 0, []
    with open_reader(
        path, name=path.name, encoding=found.encoding, dialect=found.dialect
    ) as reader:
        to_rows = RowMapper(
            source=sample.name,
            columns=reader.columns,
            mapping={"id": [KEYS[sample.name]]},
            zone=UTC,
            occurrences=lambda digest: 0,
        )
        for batch in read_batches(reader, to_rows, size=1_000):
            read += len(batch.rows) + len(batch.rejects)
            rejected += [reject.line for reject in batch.rejects]
    assert read == sample.expected.rows
    assert sorted(rejected) == list(sample.expected.rejected_lines)


def test_the_roles_are_found_by_the_columns_names(sample):
    rows = sound_rows(sample)[:SAMPLE_ROWS]
    key = [KEYS[sample.name]]
    roles = propose(list(rows[0]), [list(row.values()) for row in rows], key=key)
    assert roles == {
        "id": [KEYS[sample.name]],
        "timestamp": [TIMES[sample.name]],
        "value": [VALUES[sample.name]],
        "category": ["type" if sample.name == "sensors" else "category"],
    }


def test_the_data_end_with_the_day_before(sample):
    days = by_day(sound_rows(sample), TIMES[sample.name])
    assert max(days) == date(2026, 11, 22)
    length = {"sales": 365, "sensors": 50, "tickets": 182}[sample.name]
    assert (UNTIL - min(days)).days == length


def test_sales_have_a_season_a_week_and_feasts(made):
    rows = [row for row in sound_rows(made["sales"]) if is_number(row["amount"])]
    usual = [row for row in rows if row["payment"] != "invoice"]
    takings = {
        day: sum(float(row["amount"]) for row in sales)
        for day, sales in by_day(usual, "ordered_at").items()
    }

    def mean_of(**parts: int) -> float:
        return mean(
            taken
            for day, taken in takings.items()
            if all(getattr(day, part) == number for part, number in parts.items())
        )

    assert mean_of(month=12) > 1.5 * mean_of(month=2)
    saturdays = mean(taken for day, taken in takings.items() if day.weekday() == 5)
    sundays = mean(taken for day, taken in takings.items() if day.weekday() == 6)
    assert saturdays > 2 * sundays
    assert takings[date(2025, 11, 28)] > 2 * median(takings.values())
    assert date(2025, 12, 25) not in takings


def test_sales_add_up_and_hold_outliers_and_untidy_text(made):
    rows = sound_rows(made["sales"])
    sums = [row for row in rows if is_number(row["amount"])]
    for row in sums:
        cents = int(row["quantity"]) * round(float(row["unit_price"]) * 100)
        assert cents == round(float(row["amount"]) * 100)
    amounts = [float(row["amount"]) for row in sums]
    assert max(amounts) > 50 * median(amounts)
    assert min(amounts) < 0
    assert len({row["category"] for row in rows}) > 6
    assert len({row["category"].strip().lower() for row in rows}) == 6
    notes = "".join(row["customer_note"] for row in rows)
    assert all(sign in notes for sign in (",", '"', "\n", "ü", "🎁", "<", "="))


def test_sensors_show_work_drift_a_hot_bearing_a_stop_and_a_stuck_sensor(made):
    rows = sorted(sound_rows(made["sensors"]), key=lambda row: row["reading_id"])
    rows = [row for row in rows if is_number(row["value"])]

    def values(sensor: str, *hours: int) -> list[float]:
        return [
            float(row["value"])
            for row in rows
            if row["sensor"] == sensor and (not hours or int(row["timestamp"][11:13]) in hours)
        ]

    assert median(values("T-101", 14)) > median(values("T-101", 4)) + 15
    nights = values("T-302", 3, 4, 5)
    assert mean(nights[-30:]) > mean(nights[:30]) + 4
    assert max(values("T-202")) > median(values("T-202", 14)) + 25
    longest = {
        machine: max(
            (later - earlier).total_seconds() / 3600 for earlier, later in pairwise(moments)
        )
        for machine, moments in {
            name: [datetime.fromisoformat(r["timestamp"]) for r in rows if r["machine"] == name]
            for name in ("press-1", "press-2")
        }.items()
    }
    assert longest["press-2"] > 24 > 3 > longest["press-1"]
    coolant = values("T-303")
    assert any(len(set(coolant[start : start + 12])) == 1 for start in range(len(coolant) - 12))
    assert {row["unit"] for row in rows} == {"°C"}


def test_tickets_are_skewed_come_in_many_languages_and_know_an_outage(made):
    rows = sound_rows(made["tickets"])
    minutes = [int(row["total_minutes"]) for row in rows if is_number(row["total_minutes"])]
    assert mean(minutes) > 1.5 * median(minutes)
    assert min(minutes) >= 1
    assert {row["language"] for row in rows} == {"en", "de", "fr", "es", "pl", "ar", "he", "ja"}
    subjects = "".join(row["subject"] for row in rows)
    assert any("\u0600" <= sign <= "\u06ff" for sign in subjects)
    assert any("\u0590" <= sign <= "\u05ff" for sign in subjects)
    days = by_day(rows, "created")
    sizes = {day: len(tickets) for day, tickets in days.items()}
    busiest = max(sizes, key=sizes.__getitem__)
    assert sizes[busiest] > 3 * median(sizes.values())
    assert Counter(row["category"] for row in days[busiest]).most_common(1)[0][0] == "login"


def test_the_scale_multiplies_rows_and_not_days():
    (sales, *_) = samples(until=UNTIL, scale=0.5)
    assert sales.expected.rows == pytest.approx(4500, rel=0.02)
    assert (UNTIL - min(by_day(sound_rows(sales), "ordered_at"))).days == 365


def test_the_command_writes_the_files_and_prints_their_paths(tmp_path, capsys):
    folder = tmp_path / "new" / "folder"
    call_command("sample_data", directory=folder, rows_scale=0.1, until=UNTIL)
    printed = capsys.readouterr().out.splitlines()
    assert printed == [str(folder / f"{name}.csv") for name in ("sales", "sensors", "tickets")]
    assert all(path.stat().st_size > 10_000 for path in folder.iterdir())


@pytest.mark.parametrize("scale", ["0", "-1", "nan", "inf", "0.01", "1000"])
def test_an_impossible_scale_is_one_clear_sentence(tmp_path, scale):
    with pytest.raises(CommandError, match=r"scale must be between 0\.1 and 100"):
        call_command("sample_data", f"--directory={tmp_path}", f"--rows-scale={scale}")


@pytest.mark.parametrize("day", ["yesterday", "2026-02-30", "0001-01-01", "20261123x"])
def test_an_impossible_day_is_refused(tmp_path, day):
    with pytest.raises(CommandError, match=r"YYYY-MM-DD|1971"):
        call_command("sample_data", f"--directory={tmp_path}", f"--until={day}")


def test_a_folder_that_cannot_be_written_is_one_clear_sentence(tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(CommandError, match="Cannot write the samples"):
        call_command("sample_data", directory=tmp_path / "taken", rows_scale=0.1)
