"""Parquet: the records and columns of the CSV, with types."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.http import QueryDict
from rest_framework.test import APIClient

from explore.export import parquet, request
from explore.export.errors import TooLargeForParquet
from explore.export.files import export
from explore.export.options import Options
from explore.filters import RecordQuery
from records.jobs.runner import work_on
from records.models import Export
from tests.landed import land, process_all, sale

pytestmark = pytest.mark.django_db

LARGEST_DOUBLE = 2**53


def exported(kind: str, query: str = "", *, raw: bool = False) -> bytes:
    found = RecordQuery.parse(QueryDict(query))
    assert found.is_valid, found.errors
    return b"".join(export(found, options=Options(kind=kind, raw=raw)).content)


def read(content: bytes, folder: Path) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """The types of the columns, and the rows."""
    path = folder / "exported.parquet"
    path.write_bytes(content)
    with duckdb.connect() as duck:
        duck.execute("SET TimeZone = 'UTC'")
        found = duck.read_parquet(str(path))
        types = dict(zip(found.columns, map(str, found.types), strict=True))
        return types, [dict(zip(types, row, strict=True)) for row in found.fetchall()]


def test_timestamps_and_results_have_types_and_cells_of_the_data_are_exact_text(tmp_path):
    land("shop", {"1": sale(1), "2": sale(2, value="00501.50")})
    process_all()
    query = "source=shop&result_column=value&result_column=category"
    types, rows = read(exported("parquet", query), tmp_path)
    head, *lines = csv.reader(io.StringIO(exported("csv", query).decode()))
    assert list(types) == head
    assert types["record_timestamp"] == "TIMESTAMP WITH TIME ZONE"
    assert (types["value"], types["result_value"]) == ("VARCHAR", "DOUBLE")
    assert [row["record_id"] for row in rows] == [line[0] for line in lines]
    assert [row["value"] for row in rows] == ["1.5", "00501.50"]
    assert [row["result_value"] for row in rows] == [1.5, 501.5]
    assert rows[0]["record_timestamp"].astimezone(UTC) == datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "cell", ['a"b', "a\nb\r\n", "\t", "\x01\x01x\x01", "=1+1", "é😀", " ", "NULL"]
)
def test_any_text_comes_out_as_it_is(cell, tmp_path):
    land("shop", {"1": sale(1, category=cell)})
    _, rows = read(exported("parquet", raw=True), tmp_path)
    assert rows[0]["category"] == cell


def test_an_empty_cell_is_text_and_one_that_is_missing_is_null(tmp_path):
    land("shop", {"1": {"id": "1", "a": ""}, "2": {"id": "2", "b": None}})
    _, rows = read(exported("parquet", raw=True), tmp_path)
    assert [(row["a"], row["b"]) for row in rows] == [("", None), (None, None)]


@pytest.mark.parametrize(
    ("cells", "of_type"),
    [
        ([1, 2.5, None], "DOUBLE"),
        ([LARGEST_DOUBLE, LARGEST_DOUBLE + 1], "VARCHAR"),
        ([10**400], "VARCHAR"),
        ([1, "x"], "VARCHAR"),
        ([True, 1], "VARCHAR"),
        ([None], "VARCHAR"),
    ],
)
def test_results_are_numbers_only_where_doubles_hold_all_of_them(cells, of_type):
    lines = parquet._Lines(1)
    lines.write(io.BytesIO(), [["id"] * len(cells)], [cells])
    assert lines.result_types() == [of_type]


def test_names_that_duckdb_can_not_tell_apart_get_a_number(tmp_path):
    land("shop", {"1": {"id": "1", "Name": "a", "name": "b", "": "c"}})
    types, rows = read(exported("parquet", raw=True), tmp_path)
    assert {"id", "column"} < set(types)
    assert any(name.endswith("~2") for name in types)
    assert {"a", "b", "c"} < set(rows[0].values())


def test_nothing_found_is_a_file_without_rows(tmp_path):
    land("shop", {"1": sale(1)})
    types, rows = read(exported("parquet", "q=nowhere"), tmp_path)
    assert "record_id" in types
    assert rows == []


def test_many_columns_and_long_cells_fit(tmp_path):
    wide = {f"column {place}": "x" for place in range(1_000)}
    land("shop", {"1": {**wide, "long": "y" * 900_000}, "2": wide})
    types, rows = read(exported("parquet", raw=True), tmp_path)
    assert len(types) == 1_001
    assert [len(row["long"] or "") for row in rows] == [900_000, 0]


def test_what_duckdb_has_no_memory_for_is_a_sentence(monkeypatch):
    def fails(*args: Any, **kwargs: Any) -> None:
        raise duckdb.OutOfMemoryException("failed to allocate")

    land("shop", {"1": sale(1)})
    monkeypatch.setattr(parquet, "_write", fails)
    with pytest.raises(TooLargeForParquet, match="Export as CSV, or choose fewer columns"):
        exported("parquet")


def test_it_comes_by_api_and_command(api, tmp_path):
    land("shop", {"1": sale(1)})
    answer = api.get("/api/v1/export?format=parquet&source=shop")
    assert answer["Content-Type"] == "application/vnd.apache.parquet"
    assert answer["Content-Disposition"] == 'attachment; filename="shop.parquet"'
    assert read(b"".join(answer), tmp_path)[1][0]["record_id"] == "shop:1"
    call_command("export", str(tmp_path / "a.parquet"), "--source", "shop")
    assert read((tmp_path / "a.parquet").read_bytes(), tmp_path)[1][0]["record_id"] == "shop:1"


def test_a_large_one_is_made_by_a_worker(api, monkeypatch, settings, tmp_path):
    settings.EXPORT_DIR = tmp_path
    monkeypatch.setattr(request, "MOST_AT_ONCE", 1)
    land("shop", {"1": sale(1), "2": sale(2)})
    assert api.get("/api/v1/export?format=parquet&source=shop").status_code == 202
    made = Export.objects.get()
    work_on(made, worker="test")
    made.refresh_from_db()
    assert (made.file_name, made.total) == ("shop.parquet", 2)
    assert len(read(made.path.read_bytes(), tmp_path)[1]) == 2


@pytest.fixture
def api(admin_user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(admin_user)
    return client
