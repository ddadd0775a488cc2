"""The pages that say how numbers are read in a real browser."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_pages import check
from tests.factories import load, process

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_unreadable_values_lead_to_their_number_format(page, tmp_path, complaints):
    path = tmp_path / "shop.csv"
    path.write_text("id;amount\n1;5\n")
    load(path)
    path.write_text('id;amount\n2;"1.234,50"\n3;"-2,00"\n')
    run = load(path)
    process()
    urls = ["/", "/sources/shop/", run.get_absolute_url(), "/sources/shop/number-format/"]
    assert [found for url in urls for found in check(page, url)] == []
    page.goto("/sources/shop/")
    page.get_by_role("link", name="Set number format and reprocess").click()
    expect(page.get_by_label("Written as in this example")).to_have_value("1.234,56")
    page.get_by_role("button", name="Set number format and reprocess").click()
    expect(page.locator("body")).to_contain_text("Reprocessing is queued.")
    assert complaints == []
