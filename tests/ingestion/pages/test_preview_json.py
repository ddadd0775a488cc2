"""The preview of a JSON document with several lists: which of them are the rows is a choice."""

import pytest

from tests.ingestion.pages.test_preview import Page
from tests.markup import texts

pytestmark = pytest.mark.django_db

TWO_LISTS = b'{"shops": [{"s": 1}], "sales": [{"id": 1, "n": 2}, {"id": 2, "n": 3}]}'
OPTIONS = "#reading-rows_path option"


@pytest.fixture(autouse=True)
def inputs(settings, tmp_path):
    settings.INPUT_DIR = tmp_path / "inputs"


def test_the_lists_are_offered_with_their_counts_and_the_chosen_one_is_imported(admin_client):
    page = Page(admin_client, TWO_LISTS, "two.json")
    assert texts(page.html, OPTIONS) == ["Auto-detect", "shops (1 row)", "sales (2 rows)"]
    page.post(rows_path="sales")
    assert texts(page.html, f"{OPTIONS}[selected]") == ["sales (2 rows)"]
    assert page.load().created == 2


def test_a_path_that_leads_nowhere_is_refused(admin_client):
    page = Page(admin_client, TWO_LISTS, "two.json")
    page.post(rows_path="other")
    assert "there is no 'other' in it" in page.html


def test_the_path_to_a_single_list_is_typed(admin_client):
    page = Page(admin_client, b'{"sales": [{"id": 1, "n": 2}]}', "one.json")
    assert not texts(page.html, OPTIONS)
    assert "reading-rows_path" in page.html
