"""Real and nasty files: our own, and those from outside where they are there."""

import csv
import io
import json
from pathlib import Path

import pytest

from ingestion.parsing.detection import detect
from ingestion.parsing.readers import open_reader
from records.models import DataRecord, IngestionRun
from tests.factories import load, process
from tests.odd_inputs import (
    CSV,
    DOUBTFUL_JSON,
    INVALID_JSON,
    OUTSIDE,
    TABLES,
    VALID_JSON,
    odd_strings,
    outside,
)

SPECTRUM = OUTSIDE / "csv-spectrum"


def rows_of(path: Path) -> list[dict[str, str]]:
    found = detect(path, path.name)
    with open_reader(
        path, name=path.name, encoding=found.encoding, dialect=found.dialect
    ) as reader:
        return [row for chunk in reader.chunks(100) for row in chunk.rows]


@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("name", CSV)
def test_odd_csv_gives_the_cells_that_it_holds(name, ends, tmp_path):
    text, rows = CSV[name]
    path = tmp_path / "odd.csv"
    path.write_bytes(text.replace("\n", ends).encode())
    expected = [{key: cell.replace("\n", ends) for key, cell in row.items()} for row in rows]
    assert rows_of(path) == expected


def csv_spectrum() -> list[Path]:
    return outside("csv-spectrum/csvs/*.csv")


# All in one test: where the files are not there, nothing is left out that is not tested above.
def test_csv_spectrum_gives_the_cells_that_its_json_has(tmp_path):
    for path in csv_spectrum():
        expected = json.loads((SPECTRUM / "json" / f"{path.stem}.json").read_text("utf-8"))
        if path.stem.endswith("_crlf"):
            # The copies in the folder have lost the line ends that they are named for.
            content = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            path = tmp_path / path.name
            path.write_bytes(content)
        assert rows_of(path) == expected, path


# Their roles, and how many rows they have, and how many of these default rules repair.
FILES = {
    "market_sales.csv": (
        {
            "id": ["Receipt"],
            "timestamp": ["Date", "Time"],
            "value": ["Total"],
            "category": ["Product line"],
        },
        60,
        0,
    ),
    "store_orders.tsv": ({"id": ["Order line"], "value": ["Sales"]}, 60, 0),
    "jobless_rate.csv": (
        {"id": ["PLACE", "GROUP", "MONTH"], "timestamp": ["MONTH"], "value": ["Rate"]},
        144,
        0,
    ),
    "bird_strikes.csv": ({}, 80, 0),
    # It has two header rows.
    "film_survey.csv": ({}, 60, 0),
}
FROM_OUTSIDE = {
    "supermarket_Sales.csv": (
        {
            "id": ["Invoice ID"],
            "timestamp": ["Date", "Time"],
            "value": ["Total"],
            "category": ["Product line"],
        },
        1_000,
        0,
    ),
    "global_super_store_orders.tsv": ({"id": ["Row ID"], "value": ["Sales"]}, 1_000, 0),
    "unemployment_data_europe_oecd.csv": (
        {"id": ["LOCATION", "SUBJECT", "TIME"], "timestamp": ["TIME"], "value": ["Value"]},
        5_732,
        0,
    ),
    "birdstrikes.csv": ({}, 10_000, 0),
    "StarWars.csv": ({}, 1_186, 0),
}
REAL = [(TABLES / name, *expected) for name, expected in FILES.items()] + [
    (path, *FROM_OUTSIDE[path.name]) for path in outside("real/*") if path.name in FROM_OUTSIDE
]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "roles", "rows", "repaired"), REAL, ids=[path.name for path, *_ in REAL]
)
def test_real_files_land_whole_and_only_once(path, roles, rows, repaired):
    run = load(path, source="real", **roles)
    assert (run.error, run.read, run.created, run.rejected) == ("", rows, rows, 0)
    again = load(path, source="real", **roles)
    assert (again.created, again.updated, again.unchanged) == (0, 0, rows)
    done = process()
    assert (done.processed + done.failed, done.repaired) == (rows, repaired)
    assert DataRecord.objects.count() == rows


Cases = dict[str, bytes]


def suite(prefix: str) -> Cases:
    """The files of JSONTestSuite whose names begin so, where they are there."""
    found = outside(f"JSONTestSuite/test_parsing/{prefix}_*.json")
    return {path.name: path.read_bytes() for path in found}


def load_json(content: bytes, folder: Path) -> IngestionRun:
    path = folder / "case.json"
    path.write_bytes(content)
    return load(path, source="suite")


def test_the_json_suite_is_there_whole_if_it_is():
    found = [len(suite(prefix)) for prefix in "yni"]
    assert found == ([95, 188, 35] if OUTSIDE.is_dir() else [0, 0, 0])


def each(cases: Cases) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("content", cases.values(), ids=list(cases))


@pytest.mark.django_db
@each(VALID_JSON | suite("y"))
def test_valid_json_is_read_and_each_row_accounted_for(content, tmp_path):
    run = load_json(content, tmp_path)
    document = json.loads(content.decode("utf-8-sig"))
    rows = len(document) if isinstance(document, list) else 1
    assert (run.state, run.error, run.read) == ("finished", "", rows)
    assert run.created + run.rejected == rows
    assert DataRecord.objects.count() == run.created


# A value that is no JSON costs its row; documents may follow each other.
READ_BY_ROW = {
    "n_number_NaN.json", "n_number_infinity.json", "n_number_minus_infinity.json",
    "n_structure_double_array.json",
}  # fmt: skip


@pytest.mark.django_db
@each({name: content for name, content in suite("n").items() if name in READ_BY_ROW})
def test_what_is_no_json_in_single_rows_costs_these(content, tmp_path):
    run = load_json(content, tmp_path)
    assert (run.state, run.created) == ("finished", 0)
    assert run.read == run.rejected == bool(content.strip(b"[]"))


@pytest.mark.django_db
@each(
    INVALID_JSON
    | {name: content for name, content in suite("n").items() if name not in READ_BY_ROW}
)
def test_what_is_no_json_is_refused_with_a_reason(content, tmp_path):
    run = load_json(content, tmp_path)
    assert (run.state, run.read) == ("failed", 0)
    assert "can't be read: " in run.error


@pytest.mark.django_db
@each(DOUBTFUL_JSON | suite("i"))
def test_doubtful_json_is_read_or_refused(content, tmp_path):
    run = load_json(content, tmp_path)
    assert run.state == "finished" or "can't be read: " in run.error
    assert run.created + run.rejected == run.read


@pytest.mark.django_db
@pytest.mark.parametrize("form", ["csv", "json", "ndjson"])
def test_naughty_strings_come_back_as_they_were(form, tmp_path):
    strings = [*odd_strings(), "a\0b"]
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
    assert (run.error, run.read, run.created) == ("", len(rows), len(held))
    assert {record.data["id"]: record.data for record in DataRecord.objects.all()} == {
        row["id"]: row for row in held
    }
