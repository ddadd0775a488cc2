"""The pages of rules in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from processing.engine.proposals import look_at, propose
from records import store
from records.models import Source
from tests.browser.test_pages import EVIL, LONG, RTL, check
from tests.landed import land, process_all, sale
from tests.processing.rules.test_kinds import STEPS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def shop() -> Source:
    rows = {str(n): sale(n, note="word " * 40) for n in range(12)}
    rows |= {"bad": sale(1, value="bad"), EVIL: {EVIL: EVIL}, RTL: sale(2, category=RTL)}
    land("shop", rows)
    process_all()
    Source.objects.update(columns=["id", "value", "category", "note", EVIL])
    return Source.objects.get()


def test_the_pages_are_accessible_at_any_width(page, shop, complaints):
    odd = [{"rule": "drop", "columns": [EVIL, LONG], "note": RTL, "off": True}]
    store.save_rule_set(source=shop, rules=[*STEPS, *odd], note=LONG)
    store.save_rule_set(source=shop, rules=propose(look_at([sale(1)]), shop.mapping), note=EVIL)
    urls = ["/sources/shop/rules/", "/sources/shop/rules/?from=2", "/sources/shop/rules/compare/"]
    assert [found for url in urls for found in check(page, url)] == []
    assert complaints == []


def test_rules_are_tried_while_they_are_typed_and_saved(page, shop, complaints):
    page.goto("/sources/shop/rules/")
    trial = page.locator("#trial")
    expect(trial).to_contain_text("bad → 0.0")
    page.get_by_label("Default", exact=True).fill("7")
    page.get_by_label("Default", exact=True).press("Tab")
    expect(trial).to_contain_text("bad → 7.0")
    page.get_by_label("Default", exact=True).fill("seven")
    page.get_by_label("Default", exact=True).press("Tab")
    expect(trial).to_contain_text("Rule 2: 'default' of 'number' must be a number.")
    page.get_by_label("Default", exact=True).fill("8")
    page.get_by_label("Default", exact=True).press("Enter")
    expect(page.get_by_label("Default", exact=True)).to_have_value("8")
    work_by_buttons(page)
    assert complaints == []


def test_the_page_works_without_scripts(browser, live_server, context, shop):
    plain = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    plain.add_cookies(context.cookies())
    page = plain.new_page()
    page.goto("/sources/shop/rules/")
    page.get_by_label("Default", exact=True).fill("9")
    page.get_by_role("button", name="Update preview").click()
    expect(page.locator("#trial")).to_contain_text("bad → 9.0")
    work_by_buttons(page)
    plain.close()


def work_by_buttons(page: Page) -> None:
    """Add a step, move it up, remove another, and save."""
    page.get_by_label("New rule").select_option("drop")
    page.get_by_role("button", name="Add rule").click()
    expect(page.locator("#step-5 h2")).to_have_text("5. Drop columns")
    page.locator("#step-5").get_by_label("Columns").fill("note")
    page.get_by_role("button", name="Move rule 5 up").click()
    expect(page.locator("#step-4 h2")).to_have_text("4. Drop columns")
    page.get_by_role("button", name="Remove rule 1").click()
    expect(page.locator("#step-3 h2")).to_have_text("3. Drop columns")
    page.get_by_label("Note", exact=True).last.fill("Fewer")
    page.get_by_role("button", name="Save as version 2").click()
    expect(page.locator("main")).to_contain_text("Version 2 is now active")
    page.get_by_role("link", name="Compare").click()
    expect(page).to_have_url(re.compile("/sources/shop/rules/compare/$"))
    expect(page.get_by_role("rowheader", name="removed")).to_have_count(1)
