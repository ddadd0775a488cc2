"""The preview of a file with another key offers to give the stored records that key, too."""

import pytest
from django.shortcuts import resolve_url

from ingestion.loading import dry_runs
from records.jobs.runner import work_on
from records.models import DataRecord, IngestionRun, Source
from tests.ingestion.pages.test_preview import Page
from tests.markup import texts
from tests.people import of_role

pytestmark = pytest.mark.django_db

PEOPLE = "".join(f"{n},P{n}@x.org,{n % 5}\n" for n in range(40))
CONTENT = f"id,email,n\n{PEOPLE}".encode()
OFFER = "Give stored records the new key"


@pytest.fixture(autouse=True)
def inputs(settings, tmp_path):
    settings.INPUT_DIR = tmp_path / "inputs"


def previewed(client, **answers):
    """The preview of the file with these answers, once its dry run has ended."""
    page = Page(client, CONTENT)
    page.post(**answers)
    dry = dry_runs.latest(page.run)
    assert dry is not None
    work_on(dry, "tests")
    return page


def test_the_offer_stands_beside_the_doubling_and_makes_the_import_double_nothing(admin_client):
    assert Page(admin_client, CONTENT).load().created == 40
    page = previewed(admin_client, id="email")
    assert "under their former ID: 40." in page.html
    assert OFFER in texts(page.html, "#dry-run button")
    response = page.post("rekey", id="email")
    run = IngestionRun.objects.get(is_rekey=True)
    assert response["Location"] == run.get_absolute_url()
    done = work_on(run, "tests")
    assert done is not None
    assert (done.state, done.rekeyed, done.trigger) == ("finished", 40, "page")
    shown = admin_client.get(run.get_absolute_url()).content.decode()
    assert "40 of 40 stored records have another key." in " ".join(texts(shown, "#progress p"))
    assert page.load().unchanged == 40
    assert DataRecord.objects.count() == 40


def test_without_a_doubling_there_is_no_offer(admin_client):
    Page(admin_client, CONTENT).load()
    assert OFFER not in previewed(admin_client).html


def test_a_key_that_can_not_be_is_said_on_the_preview(admin_client):
    Page(admin_client, CONTENT).load()
    page = Page(admin_client, b"email,other\na,1\nb,2\n")
    response = page.post("rekey", id="other")
    assert response.status_code == 400
    assert "shop has no column 'other'." in page_text(response)


def page_text(response):
    return " ".join(texts(response.content.decode(), "[role=alert] p"))


def test_who_may_not_change_sources_gets_no_offer_and_a_refusal(admin_client, client):
    Page(admin_client, CONTENT).load()
    user = of_role("Editor", "editor")
    client.force_login(user)
    page = previewed(client, id="email")
    may = user.has_perm("records.change_source")
    assert (OFFER in page.html) == may
    assert page.post("rekey", id="email").status_code == (302 if may else 403)


def test_the_former_url_of_a_record_leads_to_the_new_one(admin_client):
    Page(admin_client, CONTENT).load()
    page = previewed(admin_client, id="email")
    page.post("rekey", id="email")
    work_on(IngestionRun.objects.get(is_rekey=True), "tests")
    was, becomes, never = (
        resolve_url(DataRecord(id=f"shop:{key}")) for key in ("7", "P7@x.org", "99")
    )
    response = admin_client.get(was)
    assert (response.status_code, response["Location"]) == (302, becomes)
    assert admin_client.get(becomes).status_code == 200
    assert admin_client.get(never).status_code == 404
    assert Source.objects.get().mapping["id"] == ["email"]


def test_the_undo_page_says_what_it_gives_back(admin_client):
    Page(admin_client, CONTENT).load()
    page = previewed(admin_client, id="email")
    page.post("rekey", id="email")
    run = IngestionRun.objects.get(is_rekey=True)
    work_on(run, "tests")
    shown = admin_client.get(f"/runs/ingestion/{run.pk}/undo/").content.decode()
    assert "40 records of the source get their former key back" in " ".join(texts(shown, "li"))
    assert "New key: email" in " ".join(
        texts(admin_client.get("/runs/").content.decode(), "td, th")
    )
