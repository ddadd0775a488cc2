"""Real and nasty files from outside, which lie beside the project where it is developed."""

import csv
import io
import json
from pathlib import Path

import pytest

from ingestion.parsing.detection import detect
from ingestion.parsing.readers import open_reader
from records.models import DataRecord
from tests.factories import load, process

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
SPECTRUM = DATA / "csv-spectrum"
PARSING = DATA / "JSONTestSuite" / "test_parsing"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"The folder {DATA} with files from outside is not there."
)


@pytest.mark.parametrize("path", sorted(SPECTRUM.glob("csvs/*.csv")), ids=lambda path: path.stem)
def test_csv_spectrum_gives_the_cells_that_its_json_has(path, tmp_path):
    if path.stem.endswith("_crlf"):
        # The copies in the folder have lost the line ends that they are named for.
        content = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        path = tmp_path / path.name
        path.write_bytes(content)
    expected = json.loads((SPECTRUM / "json" / f"{path.stem}.json").read_text("utf-8"))
    found = detect(path, path.name)
    with open_reader(
        path, name=path.name, encoding=found.encoding, dialect=found.dialect
    ) as reader:
        assert [row for chunk in reader.chunks(100) for row in chunk.rows] == expected


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("file", "roles", "rows", "rejected", "repaired"),
    [
        (
            "supermarket_Sales.csv",
            {
                "id": ["Invoice ID"],
                "timestamp": ["Date", "Time"],
                "value": ["Total"],
                "category": ["Product line"],
            },
            1_000,
            0,
            0,
        ),
        ("global_super_store_orders.tsv", {"id": ["Row ID"], "value": ["Sales"]}, 1_000, 0, 985),
        (
            "unemployment_data_europe_oecd.csv",
            {"id": ["LOCATION", "SUBJECT", "TIME"], "timestamp": ["TIME"], "value": ["Value"]},
            5_732,
            0,
            0,
        ),
        ("birdstrikes.csv", {}, 10_000, 0, 0),
        # It has two header rows.
        ("StarWars.csv", {}, 1_186, 0, 0),
    ],
)
def test_real_files_land_whole_and_only_once(file, roles, rows, rejected, repaired):
    run = load(DATA / "real" / file, source="real", **roles)
    assert (run.error, run.read, run.created, run.rejected) == ("", rows, rows - rejected, rejected)
    again = load(DATA / "real" / file, source="real", **roles)
    assert (again.created, again.updated, again.unchanged) == (0, 0, rows - rejected)
    done = process()
    assert (done.processed + done.failed, done.repaired) == (rows - rejected, repaired)
    assert DataRecord.objects.count() == rows - rejected


def suite(prefix: str) -> list[Path]:
    return sorted(PARSING.glob(f"{prefix}_*.json"))


def test_the_json_suite_is_there_whole():
    assert [len(suite(prefix)) for prefix in "yni"] == [95, 188, 35]


@pytest.mark.django_db
@pytest.mark.parametrize("path", suite("y"), ids=lambda path: path.stem)
def test_valid_json_is_read_and_each_row_accounted_for(path):
    run = load(path, source="suite")
    document = json.loads(path.read_bytes().decode("utf-8-sig"))
    rows = len(document) if isinstance(document, list) else 1
    assert (run.state, run.error, run.read) == ("finished", "", rows)
    assert run.created + run.rejected == rows
    assert DataRecord.objects.count() == run.created


@pytest.mark.django_db
@pytest.mark.parametrize("path", suite("n"), ids=lambda path: path.stem)
def test_what_is_no_json_is_refused_with_a_reason(path):
    run = load(path, source="suite")
    assert (run.state, run.read) == ("failed", 0)
    assert "can't be read: " in run.error


@pytest.mark.django_db
@pytest.mark.parametrize("path", suite("i"), ids=lambda path: path.stem)
def test_doubtful_json_is_read_or_refused(path):
    run = load(path, source="suite")
    assert run.state == "finished" or "can't be read: " in run.error
    assert run.created + run.rejected == run.read


@pytest.mark.django_db
@pytest.mark.parametrize("form", ["csv", "json", "ndjson"])
def test_naughty_strings_come_back_as_they_were(form, tmp_path):
    strings = json.loads((DATA / "blns" / "blns.json").read_text("utf-8"))
    assert len(strings) == 515
    rows = [{"id": f"n{number}", "text": text} for number, text in enumerate(strings)]
    path = tmp_path / f"blns.{form}"
    if form == "csv":
        text = io.StringIO()
        writer = csv.DictWriter(text, ["id", "text"])
        writer.writeheader()
        writer.writerows(rows)
        path.write_bytes(text.getvalue().encode())
    elif form == "json":
        path.write_text(json.dumps(rows))
    else:
        path.write_text("\n".join(map(json.dumps, rows)))
    run = load(path, source="naughty")
    # What no database can hold is a rejected row.
    held = [row for row in rows if "\0" not in row["text"]]
    assert (run.error, run.read, run.created) == ("", 515, len(held))
    assert {record.data["id"]: record.data for record in DataRecord.objects.all()} == {
        row["id"]: row for row in held
    }
