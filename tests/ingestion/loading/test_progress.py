"""How far a reader is in its input: even progress, also in what is compressed. No database."""

import csv
import gzip
import io
import json
import random
import zipfile

import openpyxl
import pytest

from ingestion.parsing.detection import detect
from ingestion.parsing.readers import json_scanner, lines, ndjson, open_reader

ROWS = 10_000


def rows():
    chance = random.Random(5)  # noqa: S311
    return [{"id": number, "value": chance.random()} for number in range(ROWS)]


def content(name):
    if name.endswith(".gz"):
        return gzip.compress(content(name.removesuffix(".gz")))
    out = io.BytesIO()
    if name.endswith(".zip"):
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("rows.csv", content("rows.csv"))
    elif name.endswith(".xlsx"):
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet("rows")
        sheet.append(["id", "value"])
        for row in rows():
            sheet.append(list(row.values()))
        book.save(out)
    elif name.endswith(".csv"):
        text = io.StringIO()
        writer = csv.DictWriter(text, ["id", "value"])
        writer.writeheader()
        writer.writerows(rows())
        return text.getvalue().encode()
    else:
        texts = map(json.dumps, rows())
        return ("\n".join(texts) if "nd" in name else f"[{','.join(texts)}]").encode()
    return out.getvalue()


@pytest.mark.parametrize(
    "name", ["rows.csv", "rows.csv.gz", "rows.csv.zip", "rows.json", "rows.json.gz",
             "rows.ndjson.gz", "rows.xlsx"]
)  # fmt: skip
def test_progress_is_even_and_ends_with_the_file(tmp_path, monkeypatch, name):
    for module in (lines, json_scanner, ndjson):
        monkeypatch.setattr(module, "CHUNK_CHARACTERS", 1 << 10)
    path = tmp_path / name
    path.write_bytes(content(name))
    found = detect(path, name)
    with open_reader(path, name=name, encoding=found.encoding, dialect=found.dialect) as reader:
        done, shares = 0, []
        for chunk in reader.chunks(100):
            done += len(chunk.rows)
            shares.append((done / ROWS, chunk.bytes_read / found.digest.size))
    assert done == ROWS
    assert max(abs(of_rows - of_bytes) for of_rows, of_bytes in shares) < 0.15
    assert shares[-1][1] == pytest.approx(1, abs=0.02)
