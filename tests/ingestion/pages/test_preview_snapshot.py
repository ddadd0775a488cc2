"""Snapshots in the browser: chosen in preview or settings, and asked about if much is gone."""

import pytest

from records.models import DataRecord, IngestionRun, Source
from tests.ingestion.pages.test_preview import Page

pytestmark = pytest.mark.django_db

ROWS = b"id,amount\n1,5\n2,6\n3,7\n4,8\n"


@pytest.fixture(autouse=True)
def inputs(settings, tmp_path):
    settings.INPUT_DIR = tmp_path / "inputs"


def loaded(client, content, **changed):
    page = Page(client, content)
    page.post(**changed)
    page.look()
    return page


def test_a_file_that_is_a_snapshot_says_what_it_closes(admin_client):
    assert loaded(admin_client, ROWS, is_snapshot="1").load().created == 4
    assert Source.objects.get().is_snapshot
    page = loaded(admin_client, b"id,amount\n1,5\n2,6\n3,9\n")
    assert page.answers()["is_snapshot"] == ["1"]
    assert "Records to be closed, as they are not in this file: 1." in page.html
    run = page.load()
    assert (run.updated, run.closed) == (1, 1)


def test_more_than_half_of_the_records_are_closed_only_if_that_is_confirmed(admin_client):
    loaded(admin_client, ROWS, is_snapshot="1").load()
    page = loaded(admin_client, b"id,amount\n1,5\n")
    assert "3 of 4 records are not in this file, and would be closed." in page.html
    response = page.post("load")
    assert response.status_code == 400
    assert "Confirm that the file is complete." in response.content.decode()
    assert page.post("load", closes_many="1").status_code == 302
    page.run.refresh_from_db()
    assert (page.run.state, page.run.closes_many) == ("queued", True)


def test_a_file_that_nobody_waited_to_see_the_preview_of_closes_not_too_much(admin_client):
    loaded(admin_client, ROWS, is_snapshot="1").load()
    run = Page(admin_client, b"id,amount\n1,5\n").load()
    assert (run.state, run.closed) == ("finished", 0)
    html = admin_client.get(run.get_absolute_url()).content.decode()
    assert "3 of 4 records are not in this file" in html


def test_the_settings_of_a_source_end_it(admin_client):
    loaded(admin_client, ROWS, is_snapshot="1").load()
    url = "/sources/shop/settings/"
    html = admin_client.get(url).content.decode()
    assert 'name="is_snapshot"' in html
    form = admin_client.get(url).context["form"]
    given = {field.name: field.value() or "" for field in form if field.name != "is_snapshot"}
    admin_client.post(url, given)
    assert not Source.objects.get().is_snapshot
    assert loaded(admin_client, b"id,amount\n1,5\n").load().closed == 0
    assert DataRecord.objects.closed().count() == 0
    assert IngestionRun.objects.count() == 2
