"""The page of a dry run in a real browser."""

import pytest
from playwright.sync_api import expect

from processing.jobs import rule_dry_runs
from processing.rules import Step
from records.jobs.runner import work_on
from records.models import RuleDryRun, Source
from tests.browser.test_pages import EVIL, LONG, RTL, check
from tests.factories import WORKER
from tests.landed import land, process_all, sale

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def shop() -> Source:
    rows = {str(n): sale(n, note="word " * 60) for n in range(12)}
    rows |= {"bad": sale(1, value=EVIL), LONG: sale(2, category=LONG), RTL: sale(3, category=RTL)}
    land("shop", rows)
    process_all()
    land("shop", {"waits": sale(4)})
    return Source.objects.get()


def test_a_draft_is_tested_from_its_form_and_taken_back(page, shop, complaints):
    page.goto("/sources/shop/rules/")
    page.get_by_label("Default", exact=True).fill("7")
    page.get_by_role("button", name="Test on all records").click()
    expect(page.get_by_text("Waiting for a worker")).to_be_visible()
    work_on(RuleDryRun.objects.get(), WORKER)
    expect(page.get_by_text("0.0 → 7.0")).to_be_visible()
    expect(page.locator(".heading .badge")).to_have_text("finished")
    page.get_by_role("link", name="Back to the draft").click()
    expect(page.get_by_label("Default", exact=True)).to_have_value("7")
    assert complaints == []


def test_the_page_is_accessible_at_any_width(page, shop, complaints):
    rules: list[Step] = [
        {"rule": "number", "column": "value", "on_failure": "fail"},
        {"rule": "drop", "columns": ["note", EVIL, LONG]},
        {"rule": "text", "column": "category", "upper": True},
        {"rule": "unique", "columns": ["value"]},
    ]
    finished = rule_dry_runs.start(shop, rules)
    work_on(finished, WORKER)
    failed = rule_dry_runs.start(shop, [])
    RuleDryRun.objects.filter(pk=failed.pk).update(state="failed", error="It broke.")
    waiting = rule_dry_runs.start(shop, rules)
    urls = [r.get_absolute_url() for r in (finished, failed, waiting)]
    assert [found for url in urls for found in check(page, url)] == []
    assert complaints == []
