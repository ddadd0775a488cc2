"""From a question to a dashboard and a link in a real browser."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, expect

from records.models import Dashboard, SavedQuestion, Source
from tests.browser.test_pages import check, settle
from tests.landed import land

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def shop(context) -> None:
    for month in range(1, 4):
        rows = {
            f"{month}-{n}": {"id": f"{month}-{n}", "Region": region, "Total": f"{month}{n}.10"}
            for n, region in enumerate(["North", "South", "<b>West"])
        }
        land("shop", rows, timestamp=datetime(2026, month, 5, 12, tzinfo=UTC))
    Source.objects.update(columns=["id", "Region", "Total"])


def test_a_question_becomes_a_tile_and_a_link(page: Page, browser: Browser, shop, complaints):
    page.goto("/questions/?source=shop&measure=sum:Total&by=Region")
    # Two clicks to a dashboard.
    page.locator("#save summary").click()
    page.get_by_role("button", name="Save and add to dashboard").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("My dashboard")
    expect(page.locator(".board h2")).to_have_text("shop: Sum of Total by Region")
    settle(page)
    assert page.locator(".board .mark-rect path").count() == 3
    page.get_by_role("link", name="Share link").click()
    page.get_by_role("button", name="Create link").click()
    url = page.get_by_label("Link, valid until").input_value()
    stranger = browser.new_context().new_page()
    stranger.on("console", lambda said: complaints.append(said.text))
    answer = stranger.goto(url)
    assert answer is not None
    assert answer.status == 200
    settle(stranger)
    assert stranger.locator(".board .mark-rect path").count() == 3
    # No mark leads anywhere.
    stranger.locator(".board .mark-rect path").first.dispatch_event("click")
    assert stranger.url == url
    assert stranger.locator("a").count() == 0
    assert check(stranger, url) == []
    stranger.context.close()
    page.goto("/links/")
    page.get_by_role("button", name="Revoke the link").click()
    assert page.request.get(url).status == 404
    assert complaints == []


def test_the_pages_are_accessible_at_any_width(page: Page, shop, complaints):
    page.goto("/questions/?source=shop&measure=sum:Total&by=Region&by=month")
    page.locator("#save summary").click()
    page.get_by_role("button", name="Save and add to dashboard").click()
    question, board = SavedQuestion.objects.get(), Dashboard.objects.get()
    board.tiles = [*board.tiles, {"width": 2, "text": "W" * 90}, {"width": 3, "question": 99}]
    board.save()
    urls = [
        question.get_absolute_url(),
        "/questions/saved/",
        f"/questions/saved/{question.pk}/",
        "/dashboards/",
        f"/dashboards/{board.pk}/?time_from=2026-02-01",
        f"/dashboards/{board.pk}/edit/",
        "/links/",
        f"/links/new?dashboard={board.pk}",
    ]
    assert [found for url in urls for found in check(page, url)] == []
    assert complaints == []
