"""Every format lands like delimited text: whole, accounted for, only once."""

import gzip
import io
import json
import tempfile
import zipfile
from pathlib import Path

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from ingestion.loading.inputs import keep_upload
from ingestion.parsing import preparation
from ingestion.parsing.readers import json_scanner, ndjson
from ingestion.parsing.readers.strict_json import StrictDecoder
from records.models import DataRecord
from tests.factories import load
from tests.parquet_files import write_parquet

pytestmark = pytest.mark.django_db

ROWS = [{"id": f"k{n}", "name": f"item {n}", "amount": f"{n}.25"} for n in range(50)]


def _csv() -> bytes:
    lines = [",".join(row.values()) for row in ROWS]
    return "\n".join(["id,name,amount", *lines]).encode()


def _xlsx() -> bytes:
    book, content = openpyxl.Workbook(), io.BytesIO()
    sheet = book.create_sheet("Rows")
    sheet.append(list(ROWS[0]))
    for row in ROWS:
        sheet.append([row["id"], row["name"], float(row["amount"])])
    book.save(content)
    return content.getvalue()


def _parquet() -> bytes:
    select = "SELECT 'k' || range AS id, 'item ' || range AS name, range + 0.25 AS amount"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.parquet"
        return write_parquet(path, f"{select} FROM range({len(ROWS)})").read_bytes()


def _zip(name: str, content: bytes) -> bytes:
    compressed = io.BytesIO()
    with zipfile.ZipFile(compressed, "w") as archive:
        archive.writestr(name, content)
    return compressed.getvalue()


JSON = json.dumps({"total": 50, "data": {"items": ROWS}}).encode()
NDJSON = "\n".join(map(json.dumps, ROWS)).encode()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", _csv()),
        ("a.csv.gz", gzip.compress(_csv())),
        ("a.zip", _zip("a.csv", _csv())),
        ("a.json", JSON),
        ("a.json.gz", gzip.compress(JSON)),
        ("a.ndjson", NDJSON),
        ("a.zip", _zip("deep/a.jsonl", NDJSON)),
        ("a.xlsx", _xlsx()),
        ("a.zip", _zip("a.xlsx", _xlsx())),
        ("a.parquet", _parquet()),
        ("a.zip", _zip("a.parquet", _parquet())),
    ],
)
def test_the_same_rows_make_the_same_records_in_any_format(name, content, tmp_path, settings):
    settings.INPUT_DIR = tmp_path / "inputs"
    kept = keep_upload(SimpleUploadedFile(name, content))
    run = load(kept.path, source="formats")
    assert (run.error, run.read, run.created) == ("", 50, 50)
    assert sorted(record.id for record in DataRecord.objects.all()) == sorted(
        f"formats:{row['id']}" for row in ROWS
    )
    assert [record.data for record in DataRecord.objects.filter(id="formats:k7")] == [ROWS[7]]
    again = load(kept.path, source="formats")
    assert (again.created, again.unchanged) == (0, 50)


def test_json_that_no_database_can_hold_is_a_rejected_row(tmp_path):
    path = tmp_path / "odd.json"
    path.write_bytes(
        b'[{"id": "a", "x": ["\\ud800"]}, {"id": "b", "x": {"y\\u0000": 1}}, '
        b'{"id": "c", "\\udead": 2}, {"id": "d", "x": "\xff"}, '
        b'{"id": "e", "x": [1, {"\xc3\xbc": null}]}]'
    )
    run = load(path, source="odd")
    assert (run.error, run.read, run.created) == ("", 5, 1)
    assert DataRecord.objects.get().data == {"id": "e", "x": [1, {"ü": None}]}
    assert sorted(row.code for row in run.rejected_rows.all()) == [
        "bad_bytes",
        "nul_character",
        "unpaired_surrogate",
        "unpaired_surrogate",
    ]


@pytest.mark.parametrize("name", ["list.json", "deep.json", "rows.ndjson"])
def test_what_has_no_header_is_looked_through_once_before_it_is_read(tmp_path, monkeypatch, name):
    rows = [{"id": str(number), "word": "w" * 20} for number in range(500)]
    rows[-1]["late"] = "x"
    if name == "rows.ndjson":
        text = "\n".join(map(json.dumps, rows))
    else:
        text = json.dumps({"meta": {"n": 1}, "data": {"rows": rows}} if "deep" in name else rows)
    (tmp_path / name).write_text(text)
    decoded = []
    decode = StrictDecoder.decode

    def counted(decoder, text, start):
        value, end = decode(decoder, text, start)
        decoded.append(value)
        return value, end

    monkeypatch.setattr(StrictDecoder, "decode", counted)
    monkeypatch.setattr(preparation, "SAMPLE_ROWS", 10)
    monkeypatch.setattr(json_scanner, "CHUNK_CHARACTERS", 1_000)
    monkeypatch.setattr(ndjson, "CHUNK_CHARACTERS", 1_000)
    run = load(tmp_path / name, "j", id=["id"])
    assert (run.created, run.columns) == (500, ["id", "word", "late"]), run.error
    # Once to be looked through, once to be landed; and the first ones to tell the roles.
    assert 1_000 <= sum(isinstance(value, dict) and "id" in value for value in decoded) < 1_100
