"""Real and nasty files from outside, which lie beside the project where it is developed."""

import json
from pathlib import Path

import pytest

from ingestion.detection import detect
from ingestion.readers import open_reader
from records.models import DataRecord
from tests.factories import load, process

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SPECTRUM = DATA / "csv-spectrum"

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
