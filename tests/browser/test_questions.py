"""The page of questions in a real browser: each mark of a drawing leads to its records."""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from records.models import Source
from tests.browser.test_pages import check, settle
from tests.landed import land

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

REGIONS = ["North", "South", "a&b=c", "<b>'\"#?/", "W" * 90, "", "שלום"]
QUESTIONS = {
    "bars": "by=Region",
    "columns": "by=month",
    "stack": "by=month&by=City",
    "heat map": "by=Region&by=City",
    "ranges": "by=bin:Total",
}
RECORDS = re.compile(r"Records: ([\d,]+)$")


@pytest.fixture
def shop(context) -> None:
    for month in range(1, 8):
        rows = {
            f"{month}-{n}": {
                "id": f"{month}-{n}",
                "Region": REGIONS[n * month % len(REGIONS)],
                "City": ["Paris", "Rome", "Oslo"][n % 3],
                "Total": f"{n * month}.50" if n % 9 else "n/a",
            }
            for n in range(month, 20)
        }
        land("shop", rows, timestamp=datetime(2026, month, 5, 12, tzinfo=UTC))
    Source.objects.update(columns=["id", "Region", "City", "Total"])


@pytest.mark.parametrize("kind", QUESTIONS)
def test_each_mark_leads_to_its_records(page: Page, shop, complaints, kind):
    url = f"/questions/?source=shop&measure=count&{QUESTIONS[kind]}"
    page.goto(url)
    settle(page)
    marks = page.locator(".drawing .mark-rect path[aria-label]")
    assert marks.count() > 1
    for place in range(min(3, marks.count())):
        mark = marks.nth(place)
        said = RECORDS.search(mark.get_attribute("aria-label") or "")
        assert said is not None
        mark.dispatch_event("click")
        page.wait_for_url(re.compile("/explore/"))
        expect(page.locator("th.key")).to_have_count(int(said[1].replace(",", "")))
        page.goto(url)
        settle(page)
    assert complaints == []


def test_the_page_is_accessible_at_any_width(page: Page, shop, complaints):
    wrong = []
    for query in ("", *(f"?source=shop&{query}" for query in QUESTIONS.values()), "?by=none"):
        wrong += check(page, f"/questions/{query}")
    assert wrong == []
