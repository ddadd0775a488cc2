"""The explorer in a real browser: facets, conditions, columns, and the URL that tells of them."""

import pytest
from playwright.sync_api import Page, expect

from records.models import IngestionRun
from tests.browser.test_pages import check, violations
from tests.landed import land, process_all, sale

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

RTL = "\u202eevil שלום"


@pytest.fixture
def shop(page: Page) -> Page:
    rows = {str(n): sale(n, city=["Paris", "Rome", "Oslo"][n % 3]) for n in range(90)}
    run = land("shop", rows | {"bad": {"id": "bad", "city": RTL, "a:b": "W" * 300}})
    IngestionRun.objects.filter(pk=run.pk).update(columns=["id", "value", "category", "city"])
    land("depot", {"1": sale(1)})
    process_all()
    return page


def test_the_explorer_is_accessible_however_much_it_shows(shop, complaints):
    urls = [
        "/explore/?facets=1&facet=city&where=id:filled&column=city&column=value&column=a:b",
        "/explore/?source=shop&reason=Data+validation+failed:+'value'+is+missing.",
        "/explore/?where=nonsense",
        "/explore/do/delete?source=shop&where=city:filled",
    ]
    assert [wrong for url in urls for wrong in check(shop, url)] == []
    shop.goto("/explore/?source=shop")
    for summary in shop.locator("details.tool > summary").all():
        summary.click()
    assert violations(shop) == []
    assert [said for said in complaints if "400" not in said] == []


def test_a_facet_narrows_the_list_and_the_url_tells_of_it(shop, complaints):
    shop.goto("/explore/")
    expect(shop.locator("label.check", has_text="toys").locator(".count")).to_have_text("91")
    shop.get_by_role("checkbox", name="shop").check()
    shop.get_by_role("button", name="Filter").click()
    expect(shop.get_by_role("link", name="Source shop")).to_be_visible()
    assert "source=shop" in shop.url
    assert "q=" not in shop.url
    expect(shop.locator("label.check", has_text="toys").locator(".count")).to_have_text("90")
    shop.reload()
    expect(shop.get_by_role("checkbox", name="shop")).to_be_checked()
    shop.get_by_role("link", name="Source shop").click()
    expect(shop.get_by_role("link", name="Source shop")).to_have_count(0)
    shop.go_back()
    expect(shop.get_by_role("checkbox", name="shop")).to_be_checked()
    assert complaints == []


def test_a_condition_is_added_and_taken_away(shop, complaints):
    shop.goto("/explore/?source=shop")
    shop.get_by_text("Condition", exact=True).click()
    shop.get_by_label("Column", exact=True).fill("city")
    shop.get_by_label("Value", exact=True).fill("Rome")
    shop.get_by_role("button", name="Add this condition").click()
    chip = shop.get_by_role("link", name="city is “Rome”")
    expect(chip).to_be_visible()
    assert shop.url.endswith("where=city%3Aeq%3ARome")
    expect(shop.locator(".records tbody tr")).to_have_count(30)
    chip.click()
    expect(shop.locator(".records tbody tr")).to_have_count(50)
    assert complaints == []


def test_columns_of_choice_are_shown(shop, complaints):
    shop.goto("/explore/?source=shop")
    shop.get_by_text("Columns", exact=True).click()
    shop.get_by_role("checkbox", name="city").check()
    shop.get_by_role("button", name="Show these").click()
    expect(shop.locator(".records thead th.cell")).to_have_text(["city"])
    assert "column=city" in shop.url
    assert complaints == []


def test_a_view_is_saved_and_opened(shop, complaints):
    shop.goto("/explore/?source=shop&where=city:eq:Rome")
    shop.get_by_text("Views", exact=True).click()
    shop.get_by_label("Save what is shown as").fill("Rome only")
    shop.get_by_role("button", name="Save this view").click()
    shop.goto("/explore/")
    shop.get_by_text("Views", exact=True).click()
    assert violations(shop) == []
    shop.get_by_role("link", name="Rome only").click()
    expect(shop.locator(".records tbody tr")).to_have_count(30)
    assert complaints == []
