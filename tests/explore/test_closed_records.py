"""Closed records: left out of lists and figures unless asked for, and shown as what they are."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from explore.history import history
from explore.metrics import record_counts
from explore.run_changes import Kind, page_of_changes
from ingestion.loading import runs as ingestion_runs
from ingestion.loading import undo
from records import store
from records.jobs.runner import work_on
from records.models import DataRecord, IngestionRun, Source
from tests.factories import WORKER, process
from tests.markup import href, texts
from tests.people import viewer

pytestmark = pytest.mark.django_db


def loaded(path: Path, *keys: int) -> IngestionRun:
    rows = [f"{key},2026-01-0{key},{key},c{key % 2}" for key in keys]
    path.write_text("\n".join(["id,when,value,kind", *rows]) + "\n")
    roles = {"id": ["id"], "timestamp": ["when"], "value": ["value"], "category": ["kind"]}
    run = ingestion_runs.create_run(
        path=path, file_name=path.name, trigger="test", source_name="s", roles=roles
    )
    done = work_on(run, WORKER)
    assert done is not None
    assert done.state == "finished", done.error
    return done


@pytest.fixture
def runs(tmp_path) -> tuple[IngestionRun, IngestionRun]:
    """Of four processed records, the third is closed by the second run."""
    Source.objects.create(name="s", is_snapshot=True)
    first = loaded(tmp_path / "first.csv", 1, 2, 3, 4)
    process("s")
    return first, loaded(tmp_path / "second.csv", 1, 2, 4)


@pytest.fixture
def api() -> APIClient:
    client = APIClient()
    client.force_login(viewer("reader"))
    return client


def ids(answer: Any) -> list[str]:
    return [record["id"] for record in answer.json()["records"]]


@pytest.mark.usefixtures("runs")
class TestTheAPI:
    def test_lists_them_only_if_asked(self, api, runs):
        assert ids(api.get("/records")) == ["s:1", "s:2", "s:4"]
        assert ids(api.get("/records?closed=0")) == ["s:1", "s:2", "s:4"]
        (record,) = api.get("/records?closed=1&result_column=value").json()["records"]
        assert (record["id"], record["status"]) == ("s:3", "processed")
        assert record["closed_by_run"] == runs[1].pk
        assert record["result"] == {"value": 3.0}
        every = api.get("/records?closed=all&sort=timestamp").json()["records"]
        assert {each["id"]: each["closed_by_run"] for each in every} == {
            "s:1": None, "s:2": None, "s:3": runs[1].pk, "s:4": None,
        }  # fmt: skip
        assert len(every) == 4
        assert api.get("/records?closed=2").status_code == 400

    def test_filters_them_by_their_last_result(self, api):
        assert ids(api.get("/records?value_from=3")) == ["s:4"]
        assert ids(api.get("/records?value_from=3&closed=all")) == ["s:3", "s:4"]
        assert ids(api.get("/records?category=c1&closed=1&status=processed")) == ["s:3"]
        assert ids(api.get("/records?sort=timestamp&closed=1")) == ["s:3"]

    def test_shows_one_with_its_last_result(self, api, runs):
        record = api.get("/records/s:3").json()
        assert record["closed_by_run"] == runs[1].pk
        assert record["result"]["processed_data"]["value"] == 3.0
        assert api.get("/records/s:1").json()["closed_by_run"] is None

    def test_does_not_count_them(self, api):
        stats = api.get("/stats").json()
        assert (stats["total_records"], stats["processed_records"]) == (3, 3)
        assert record_counts.closed("s") == 1
        facets = {facet["name"]: facet for facet in api.get("/records/facets").json()["facets"]}
        assert [value["count"] for value in facets["status"]["values"]] == [3]
        assert {v["value"]: v["count"] for v in facets["category"]["values"]} == {"c0": 2, "c1": 1}

    def test_counts_them_on_the_run(self, api, runs):
        run = api.get(f"/api/runs/{runs[1].pk}").json()
        assert (run["closed"], run["reopened"]) == (1, 0)
        (change,) = api.get(f"/api/runs/{runs[1].pk}/changes?kind=closed").json()["changes"]
        assert change["id"] == "s:3"


@pytest.mark.usefixtures("runs")
def test_an_export_has_them_only_if_asked_and_says_so(capsys):
    call_command("export", "--source", "s", "--format", "csv")
    plain = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["record_id"] for row in plain] == ["s:1", "s:2", "s:4"]
    assert "record_closed_by_run" not in plain[0]


def test_downloads_say_since_when_records_are_closed(admin_client, runs):
    def rows(kind: str, closed: str) -> str:
        answer = admin_client.get(f"/export?format={kind}&closed={closed}&result_column=value")
        assert answer.status_code == 200
        return b"".join(answer.streaming_content).decode()

    every = list(csv.DictReader(io.StringIO(rows("csv", "all"))))
    assert {row["record_id"]: row["record_closed_by_run"] for row in every} == {
        "s:1": "", "s:2": "", "s:3": str(runs[1].pk), "s:4": "",
    }  # fmt: skip
    assert every[2]["result_value"] == "3.0"
    (line,) = rows("ndjson", "1").splitlines()
    assert json.loads(line)["closed_by_run"] == runs[1].pk


class TestPages:
    def test_the_explorer_marks_them(self, admin_client, runs):
        html = admin_client.get("/explore/?closed=1").content.decode()
        assert texts(html, "tbody th.key") == ["s:3"]
        assert texts(html, "tbody .mark") == ["closed"]
        html = admin_client.get("/explore/").content.decode()
        assert texts(html, "tbody th.key") == ["s:1", "s:2", "s:4"]

    def test_the_record_says_since_when(self, admin_client, runs):
        html = admin_client.get("/explore/record/s:3").content.decode()
        assert "This record is closed: it is missing from" in html
        assert "Last result" in html

    def test_the_source_links_to_them(self, admin_client, runs):
        html = admin_client.get("/sources/s/").content.decode()
        assert href(html, "a[href*='closed=1']") == "/explore/?source=s&closed=1"
        assert "1 closed record" in html

    def test_the_run_lists_what_it_closed_and_reopened(self, admin_client, runs, tmp_path):
        html = admin_client.get(f"/runs/ingestion/{runs[1].pk}/changes/?kind=closed").content
        assert texts(html.decode(), "tbody th.key") == ["s:3"]
        third = loaded(tmp_path / "third.csv", 1, 2, 3, 4)
        page = admin_client.get(third.get_absolute_url()).content.decode()
        assert "1 record reopened" in " ".join(page.split())
        found = page_of_changes(third, Kind.REOPENED, cursor=None, limit=10)
        assert [(each.record_id, each.is_closed) for each in found.records] == [("s:3", False)]


def test_the_history_tells_of_closing_reopening_and_undo(runs, tmp_path):
    third = loaded(tmp_path / "third.csv", 1, 2, 3, 4)
    work_on(undo.create_undo(run=third, trigger="test"), WORKER)
    parts = [(part.kind, part.title) for part in history(DataRecord.objects.get(pk="s:3"))]
    assert parts[2:] == [
        ("closed", "Closed: missing from second.csv"),
        ("reopened", "Reopened by third.csv"),
        ("undone", f"No longer reopened by ingestion run {third.pk}, which was undone"),
    ]


def test_a_person_may_edit_and_delete_but_not_reprocess_one(runs):
    assert store.requeue_records(ids=["s:3"]) == 0
    store.edit_record(record_id="s:3", data={"id": "3", "value": "9"}, user=None)
    assert DataRecord.objects.get(pk="s:3").closed_by == runs[1]
    assert not store.check_counts()
    store.delete_records(ids=["s:3"])
    assert record_counts.closed("s") == 0
    assert not store.check_counts()
