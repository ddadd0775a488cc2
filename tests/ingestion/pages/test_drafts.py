"""Drafts leave nothing behind, and are proposed for the source that they look like."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from ingestion.loading import runs
from records.models import Feed, IngestionRun, Source
from tests.factories import load
from tests.ingestion.pages.test_preview import Page

pytestmark = pytest.mark.django_db

KNOWN = "id,day,amount\n1,2025-01-02,5\n"
LATER = b"amount,id,day\n7,2,2025-01-03\n"
PROPOSED = "This file has the same columns as the last one of a source"


@pytest.fixture(autouse=True)
def inputs(settings, tmp_path):
    settings.INPUT_DIR = tmp_path / "inputs"


@pytest.fixture
def shop(tmp_path):
    path = tmp_path / "shop.csv"
    path.write_text(KNOWN)
    return load(path).source


def test_a_source_is_there_once_a_file_is_loaded_into_it(admin_client):
    page = Page(admin_client, source="bazaar")
    assert "into a new source, bazaar" in page.html
    assert not Source.objects.exists()
    for url in ("/", "/sources/", "/upload/", "/admin/records/source/"):
        assert "/sources/bazaar/" not in admin_client.get(url).content.decode()
    assert 'value="bazaar"' not in admin_client.get("/upload/").content.decode()
    assert admin_client.get("/sources/bazaar/").status_code == 404
    assert admin_client.get("/runs/").status_code == 200
    page.load()
    assert Source.objects.names() == ["bazaar"]
    assert admin_client.get("/sources/bazaar/").status_code == 200


def test_the_last_draft_that_is_discarded_takes_its_source_along(admin_client):
    first, second = Page(admin_client), Page(admin_client, b"id,n\n1,2\n")
    first.post("discard")
    assert Source.everything.exists()
    second.post("discard")
    assert not Source.everything.exists()


def test_a_source_that_others_need_meanwhile_stays(admin_client, tmp_path):
    page = Page(admin_client)
    path = tmp_path / "shop.csv"
    path.write_text(KNOWN)
    runs.create_run(path=path, file_name=path.name, trigger="test")
    assert Source.objects.names() == ["shop"]
    page.post("discard")
    assert Source.objects.names() == ["shop"]


def test_a_source_that_a_person_adds_keeps_the_drafts_of_its_name(admin_client):
    page = Page(admin_client)
    sent = {"name": "shop", "mapping": "{}", "on_conflict": "update"}
    assert admin_client.post("/admin/records/source/add/", sent).status_code == 302
    assert Source.objects.get().pk == page.run.source_id
    page.post("discard")
    assert Source.objects.names() == ["shop"]


def test_an_automatic_import_makes_the_source_of_a_draft_a_real_one(admin_client, tmp_path):
    page = Page(admin_client)
    source = Source.everything.ensured("shop")
    Feed.objects.create(source=source, kind=Feed.Kind.FOLDER, config={})
    page.post("discard")
    assert Source.objects.names() == ["shop"]


def test_a_file_without_a_source_is_proposed_for_the_one_with_its_columns(admin_client, shop):
    page = Page(admin_client, LATER, name="export.csv", source="")
    html = page.html
    assert PROPOSED in html
    assert "makes a new source, export." in html
    page.post("move", source="shop")
    assert not Source.everything.filter(name="export").exists()
    assert PROPOSED not in page.html
    page.look()
    run = page.load()
    assert (run.source, run.created, run.mapping["id"]) == (shop, 1, ["id"])


def test_it_is_a_choice(admin_client, shop):
    page = Page(admin_client, LATER, name="export.csv", source="")
    assert page.load().source.name == "export"


def test_nothing_is_proposed_if_the_source_is_named_or_the_columns_differ(admin_client, shop):
    assert PROPOSED not in Page(admin_client, LATER, source="other").html
    assert PROPOSED not in Page(admin_client, b"id,n\n1,2\n", name="new.csv", source="").html


def test_a_draft_is_not_moved_to_a_source_that_is_not_there(admin_client, shop):
    page = Page(admin_client, LATER, name="export.csv", source="")
    page.post("move", source="nowhere")
    assert IngestionRun.objects.get(pk=page.run.pk).source.name == "export"
    sent = {"file": SimpleUploadedFile("shop.csv", LATER), "source": ""}
    assert admin_client.post("/upload/", sent).status_code == 302
