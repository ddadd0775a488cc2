"""What a run has created and updated: on its page of changes, and by the API."""

import pytest
from rest_framework.test import APIClient

from explore.run_changes import Kind, page_of_changes
from ingestion.loading import undo
from records import store
from records.jobs.runner import work_on
from records.models import IngestionRun
from tests.factories import WORKER, load
from tests.markup import href, tree
from tests.people import viewer

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path):
    return tmp_path / "s.csv"


def loaded(file, *lines: str, **roles) -> IngestionRun:
    file.write_text("\n".join(lines) + "\n")
    run = load(file, "s", id=["id"], **roles)
    assert run.state == "finished", run.error
    return run


def walked(run, kind, limit=2):
    """All changes, page by page, and how many pages there were; each page leads back as well."""
    found, cursor, pages = [], None, 0
    while True:
        page = page_of_changes(run, kind, cursor=cursor, limit=limit)
        if cursor is not None:
            assert page.previous is not None
            before = page_of_changes(run, kind, cursor=page.previous, limit=limit)
            assert [c.record_id for c in before.records] == [
                c.record_id for c in found[-len(before.records) :]
            ]
        found += page.records
        pages += 1
        cursor = page.next
        if cursor is None:
            return found, pages


def ids(changes):
    return [change.record_id.removeprefix("s:") for change in changes]


def cells(changes):
    return [[(c.column, c.before, c.after) for c in change.cells] for change in changes]


def test_all_updated_records_are_listed_with_their_old_and_new_cells(file):
    loaded(file, "id,a,b", *(f"{n},x,y" for n in range(10, 30)))
    run = loaded(file, "id,a,b", *(f"{n},x,{n}" for n in range(10, 25)), "25,x,y")
    found, pages = walked(run, Kind.UPDATED)
    assert ids(found) == [str(n) for n in range(10, 25)]
    assert cells(found) == [[("b", "y", str(n))] for n in range(10, 25)]
    assert len(found) == run.updated
    assert pages == 8


def test_a_record_that_is_changed_later_still_shows_what_the_run_made_of_it(file):
    loaded(file, "id,a", "1,x")
    run = loaded(file, "id,a", "1,y")
    loaded(file, "id,a", "1,z")
    store.edit_record(record_id="s:1", data={"id": "1", "a": "!"}, user=None)
    (change,) = walked(run, Kind.UPDATED)[0]
    assert cells([change]) == [[("a", "x", "y")]]
    assert change.after.line == 2


def test_a_row_that_comes_again_in_a_file_is_a_change_of_its_own(file):
    loaded(file, "id,a", "1,x")
    run = loaded(file, "id,a", "1,y", "2,y", "1,z")
    found, _ = walked(run, Kind.UPDATED)
    assert cells(found) == [[("a", "x", "y")], [("a", "y", "z")]]
    assert [change.after.line for change in found] == [2, 4]
    assert ids(walked(run, Kind.CREATED)[0]) == ["2"]


def test_created_records_are_listed_whatever_has_become_of_them_since(file):
    loaded(file, "id,a", "0,x")
    run = loaded(file, "id,a", *(f"{n},x" for n in range(1, 8)))
    loaded(file, "id,a", "2,y", "4,y", "9,y")
    store.edit_record(record_id="s:5", data={"id": "5", "a": "!"}, user=None)
    found, pages = walked(run, Kind.CREATED)
    assert ids(found) == ["1", "2", "3", "4", "5", "6", "7"]
    assert {change.after.data["a"] for change in found} == {"x"}
    assert pages == 4
    store.delete_records(ids=["s:1", "s:4"])
    assert ids(walked(run, Kind.CREATED)[0]) == ["2", "3", "5", "6", "7"]


def test_what_an_undo_gives_back_is_no_update_of_the_run(file):
    loaded(file, "id,a", "1,x")
    run = loaded(file, "id,a", "1,y", "2,y")
    work_on(undo.create_undo(run=run, trigger="test"), WORKER)
    assert len(walked(run, Kind.UPDATED)[0]) == 1
    assert walked(run, Kind.CREATED)[0] == []


def test_an_update_of_the_timestamp_alone_says_so(file, admin_client):
    loaded(file, "id,on,till", "1,2025-01-02,2025-01-03", timestamp=["on"])
    run = loaded(file, "id,on,till", "1,2025-01-02,2025-01-03", timestamp=["till"])
    (change,) = walked(run, Kind.UPDATED)[0]
    assert change.has_moved
    assert not change.cells
    html = admin_client.get(f"/runs/ingestion/{run.pk}/changes/").content.decode()
    assert "2025-01-02" in html
    assert "2025-01-03" in html


@pytest.mark.parametrize("kind", Kind)
def test_a_page_costs_few_queries(file, kind, django_assert_max_num_queries):
    loaded(file, "id,a", *(f"{n},x" for n in range(40)))
    run = loaded(file, "id,a", *(f"{n},y" for n in range(80)))
    with django_assert_max_num_queries(4):
        page_of_changes(run, kind, cursor=None, limit=50)


def test_the_numbers_of_the_ledger_lead_to_the_changes(file, admin_client):
    loaded(file, "id,a,gone", *(f"{n},x,1" for n in range(60)))
    run = loaded(file, "id,a,new", *(f"{n},<b>," for n in range(60)), "90,z,1")
    html = admin_client.get(run.get_absolute_url()).content.decode()
    created, updated = tree(html).select(".ledger a")
    assert (created.get_text(), updated.get_text()) == ("1", "60")
    html = admin_client.get(updated["href"]).content.decode()
    assert "&lt;b&gt;" in html
    assert "no column" in html
    assert "<b>," not in html
    rows = len(tree(html).select("th[scope=rowgroup]"))
    following = href(html, 'a[rel="next"]')
    html = admin_client.get(f"/runs/ingestion/{run.pk}/changes/{following}").content.decode()
    assert rows + len(tree(html).select("th[scope=rowgroup]")) == 60
    html = admin_client.get(created["href"]).content.decode()
    assert [link.get_text() for link in tree(html).select("th[scope=row] a")] == ["s:90"]


def test_a_run_without_changes_says_so(file, admin_client):
    loaded(file, "id,a", "1,x")
    run = loaded(file, "id,a", "1,x")
    html = admin_client.get(f"/runs/ingestion/{run.pk}/changes/?kind=updated").content.decode()
    assert "has updated no records" in html


@pytest.mark.parametrize("query", ["kind=gone", "cursor=x", "kind=created&cursor=%00"])
def test_what_is_no_list_of_changes_is_a_400(file, admin_client, query):
    run = loaded(file, "id,a", "1,x")
    assert admin_client.get(f"/runs/ingestion/{run.pk}/changes/?{query}").status_code == 400
    assert admin_client.get("/runs/ingestion/999/changes/").status_code == 404


def test_the_changes_need_a_login(client):
    assert client.get("/runs/ingestion/1/changes/").status_code == 302
    assert APIClient().get("/api/runs/1/changes").status_code == 401


def test_the_api_lists_changes_page_by_page(file):
    api = APIClient()
    api.force_login(viewer("reader"))
    loaded(file, "id,a,b", "1,x,y", "2,x,y", "3,x,y")
    run = loaded(file, "id,b,a", "1,y,!", "2,y,!", "3,y,!", "4,y,!")
    first = api.get(f"/api/runs/{run.pk}/changes?limit=2").json()
    assert first["count"] == 2
    assert first["changes"][0] == {
        "id": "s:1",
        "columns": ["a"],
        "before": {"line": 2, "timestamp": None, "data": {"id": "1", "a": "x", "b": "y"}},
        "after": {"line": 2, "timestamp": None, "data": {"id": "1", "a": "!", "b": "y"}},
    }
    second = api.get(first["next"]).json()
    assert [change["id"] for change in second["changes"]] == ["s:3"]
    assert second["next"] is None
    created = api.get(f"/api/runs/{run.pk}/changes?kind=created").json()["changes"]
    assert [(change["id"], change["before"]) for change in created] == [("s:4", None)]
    assert api.get(f"/api/runs/{run.pk}/changes?kind=x").status_code == 400
    assert api.get(f"/api/runs/{run.pk}/changes?cursor=x").status_code == 400
    assert api.get(f"/api/runs/{run.pk}/changes?x=1").status_code == 400
    assert api.get("/api/runs/999/changes").status_code == 404
