"""Exports: what comes out is what is there, in each format, on page, API and command line."""

import csv
import gc
import gzip
import io
import json
import re
import sys
from collections.abc import Generator
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.db import connection
from django.http import QueryDict
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape
from rest_framework.test import APIClient

from explore.export import csv_table, walk, workbook
from explore.export.errors import TooLargeForExcel
from explore.export.files import export
from explore.export.options import Options
from explore.filters import RecordQuery
from records import store
from records.jobs.runner import work_on
from records.models import DataRecord, IngestionRun
from tests.factories import load
from tests.landed import land, process_all, sale
from tests.markup import tree
from tests.odd_inputs import TABLES, odd_strings, outside
from tests.people import viewer
from web.spreadsheets import guarded

pytestmark = pytest.mark.django_db

FORMULAS = ["=1+1", "+49 30", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1"]
HARMLESS = ["a,b", 'a"b', "a\nb", " x "]
NASTY = [*FORMULAS, "1;=1+1", "a\t=1", "a\n=1", *HARMLESS]


def exported(kind: str, query: str = "", *, raw: bool = False) -> bytes:
    found = RecordQuery.parse(QueryDict(query))
    assert found.is_valid, found.errors
    return b"".join(export(found, options=Options(kind=kind, raw=raw)).content)


def table(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


def sheet(content: bytes) -> list[list[Any]]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    return [[cell.value for cell in row] for row in book["Records"].iter_rows()]


def file_in_columns(run: IngestionRun, *columns: str) -> None:
    IngestionRun.objects.filter(pk=run.pk).update(columns=list(columns))


def test_csv_tells_of_each_record_what_it_is_and_its_cells_in_the_order_of_the_file():
    run = land("shop", {"1": sale(1), "2": {"id": "2"}})
    file_in_columns(run, "value", "id", "category")
    process_all()
    assert table(exported("csv")) == [
        ["record_id", "record_timestamp", "record_source", "record_status",
         "value", "id", "category"],
        ["shop:1", "2026-03-01T12:00:00Z", "shop", "processed", "1.5", "1", "Toys"],
        ["shop:2", "2026-03-01T12:00:00Z", "shop", "failed", "", "2", ""],
    ]  # fmt: skip


def test_raw_has_the_cells_as_read_and_nothing_else_in_the_order_of_their_lines():
    run = land("shop", {"9": {"b": "=1", "a": "x"}, "1": {"b": "2", "a": " y "}})
    file_in_columns(run, "b", "a")
    assert table(exported("csv", raw=True)) == [["b", "a"], ["=1", "x"], ["2", " y "]]
    assert table(exported("csv", "sort=id", raw=True))[1:] == [["2", " y "], ["=1", "x"]]


def test_a_second_run_comes_behind_the_first_with_the_newest_columns_first():
    file_in_columns(land("shop", {"9": {"a": "1", "b": "2"}}), "a", "b")
    file_in_columns(land("shop", {"1": {"c": "3", "b": "4"}}), "c", "b")
    assert table(exported("csv", raw=True)) == [["c", "b", "a"], ["", "2", "1"], ["3", "4", ""]]


def test_a_name_that_only_an_edit_has_brought_has_a_column_too():
    file_in_columns(land("shop", {"1": {"a": "1"}, "2": {"a": "2"}}), "a")
    store.edit_record(record_id="shop:2", data={"a": "2", "new:é": "x"}, user=None)
    assert table(exported("csv", raw=True)) == [["a", "new:é"], ["1", ""], ["2", "x"]]
    assert table(exported("csv", "q=shop:1", raw=True)) == [["a"], ["1"]]


def test_only_what_the_filter_finds_is_exported_in_its_order_and_columns():
    land("shop", {"1": sale(1), "2": sale(2), "3": {"id": "3"}})
    land("depot", {"1": sale(4)})
    process_all()
    content = exported("csv", "source=shop&status=processed&sort=-id&column=value&column=none")
    assert table(content)[0][4:] == ["value", "none"]
    assert [[row[0], *row[4:]] for row in table(content)[1:]] == [
        ["shop:2", "2.5", ""],
        ["shop:1", "1.5", ""],
    ]
    assert exported("ndjson", "source=nowhere") == b""


def test_columns_of_the_result_are_exported_as_they_are_shown(api):
    rows = {"1": sale(1, value="bad", result_value="mine"), "2": {"id": "2"}}
    file_in_columns(land("shop", rows), "id", "value", "result_value", "category")
    process_all()
    query = "column=value&column=result_value&result_column=value&result_column=category"
    facts = ["record_id", "record_timestamp", "record_source", "record_status"]
    head, *lines = table(exported("csv", query))
    assert head == [*facts, "value", "result_value", "result_value_", "result_category"]
    assert [line[4:] for line in lines] == [["bad", "mine", "0.0", "toys"], ["", "", "", ""]]
    assert [row[4:] for row in sheet(exported("xlsx", query))[1:]] == [
        ["bad", "mine", 0.0, "toys"], [None] * 4,
    ]  # fmt: skip
    results = [{"value": 0.0, "category": "toys"}, {}]
    written = [json.loads(line) for line in exported("ndjson", query).splitlines()]
    assert [record["result"] for record in written] == results
    listed = api.get(f"/api/records?{query}").json()["records"]
    assert [record["result"] for record in listed] == results
    assert "result" not in api.get("/api/records").json()["records"][0]
    assert table(exported("csv", query, raw=True))[0] == ["value", "result_value"]


def test_columns_of_a_file_that_are_named_like_facts_keep_their_names():
    land("shop", {"1": {"record_id": "mine", "id": "1"}})
    head = table(exported("csv"))[0]
    assert head[0] == "record_id_"
    assert "record_id" in head[4:]


def test_a_source_without_records_still_has_its_head():
    file_in_columns(land("shop", {}), "a", "b")
    assert table(exported("csv", "source=shop", raw=True)) == [["a", "b"]]


def test_cells_that_start_a_formula_are_neutralised_unless_raw_is_asked_for():
    rows = {str(i): {"=cell": text} for i, text in enumerate(NASTY)}
    file_in_columns(land("shop", rows), "=cell")
    spreadsheet, raw = table(exported("csv")), table(exported("csv", raw=True))
    assert spreadsheet[0][4] == "'=cell"
    assert {row[4] for row in spreadsheet[1:]} == {guarded(text) for text in NASTY}
    assert all(guarded(text).startswith("'") for text in FORMULAS)
    assert guarded("1;=1+1") == "1;'=1+1"
    assert [guarded(text) for text in HARMLESS] == HARMLESS
    assert [row[0] for row in raw] == ["=cell", *NASTY]


@pytest.mark.parametrize(
    "number",
    [
        "-5", "-5.25", "+1", "-.5", "-1e-7", "5", "", "-1.234,56", "-1,234.56", "-1 234,56",
        "-1\u202f234,56", "-1'234.50", "-12,5 %", "-€5", "-$ 1,000", "-5 €", "+49",
    ],
)  # fmt: skip
def test_numbers_are_no_formulas(number):
    assert guarded(number) == number


@pytest.mark.parametrize(
    "text",
    [
        "-5-3",
        "-5 ",
        "+",
        "-",
        "-1e",
        "--1",
        "-٣",
        "-1\n",
        "-1+2",
        "-A1",
        "-1,-2",
        "-5%%",
        "-€",
        "-,5",
    ],
)
def test_what_is_nearly_a_number_is_neutralised(text):
    assert guarded(text) == "'" + text


def test_ndjson_lists_records_as_the_api_does():
    data = {"id": "1", "n": 5, "f": 1.5, "b": True, "none": None, "list": ["é", {"x": "=1"}]}
    file_in_columns(land("shop", {"1": data}), *data)
    (line,) = exported("ndjson").decode().splitlines()
    assert json.loads(line) == {
        "id": "shop:1",
        "timestamp": "2026-03-01T12:00:00Z",
        "source": "shop",
        "status": "raw",
        "data": data,
    }
    assert list(json.loads(exported("ndjson", raw=True))) == list(data)
    assert table(exported("csv", raw=True))[1] == ["1", "5", "1.5", "true", "", '["é",{"x":"=1"}]']


def test_whole_numbers_of_any_size_keep_their_digits():
    data = {"id": 10**30, "n": -(10**20), "list": [10**25]}
    file_in_columns(land("shop", {"1": data}), *data)
    row = ["1" + "0" * 30, "-1" + "0" * 20, "[1" + "0" * 25 + "]"]
    assert table(exported("csv", raw=True))[1] == table(exported("csv"))[1][4:] == row
    assert json.loads(exported("ndjson", raw=True)) == data
    assert sheet(exported("xlsx"))[1][4:] == row


def test_a_workbook_holds_text_and_plain_numbers_and_never_a_formula():
    cells = {
        "sum": "12.50",
        "count": "-7",
        "code": "00501",
        "long": "1234567890123456",
        "f": "=1+1",
        "odd": "a\x01b_x0041_",
        "none": "",
    }
    file_in_columns(land("shop", {"1": cells}), *cells)
    book = openpyxl.load_workbook(io.BytesIO(exported("xlsx")))
    head, row = book["Records"].iter_rows()
    assert [cell.value for cell in head[4:]] == list(cells)
    assert [cell.data_type for cell in row[4:]] == ["n", "n", "s", "s", "s", "s", "n"]
    assert [cell.value for cell in row[4:9]] == [12.5, -7, "00501", "1234567890123456", "=1+1"]
    assert row[4].number_format == "0.00"
    assert unescape(str(row[9].value)) == "a\x01b_x0041_"
    assert sheet(exported("xlsx", raw=True))[1][:3] == ["12.50", "-7", "00501"]


def test_timestamps_are_dates_in_a_workbook():
    times = ["2026-03-01T12:30:00Z", "2026-03-01T12:30:00.250Z", "2026-03-01T12:30:00.000001Z"]
    times += ["1899-12-31T00:00:00Z", ""]
    for place, text in enumerate(times):
        land(
            "shop",
            {str(place): {"a": "1"}},
            timestamp=datetime.fromisoformat(text) if text else None,
        )
    book = openpyxl.load_workbook(io.BytesIO(exported("xlsx")))
    cells = [row[1] for row in book["Records"].iter_rows(min_row=2)]
    assert [(str(cell.value), cell.number_format) for cell in cells[:2]] == [
        ("2026-03-01 12:30:00", "yyyy-mm-dd hh:mm:ss"),
        ("2026-03-01 12:30:00.250000", "yyyy-mm-dd hh:mm:ss.000"),
    ]
    # Excel would change what these say.
    assert [cell.value for cell in cells[2:]] == [times[2], times[3], None]


def test_csv_is_written_as_the_options_say(api, tmp_path):
    file_in_columns(land("shop", {"1": {"a": "x;y", "b": "1,=2"}}, timestamp=None), "a", "b")
    wanted = (
        "\ufeffrecord_id;record_timestamp;record_source;record_status;a;b\n"
        'shop:1;;shop;raw;"x;y";1,\'=2\n'
    )
    asked = "format=csv&delimiter=semicolon&line_end=lf&bom=1"
    for url in ("/api/export", "/explore/export"):
        answer = api.get(f"{url}?{asked}")
        assert b"".join(answer.streaming_content).decode() == wanted
    path = tmp_path / "out.csv"
    options = ["--delimiter", "semicolon", "--line-end", "lf", "--bom"]
    call_command("export", str(path), *options, verbosity=0)
    assert path.read_bytes().decode() == wanted
    with pytest.raises(CommandError, match="apply to CSV only"):
        call_command("export", str(tmp_path / "out.xlsx"), *options)
    refused = api.get("/api/export?format=xlsx&bom=1")
    assert (refused.status_code, "“bom” applies to CSV only." in str(refused.json())) == (400, True)


def test_what_excel_can_not_hold_is_said_before_the_first_byte(monkeypatch):
    land("shop", {"1": {"a": "x" * 32_768}, "2": {"a": "y"}})
    with pytest.raises(TooLargeForExcel, match="32,767 characters, and one cell has 32,768"):
        exported("xlsx")
    monkeypatch.setattr(workbook, "MOST_ROWS", 2)
    with pytest.raises(TooLargeForExcel, match="hold 1 records, and this export has 2"):
        exported("xlsx", "column=b")
    monkeypatch.setattr(workbook, "MOST_COLUMNS", 4)
    with pytest.raises(TooLargeForExcel, match="hold 4 columns, and this export has 5"):
        exported("xlsx", "q=shop:2")


def test_more_records_than_one_chunk_come_out_each_once():
    land("shop", {f"{number:05}": sale(number) for number in range(4_500)})
    rows = table(exported("csv"))[1:]
    assert [row[0] for row in rows] == [f"shop:{number:05}" for number in range(4_500)]
    assert len(exported("ndjson", raw=True).splitlines()) == 4_500


@pytest.mark.django_db(transaction=True)
def test_an_export_that_nobody_reads_to_its_end_ends_quietly(monkeypatch):
    land("shop", {str(number): sale(number) for number in range(2 * walk.CHUNK)})
    said: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", said.append)
    found = RecordQuery.parse(QueryDict(""))
    assert found.is_valid
    content = export(found, options=Options()).content
    assert isinstance(content, Generator)
    while b"shop:1" not in next(content):
        pass
    content.close()
    gc.collect()
    assert said == []
    assert not connection.in_atomic_block
    assert DataRecord.objects.count() == 2 * walk.CHUNK


@pytest.mark.parametrize("columns", [1, 3])
@given(data=st.data())
def test_lines_are_those_that_the_csv_module_writes(columns, data):
    cell = st.text(st.sampled_from('a ,"\r\n;\t\x0b\x85\u2028é'), max_size=4)
    rows = data.draw(st.lists(st.lists(cell, min_size=columns, max_size=columns), min_size=1))
    expected = io.StringIO(newline="")
    options = Options(delimiter=data.draw(st.sampled_from(",;\t")))
    csv.writer(expected, delimiter=options.delimiter).writerows(rows)
    columns_of_cells = list(zip(*rows, strict=True))
    assert csv_table.lines(columns_of_cells, options).decode() == expected.getvalue()


@settings(max_examples=50)
@given(
    cells=st.lists(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8),
        min_size=1,
        max_size=6,
    )
)
def test_any_cells_come_back_from_csv_and_ndjson(db, cells):
    DataRecord.objects.all().delete()
    names = [f"c{number}" for number in range(len(cells))]
    run = land("any", {"1": dict(zip(names, cells, strict=True))})
    file_in_columns(run, *names)
    assert table(exported("csv", raw=True)) == [names, cells]
    assert list(json.loads(exported("ndjson", raw=True)).values()) == cells


@pytest.fixture
def api() -> APIClient:
    client = APIClient()
    client.force_login(viewer("reader"))
    return client


@pytest.mark.parametrize("url", ["/api/export", "/export", "/explore/export"])
def test_page_and_api_give_the_same_file(api, url):
    land("shop", {"1": sale(1), "2": sale(2)})
    answer = api.get(f"{url}?source=shop&format=csv&sort=-id")
    assert answer.status_code == 200
    assert answer.streaming
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="shop.csv"'
    assert b"".join(answer) == exported("csv", "source=shop&sort=-id")
    compressed = api.get(f"{url}?format=ndjson&gzip=1&raw=1")
    assert compressed["Content-Disposition"] == 'attachment; filename="records.ndjson.gz"'
    assert gzip.decompress(b"".join(compressed)) == exported("ndjson", raw=True)
    assert sheet(b"".join(api.get(f"{url}?format=xlsx")))[1][0] == "shop:1"


def test_an_export_needs_a_login(client):
    assert client.get("/explore/export").status_code == 302
    assert client.get("/api/export").status_code == 401


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        (
            "format=pdf",
            "format: There is no format “pdf”. Choose one of csv, ndjson, parquet, xlsx.",
        ),
        ("raw=yes", "raw: “raw” must be 0 or 1"),
        ("status=done", "status: There is no status “done”."),
        ("limit=5", "limit: Unknown parameter."),
        ("format=csv&format=csv", "format: This parameter may be given only once."),
    ],
)
def test_the_api_refuses_what_means_nothing(api, query, sentence):
    answer = api.get(f"/api/export?{query}")
    assert answer.status_code == 400
    assert sentence in answer.json()["detail"]


def test_the_page_says_what_can_not_be_exported(api):
    land("shop", {"1": {"a": "x" * 32_768}})
    answer = api.get("/explore/export?format=xlsx")
    assert answer.status_code == 400
    assert "Export as CSV, or narrow the filter." in answer.content.decode()
    assert "There is no format" in api.get("/explore/export?format=pdf").content.decode()


def test_the_explorer_links_to_the_export_of_what_it_shows(api):
    land("shop", {"1": sale(1), "2": sale(2)})
    html = api.get("/explore/?source=shop&q=2&status=&sort=-id").content.decode()
    (link, *_) = tree(html).select('a[href^="/explore/export?format=csv&"]')
    rows = table(b"".join(api.get(link["href"])))
    assert [row[0] for row in rows[1:]] == ["shop:2"]


def test_the_command_writes_the_kind_that_the_file_is_named_for(tmp_path):
    land("shop", {"1": sale(1)})
    land("depot", {"1": sale(2)})
    for name in ("a.csv", "a.ndjson", "a.jsonl", "a.ndjson.gz", "a"):
        call_command("export", "--source", "shop", str(tmp_path / name))
    assert (tmp_path / "a.csv").read_bytes() == exported("csv", "source=shop")
    assert (tmp_path / "a").read_bytes() == exported("csv", "source=shop")
    assert (tmp_path / "a.ndjson").read_bytes() == exported("ndjson", "source=shop")
    assert (tmp_path / "a.jsonl").read_bytes() == exported("ndjson", "source=shop")
    assert gzip.decompress((tmp_path / "a.ndjson.gz").read_bytes()) == exported(
        "ndjson", "source=shop"
    )
    call_command("export", "--source=shop", "--source=depot", "--where=value:gt:2",
                 str(tmp_path / "a.xlsx"))  # fmt: skip
    assert [row[0] for row in sheet((tmp_path / "a.xlsx").read_bytes())[1:]] == ["depot:1"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a", "a.csv", "a.jsonl", "a.ndjson", "a.ndjson.gz", "a.xlsx",
    ]  # fmt: skip


def test_the_command_prints_where_no_file_is_named(capfdbinary):
    land("shop", {"1": sale(1)})
    call_command("export", "--format", "ndjson", "--raw")
    assert json.loads(capfdbinary.readouterr().out) == sale(1)


@pytest.mark.parametrize(
    ("arguments", "sentence", "status"),
    [
        (["--source", "nowhere"], "There is no source 'nowhere'.", 2),
        (["--status", "done"], "--status: There is no status “done”.", 2),
        (["--time-from", "x"], "--time-from: Enter a date such as", 2),
        (["/no/such/folder/a.csv"], "/no/such/folder/a.csv can't be written: No such file", 1),
    ],
)
def test_wrong_usage_of_the_command_is_said(arguments, sentence, status):
    land("shop", {"1": sale(1)})
    with pytest.raises(CommandError, match=re.escape(sentence)) as error:
        call_command("export", *arguments)
    assert error.value.returncode == status


# Not those with two rows of names, which become one.
CLEAN: dict[Path, dict[str, list[str]]] = {
    TABLES / "market_sales.csv": {"id": ["Receipt"]},
    TABLES / "store_orders.tsv": {},
    TABLES / "jobless_rate.csv": {},
    TABLES / "bird_strikes.csv": {},
} | {
    path: {"id": ["Invoice ID"]} if path.stem == "supermarket_Sales" else {}
    for path in outside("real/*") + outside("csv-spectrum/csvs/*.csv")
    if path.stem != "StarWars"
}


@pytest.mark.parametrize("path", CLEAN, ids=lambda path: path.stem)
def test_a_clean_file_comes_back_the_same_from_the_command(path, tmp_path):
    run = load(path, "clean", **CLEAN[path])
    assert (run.state, run.rejected) == ("finished", 0)
    delimiter = "\t" if path.suffix == ".tsv" else ","
    encoding = "utf-8-sig" if run.encoding == "utf-8" else run.encoding
    with path.open(encoding=encoding, newline="") as lines:
        expected = list(csv.reader(lines, delimiter=delimiter))
    call_command("export", "--source=clean", "--raw", str(tmp_path / "out.csv"))
    # A column without a name has got one, as the run says.
    head = [name or f"column_{place}" for place, name in enumerate(expected[0], start=1)]
    assert table((tmp_path / "out.csv").read_bytes()) == [head, *expected[1:]]


def test_naughty_strings_go_through_unchanged(api, tmp_path):
    strings = odd_strings()
    path = tmp_path / "blns.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["n", "text"], *enumerate(strings)])
    run = load(path, "naughty", id=["n"])
    assert (run.created, run.rejected) == (len(strings), 0)
    rows = table(exported("csv", "source=naughty", raw=True))
    assert rows == [["n", "text"], *([str(n), text] for n, text in enumerate(strings))]
    lines = exported("ndjson", "source=naughty", raw=True).splitlines()
    assert [json.loads(line)["text"] for line in lines] == strings


def test_naughty_strings_go_through_unchanged_though_they_are_all_there_is(tmp_path):
    strings = odd_strings()
    path = tmp_path / "blns.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["text"], *([text] for text in strings)])
    run = load(path, "naughty")
    assert (run.created, run.rejected) == (len(strings), 0)
    assert exported("csv", "source=naughty", raw=True) == path.read_bytes()


def test_naughty_strings_go_through_the_api_unchanged(api, settings, tmp_path):
    settings.INPUT_DIR = tmp_path / "inputs"
    strings = odd_strings()
    user = User.objects.get(username="reader")
    user.user_permissions.add(Permission.objects.get(codename="add_ingestionrun"))
    body = [{"n": n, "text": text} for n, text in enumerate(strings)]
    answer = api.post("/ingest?source=naughty&id=n", body, format="json")
    assert answer.status_code == 202, answer.json()
    run = work_on(IngestionRun.objects.get(pk=answer.json()["id"]), "worker")
    assert run is not None
    assert (run.created, run.rejected) == (len(strings), 0)
    out = b"".join(api.get("/api/export?source=naughty&format=ndjson&raw=1"))
    assert [json.loads(line) for line in out.splitlines()] == body
