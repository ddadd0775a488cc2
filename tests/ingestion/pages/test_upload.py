"""The upload page."""

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import SourceGrant
from records.jobs.runner import work_on
from records.models import DataRecord, IngestionRun, Source
from tests.people import of_role, viewer

pytestmark = pytest.mark.django_db

CONTENT = b"id,value,category\n1,2.5,tea\n2,3.5,tea\n"


@pytest.fixture(autouse=True)
def inputs(settings, tmp_path):
    settings.INPUT_DIR = tmp_path / "inputs"
    return settings.INPUT_DIR


def send(client, name="sales.csv", content=CONTENT, **fields):
    return client.post("/upload/", {"file": SimpleUploadedFile(name, content), **fields})


def test_a_file_that_is_sent_becomes_a_draft_with_a_preview(admin_client):
    response = send(admin_client)
    run = IngestionRun.objects.get()
    assert response["Location"] == run.get_absolute_url() == f"/upload/{run.pk}/"
    assert (run.state, run.source.name, run.file_name, run.trigger) == (
        "draft", "sales", "sales.csv", "upload",
    )  # fmt: skip
    assert str(run.user) == "admin"
    assert work_on(run, "tests") is None
    assert not DataRecord.objects.exists()


def test_the_source_can_be_named(admin_client):
    send(admin_client, source="shop")
    assert IngestionRun.objects.get().source.name == "shop"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"source": "no name"}, "A name must start with"),
        ({"source": "a\0b"}, "Null characters are not allowed."),
    ],
)
def test_what_can_not_be_taken_is_said_and_the_form_keeps_what_was_written(
    admin_client, fields, sentence
):
    response = send(admin_client, **fields)
    assert response.status_code == 400
    assert sentence in response.content.decode()
    assert not IngestionRun.objects.exists()


@pytest.fixture
def limited(client):
    """Somebody who imports into one source only."""
    user = of_role("Editor", "ann")
    SourceGrant.objects.create(user=user, source=Source.objects.create(name="shop"))
    client.force_login(user)
    return client


def kept(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("path", ["/upload/", "/api/v1/ingest", "/api/v1/dry-runs"])
def test_nothing_is_left_of_a_file_that_is_refused_for_its_name(limited, inputs, path):
    file = SimpleUploadedFile("tickets.csv", CONTENT)
    assert limited.post(path, {"file": file}).status_code == 403
    assert kept(inputs) == []
    assert send(limited, "shop.csv").status_code == 302
    assert len(kept(inputs)) == 1


def test_a_file_that_a_hidden_run_needs_outlives_who_sends_it_too(admin_client, limited, inputs):
    send(admin_client, "tickets.csv")
    assert send(limited, "tickets.csv").status_code == 403
    send(limited, "shop.csv")
    draft = IngestionRun.objects.get(source__name="shop")
    assert limited.post(f"/upload/{draft.pk}/", {"do": "discard"}).status_code == 302
    assert not IngestionRun.objects.filter(pk=draft.pk).exists()
    assert len(kept(inputs)) == 1


def test_a_missing_and_an_empty_file_are_said(admin_client):
    assert "Choose a file" in admin_client.post("/upload/", {}).content.decode()
    assert "This file is empty" in send(admin_client, content=b"").content.decode()


def test_a_file_over_the_limit_is_refused(admin_client, settings, inputs):
    settings.MAX_UPLOAD_BYTES = 10
    response = send(admin_client)
    assert response.status_code == 400
    assert "the limit is 10 bytes" in response.content.decode()
    assert not inputs.exists()


@pytest.mark.parametrize("name", ["../../etc/passwd", "<script>alert(1)<.csv", "ä ö.csv", "." * 20])
def test_a_hostile_file_name_is_only_a_name(admin_client, name):
    response = send(admin_client, name=name, source="shop")
    assert response.status_code in (302, 400)
    for run in IngestionRun.objects.all():
        assert "/" not in run.file_name
        assert "<script>alert" not in admin_client.get(run.get_absolute_url()).content.decode()


def test_the_page_of_a_source_fills_its_name_in(admin_client):
    Source.objects.create(name="shop")
    html = admin_client.get("/upload/?source=shop%22%3E%3Cscript%3E").content.decode()
    assert 'value="shop&quot;&gt;&lt;script&gt;"' in html
    assert '<option value="shop">' in html


def test_uploading_needs_its_permission(client):
    user = viewer("reader")
    client.force_login(user)
    refused = client.get("/upload/")
    assert refused.status_code == 403
    assert "Ask an administrator" in refused.content.decode()
    assert send(client).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="add_ingestionrun"))
    assert client.get("/upload/").status_code == 200
    assert send(client).status_code == 302


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("paper.pdf", b"%PDF-1.4", "it is a PDF document"),
        ("page.html", b"<!DOCTYPE html><p>Not found</p>", "HTML"),
    ],
)
def test_what_is_no_table_is_refused_before_it_leaves_a_trace(
    admin_client, inputs, name, content, reason
):
    response = send(admin_client, name=name, content=content)
    assert response.status_code == 400
    assert reason in response.content.decode()
    assert not Source.objects.exists()
    assert not inputs.exists()


def test_a_full_disk_is_said(admin_client, settings, tmp_path):
    settings.INPUT_DIR = tmp_path / "a file"
    settings.INPUT_DIR.write_text("where a folder should be")
    response = send(admin_client)
    assert response.status_code == 507
    assert "can&#x27;t be stored" in response.content.decode()
    assert not Source.objects.exists()
