"""The preview says how numbers are read, asks where that can't be told, and what can't be read."""

import re

import pytest

from records.models import ProcessingResult, Source
from tests.factories import process
from tests.ingestion.pages.test_preview import Page

pytestmark = pytest.mark.django_db

AMBIGUOUS = b'id,amount\n1,"1,234"\n2,"5,678"\n'


@pytest.fixture(autouse=True)
def inputs(settings, tmp_path):
    settings.INPUT_DIR = tmp_path / "inputs"


def words(page: Page) -> str:
    """The text of the page."""
    return " ".join(re.sub("<[^>]*>", "", page.html).split())


def values() -> list[float | None]:
    process()
    return list(ProcessingResult.objects.order_by("record_id").values_list("value", flat=True))


def test_the_style_of_the_value_column_is_shown_and_loaded(admin_client):
    page = Page(admin_client, b'id;amount\n1;"1.234,50"\n2;"-2,00"\n')
    assert "1.234,50 is 1234.5 (1.234,56)" in words(page)
    assert page.answers()["number_format"] == ["1.234,56"]
    page.look()
    assert "The numbers in 'amount' are read as 1.234,56." in page.html
    page.load()
    assert values() == [1234.5, -2.0]


def test_numbers_that_can_be_read_in_two_ways_are_asked(admin_client):
    page = Page(admin_client, AMBIGUOUS)
    html = words(page)
    assert "The numbers are ambiguous. Choose their format." in html
    assert "1,234 is 1.234 (1234,56)" in html
    assert "1,234 is 1234 (1,234.56)" in html
    assert page.post("load").status_code == 400
    assert page.post(number_format="1,234.56").status_code == 302
    assert "ambiguous" not in page.html
    assert page.answers()["number_format"] == ["1,234.56"]
    page.look()
    page.load()
    assert values() == [1234.0, 5678.0]
    assert Source.objects.get().mapping["numbers"] == {"amount": {"thousands": ","}}


def test_a_choice_stays_when_something_else_is_changed(admin_client):
    page = Page(admin_client, AMBIGUOUS)
    page.post(number_format="1234,56")
    page.post(on_conflict="keep")
    assert page.answers()["number_format"] == ["1234,56"]
    page.post(value="id")
    assert page.answers()["number_format"] == ["1234.56"]


def test_values_that_can_not_be_read_are_told_in_red_with_their_lines(admin_client):
    page = Page(admin_client, b"id,amount\n1,1.5\n2,bad\n")
    page.look()
    assert "of the values in amount can't be read as numbers, such as 'bad' in line 3" in words(
        page
    )


def test_an_unknown_format_is_refused(admin_client):
    page = Page(admin_client, AMBIGUOUS)
    assert page.post(number_format="x").status_code == 400
