"""The ID on the preview of an upload: a repeated one is a choice to make, never a surprise."""

import pytest

from ingestion.loading import previews
from ingestion.parsing.inspection import Sizes
from records.models import DataRecord, Source
from tests.ingestion.pages.test_preview import Page

pytestmark = pytest.mark.django_db

ROWS = b"date,customer_id,amount\n2025-01-02,7,1\n2025-01-03,7,2\n2025-01-04,8,3\n"
SHARED = "Rows that share an ID with another row of this file: 1"


@pytest.fixture(autouse=True)
def inputs(settings, tmp_path):
    settings.INPUT_DIR = tmp_path / "inputs"


def test_an_id_that_repeats_has_to_be_confirmed(admin_client):
    page = Page(admin_client, ROWS)
    assert page.answers()["id"] == [""]
    assert SHARED not in page.html
    page.post(id="customer_id")
    assert SHARED in page.html
    assert "Keep this ID. Each updates the one before, so 2 records remain." in page.html
    response = page.post("load")
    assert response.status_code == 400
    assert f"{SHARED}. Each updates the one before, so 2 records remain. Choose" in (
        response.content.decode()
    )
    assert page.post("load", shared_ids="keep").status_code == 302
    page.run.refresh_from_db()
    assert page.run.state == "queued"


def test_the_rows_may_become_records_of_their_own_instead(admin_client):
    page = Page(admin_client, ROWS)
    page.post(id="customer_id")
    page.post(shared_ids="none")
    assert SHARED not in page.html
    page.look()
    assert page.load().created == 3


def test_another_column_settles_it(admin_client):
    page = Page(admin_client, ROWS)
    page.post(id="customer_id")
    page.post(id="amount")
    assert SHARED not in page.html
    assert page.load().created == 3


def test_the_id_that_a_source_has_already_is_not_asked_for_again(admin_client):
    Source.objects.create(
        name="shop",
        mapping={"id": ["customer_id"], "timestamp": [], "value": [], "category": []},
    )
    page = Page(admin_client, ROWS)
    page.look()
    assert f"{SHARED}. Each updates the one before" in page.html
    assert "Keep this ID" not in page.html
    page.post(value="amount")
    assert "Keep this ID" not in page.html


def test_of_a_large_file_the_dry_run_finds_the_id_and_its_repetitions(admin_client, monkeypatch):
    monkeypatch.setattr(previews, "SIZES", Sizes(whole=100, start=150))
    rows = "".join(f"{n},{5000 + n % 40}\n" for n in range(60))
    page = Page(admin_client, f"n,order_no\n{rows}".encode())
    # The beginning says that it does not repeat, and the dry run that it does.
    assert page.answers()["id"] == ["order_no", ""]
    page.look()
    assert page.answers()["id"] == [""]
    page.post(id="order_no")
    assert "Keep this ID" not in page.html
    page.look()
    assert "Keep this ID. Each updates the one before, so 40 records remain." in page.html


def test_a_large_file_that_is_loaded_at_once_gets_the_id_that_all_of_it_bears_out(
    admin_client, monkeypatch
):
    monkeypatch.setattr(previews, "SIZES", Sizes(whole=100, start=150))
    rows = "".join(f"{n},{5000 + n % 40}\n" for n in range(60))
    page = Page(admin_client, f"n,order_no\n{rows}".encode())
    assert page.answers()["id"] == ["order_no", ""]
    assert page.load().created == DataRecord.objects.count() == 60
