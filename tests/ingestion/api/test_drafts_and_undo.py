"""Dry runs of files, drafts, and the undo of runs, by API."""

import pytest
from django.contrib.auth.models import Permission, User
from rest_framework.test import APIClient

from records.jobs.runner import work_on
from records.models import DataRecord, DryRun, IngestionRun, Source, Undo
from tests.factories import WORKER, load
from tests.people import viewer

pytestmark = pytest.mark.django_db
CSV = b"id,amount\n1,2\n2,3\n"


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.INPUT_DIR = tmp_path / "inputs"


@pytest.fixture
def api() -> APIClient:
    client = APIClient()
    user = viewer("sender")
    needed = ("add_ingestionrun", "undo_ingestionrun")
    user.user_permissions.add(*Permission.objects.filter(codename__in=needed))
    client.force_login(user)
    return client


@pytest.fixture
def reader() -> APIClient:
    client = APIClient()
    client.force_login(viewer("reader"))
    return client


def dry_run(client, query="source=shop&id=id", body=CSV):
    return client.post(f"/api/v1/dry-runs?{query}", body, content_type="text/csv")


def finish(answer) -> int:
    """Have a worker make the dry run; the number of its draft."""
    dry = DryRun.objects.get(pk=answer.json()["id"])
    work_on(dry, WORKER)
    return answer.json()["run"]


def test_a_dry_run_tells_what_an_import_would_do_and_imports_nothing(api):
    answer = dry_run(api)
    assert answer.status_code == 202
    assert answer["Location"] == f"http://testserver/api/v1/runs/dry_run/{answer.json()['id']}"
    finish(answer)
    report = api.get(answer["Location"]).json()["report"]
    assert (report["read"], report["created"], report["rejected"]) == (2, 2, 0)
    assert report["mapping"]["id"] == ["id"]
    assert not DataRecord.objects.exists()
    assert not Source.objects.exists()


def test_a_draft_is_imported_as_its_dry_run_was_made(api):
    draft = finish(dry_run(api, "source=shop&id=id&on_conflict=keep"))
    answer = api.post(f"/api/v1/drafts/{draft}", {}, format="json")
    assert answer.status_code == 202, answer.json()
    assert answer["Location"] == f"http://testserver/api/v1/runs/ingestion/{draft}"
    work_on(IngestionRun.objects.get(pk=draft), WORKER)
    assert api.get(answer["Location"]).json()["ledger"]["created"] == 2
    assert Source.objects.get(name="shop").on_conflict == "keep"
    assert api.post(f"/api/v1/drafts/{draft}", {}, format="json").status_code == 409


def test_a_policy_that_was_tried_only_does_not_change_the_source(api):
    Source.objects.create(name="shop")
    finish(dry_run(api, "source=shop&id=id&on_conflict=keep"))
    assert Source.objects.get(name="shop").on_conflict == "update"


def test_a_draft_whose_rows_share_an_id_is_imported_only_if_that_is_said(api):
    draft = finish(dry_run(api, body=b"id,amount\n1,2\n1,3\n2,4\n3,5\n"))
    refused = api.post(f"/api/v1/drafts/{draft}", {}, format="json")
    assert refused.status_code == 409
    agreed = api.post(f"/api/v1/drafts/{draft}", {"keep_shared_ids": True}, format="json")
    assert agreed.status_code == 202


def test_a_draft_is_discarded_and_only_by_its_user(api, reader):
    draft = finish(dry_run(api))
    User.objects.get(username="reader").user_permissions.add(
        Permission.objects.get(codename="add_ingestionrun")
    )
    assert reader.delete(f"/api/v1/drafts/{draft}").status_code == 404
    assert reader.post(f"/api/v1/drafts/{draft}", {}, format="json").status_code == 404
    assert api.delete(f"/api/v1/drafts/{draft}").status_code == 204
    assert not IngestionRun.objects.exists()
    assert api.delete(f"/api/v1/drafts/{draft}").status_code == 404


def test_without_the_permission_no_file_is_taken(reader):
    assert dry_run(reader).status_code == 403
    assert not IngestionRun.objects.exists()


@pytest.mark.parametrize("query", ["source=a b", "id=id", "source=s&on_conflict=", "source=s&x=1"])
def test_a_wrong_parameter_of_a_dry_run_is_refused(api, query):
    assert dry_run(api, query).status_code == 400
    assert not IngestionRun.objects.exists()


def test_an_undo_is_previewed_and_then_done_once(api, tmp_path):
    file = tmp_path / "shop.csv"
    file.write_bytes(CSV)
    run = load(file, "shop", id=["id"])
    url = f"/api/v1/runs/ingestion/{run.pk}/undo"
    seen = api.get(url).json()
    assert seen == {
        "can_undo": True, "obstacle": "", "created": 2, "updated": 0, "later_runs": [], "feed": "",
    }  # fmt: skip
    assert DataRecord.objects.count() == 2
    answer = api.post(url)
    assert answer.status_code == 202
    assert api.post(url).status_code == 409
    work_on(Undo.objects.get(pk=answer.json()["id"]), WORKER)
    assert api.get(answer["Location"]).json()["deleted"] == 2
    assert not DataRecord.objects.exists()
    assert api.get(url).json()["can_undo"] is False
    assert api.post(url).json()["code"] == "conflict"


def test_an_undo_needs_the_permission(reader, tmp_path):
    file = tmp_path / "shop.csv"
    file.write_bytes(CSV)
    run = load(file, "shop", id=["id"])
    url = f"/api/v1/runs/ingestion/{run.pk}/undo"
    assert reader.get(url).status_code == 403
    assert reader.post(url).status_code == 403
    assert reader.post("/api/v1/runs/ingestion/99999/undo").status_code == 403


def test_a_draft_has_nothing_to_undo(api):
    draft = finish(dry_run(api, "source=new&id=id"))
    for answer in (
        api.post(f"/api/v1/runs/ingestion/{draft}/undo"),
        api.post("/api/v1/runs/ingestion/999/undo"),
    ):
        assert answer.status_code in (404, 409), answer.content
