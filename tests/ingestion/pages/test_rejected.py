"""The pages of rejected rows, and the one on which a run is undone."""

import csv
import io

import pytest
from django.contrib.auth.models import Permission

from records.jobs.runner import work_on
from records.models import DataRecord, IngestionRun, RejectedRow, Undo
from tests.factories import WORKER, load
from tests.people import viewer

pytestmark = pytest.mark.django_db


@pytest.fixture
def held(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("id,name,value\n1,Ada,1\n,Bob,2\n3,<b>Cy\n4,Dee,4\n")
    return load(path, "people", id=["id"])


def text(response, status=200):
    assert response.status_code == status
    return response.content.decode()


def row(line):
    return RejectedRow.objects.open().get(line=line)


def test_without_rejected_rows_the_page_says_so(admin_client):
    assert "There is nothing to fix here." in text(admin_client.get("/rejected/"))


def test_the_page_filters_and_counts_by_reason(admin_client, held):
    html = text(admin_client.get(f"/rejected/?run={held.pk}"))
    assert "3,&lt;b&gt;Cy" in html
    assert "Missing key</a> 1" in html
    html = text(admin_client.get("/rejected/?code=missing_key&column=id"))
    assert ",Bob,2" in html
    assert "Cy" not in html
    assert "No rejected rows match" in text(admin_client.get("/rejected/?state=resolved"))
    assert "No rejected rows match" in text(admin_client.get("/rejected/?source=none"))


@pytest.mark.parametrize("query", ["run=x", "run=0", "state=odd", "code=%00", "cursor=odd"])
def test_a_filter_that_makes_no_sense_is_an_error(admin_client, query):
    assert admin_client.get(f"/rejected/?{query}").status_code == 400


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("stat=all", "There is no filter “stat”."),
        ("state=open&state=all", "The filter “state” may be given only once."),
    ],
)
def test_a_filter_that_is_misspelled_or_given_twice_never_shows_more_than_was_meant(
    admin_client, held, query, sentence
):
    assert sentence in text(admin_client.get(f"/rejected/?{query}"), 400)


def test_the_download_is_of_a_run_and_has_no_filters(admin_client, held):
    answer = admin_client.get(f"/runs/ingestion/{held.pk}/rejected.csv?code=missing_key")
    assert "There is no filter “code”." in text(answer, 400)


def test_what_does_not_exist_is_not_found(admin_client, held):
    for path in ("/rejected/?run=99999", "/rejected/99999/", "/runs/ingestion/99999/rejected.csv"):
        assert admin_client.get(path).status_code == 404


def test_a_row_is_repaired_cell_by_cell_and_replayed_at_once(admin_client, held):
    path = f"/rejected/{row(3).pk}/"
    assert 'name="cell-1" value="Bob"' in text(admin_client.get(path))
    answer = admin_client.post(
        path, {"cell-0": "2", "cell-1": "Bob, the", "cell-2": "2"}, follow=True
    )
    assert "Line 3 was imported as record people:2." in text(answer)
    assert DataRecord.objects.get(pk="people:2").data["name"] == "Bob, the"
    assert admin_client.post(path, {"text": "2,x,2"}).status_code == 400


def test_a_row_that_can_not_be_told_apart_is_repaired_as_text(admin_client, held):
    path = f"/rejected/{row(4).pk}/"
    assert '<textarea id="text"' in text(admin_client.get(path))
    html = text(admin_client.post(path, {"text": "3,Cy"}), 400)
    assert "The row has 2 cells, but the header has 3." in html
    assert IngestionRun.objects.count() == 1
    admin_client.post(path, {"text": "3,Cy,3\r\n"})
    assert DataRecord.objects.get(pk="people:3").data["value"] == "3"


def test_text_that_no_database_holds_is_refused(admin_client, held):
    assert admin_client.post(f"/rejected/{row(3).pk}/", {"text": "2,\0,2"}).status_code == 400


def test_the_download_has_the_columns_of_the_input_the_line_and_the_reason(admin_client, held):
    answer = admin_client.get(f"/runs/ingestion/{held.pk}/rejected.csv")
    assert "people.rejected-run-" in answer["Content-Disposition"]
    content = b"".join(answer.streaming_content).decode()
    header, *rows = csv.reader(io.StringIO(content))
    assert header == ["id", "name", "value", f"rejected line (run {held.pk})", "rejected reason"]
    assert rows[0][:4] == ["", "Bob", "2", "3"]
    assert rows[1] == ["3", "<b>Cy", "", "4", "The row has 2 cells, but the header has 3."]


def test_all_open_rows_of_a_run_are_replayed_by_a_worker(admin_client, held):
    path = f"/runs/ingestion/{held.pk}/replay/"
    answer = admin_client.post(path, {"encoding": "no such"}, follow=True)
    assert "no such" in text(answer)
    admin_client.post(path, {"encoding": "latin-1"})
    made = IngestionRun.objects.latest("pk")
    assert (made.parent, made.state, str(made.user)) == (held, "queued", "admin")


def test_who_may_only_look_can_not_repair_replay_or_undo(client, django_user_model, held):
    user = viewer("reader", password="x")
    user.user_permissions.add(Permission.objects.get(codename="view_ingestionrun"))
    client.force_login(user)
    assert "Fix this row" not in text(client.get(f"/rejected/{row(3).pk}/"))
    for path in (
        f"/rejected/{row(3).pk}/",
        f"/runs/ingestion/{held.pk}/replay/",
        f"/runs/ingestion/{held.pk}/undo/",
    ):
        assert client.post(path, {"text": "2,Bob,2"}).status_code == 403


def test_a_run_is_undone_once_that_is_confirmed(admin_client, held):
    path = f"/runs/ingestion/{held.pk}/undo/"
    assert path in text(admin_client.get(held.get_absolute_url()))
    assert "2 records created by this run are deleted" in text(admin_client.get(path))
    assert not Undo.objects.exists()
    admin_client.post(path)
    assert "The undo is waiting for a worker." in text(admin_client.get(held.get_absolute_url()))
    work_on(Undo.objects.get(), WORKER)
    assert not DataRecord.objects.exists()
    assert path not in text(admin_client.get(held.get_absolute_url()))
    answer = admin_client.get(path, follow=True)
    assert "undone" in text(answer)


def test_a_row_of_an_undone_run_is_not_to_be_repaired(admin_client, held):
    row = RejectedRow.objects.filter(run=held).first()
    assert row is not None
    url = f"/rejected/{row.pk}/"
    assert "Fix this row" in text(admin_client.get(url))
    IngestionRun.objects.filter(pk=held.pk).update(state="undone")
    html = text(admin_client.get(url))
    assert "Fix this row" not in html
    assert "was undone" in html


def test_a_row_whose_record_has_been_deleted_since_does_not_lead_to_it(admin_client, held):
    row = RejectedRow.objects.filter(run=held).first()
    assert row is not None
    RejectedRow.objects.filter(pk=row.pk).update(resolved_by=held, record_id="s:gone")
    html = text(admin_client.get(f"/rejected/{row.pk}/"))
    assert "Imported as record s:gone, which has since been deleted," in html
    assert "/explore/record/" not in html


@pytest.fixture
def with_totals(tmp_path):
    path = tmp_path / "stock.csv"
    path.write_text("id,name,n\n# of May\n1,pen,2\n2,ink,3\nTotal,,5\n,cup,7\n")
    return load(path, "stock", id=["id"])


def test_rows_that_are_no_data_are_imported_as_data_by_a_click(admin_client, with_totals):
    assert with_totals.rejected == 3
    html = text(admin_client.get(f"/rejected/?run={with_totals.pk}"))
    assert html.count("Import as data</button>") == 2
    admin_client.post(f"/runs/ingestion/{with_totals.pk}/replay/", {"code": "comment"})
    done = work_on(IngestionRun.objects.latest("pk"), WORKER)
    assert done is not None
    assert (done.read, done.created) == (1, 1)
    assert DataRecord.objects.get(id="stock:# of May").data == {
        "id": "# of May",
        "name": "",
        "n": "",
    }


def test_a_replay_of_all_open_rows_leaves_out_what_is_no_data(admin_client, with_totals):
    admin_client.post(f"/runs/ingestion/{with_totals.pk}/replay/")
    done = work_on(IngestionRun.objects.latest("pk"), WORKER)
    assert done is not None
    assert (done.read, done.rejected) == (1, 1)
    assert {row.code for row in RejectedRow.objects.open()} == {"missing_key", "comment", "total"}


def test_an_unknown_reason_is_refused(admin_client, with_totals):
    answer = admin_client.post(f"/runs/ingestion/{with_totals.pk}/replay/", {"code": "odd"})
    assert answer.status_code == 400


def test_an_empty_file_is_a_finished_run_without_rows(tmp_path):
    path = tmp_path / "nothing.csv"
    path.write_bytes(b"")
    run = load(path, "nothing", id=["id"])
    assert (run.state, run.read, run.notes) == ("finished", 0, ["The file has no rows."])
