"""The page of statements in SQL in a real browser: with and without a result, by keyboard."""

import pytest
from playwright.sync_api import Page, expect

from explore.columns.folding import fold
from records.models import Source
from tests.browser.test_pages import check
from tests.landed import land, process_all, sale

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def shop(context) -> None:
    land("shop", {str(n): sale(n) for n in range(1, 30)})
    land("a source with a long name, such as people give", {"1": {"id": "1", "W" * 60: "x"}})
    process_all()
    Source.objects.filter(name="shop").update(columns=["id", "value", "category"])
    fold()


def test_a_statement_is_written_run_and_mended_by_keyboard(page: Page, shop, complaints):
    page.goto("/sql/")
    page.get_by_label("Statement").last.focus()
    page.keyboard.type("SELECT id,\n  result_value FROM shop\nORDER BY result_value DESC LIMIT 3")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="3 rows")).to_be_visible()
    expect(page.get_by_role("region", name="Rows").locator("tbody td").nth(1)).to_have_text("29.5")
    expect(page.get_by_label("Statement").last).to_have_value(
        "SELECT id,\n  result_value FROM shop\nORDER BY result_value DESC LIMIT 3"
    )
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert download.value.path().read_text().splitlines() == [
        "id,result_value", "29,29.5", "28,28.5", "27,27.5",
    ]  # fmt: skip
    assert complaints == []


def test_nothing_is_wrong_with_the_page(page: Page, shop):
    wide = ", ".join(f"'{'x' * 40}' AS c{n}" for n in range(12))
    wrong = []
    for statement in ("", "SELECT%20*%20FROM%20shop", f"SELECT {wide}", "SELECT zz FROM shop"):
        wrong += check(page, f"/sql/?statement={statement}" if statement else "/sql/")
    assert wrong == []
