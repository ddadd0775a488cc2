"""Sources whose loads fail, in a real browser."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from records.models import Feed, IngestionRun, Source
from tests.browser.test_pages import LONG, check
from tests.landed import land, process_all, sale

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def fail(source: Source, *, hours: int, error: str = "It answers 503.") -> None:
    IngestionRun.objects.create(
        source=source, file_name="x.ndjson", trigger="schedule", state="failed", error=error,
        finished_at=timezone.now() - timedelta(hours=hours),
    )  # fmt: skip


@pytest.fixture
def failing() -> None:
    land("shop", {str(n): sale(n) for n in range(5)})
    process_all()
    for name in ("depot", "shop"):
        source, _ = Source.objects.get_or_create(name=name)
        for hours in (4, 3, 2):
            fail(source, hours=hours, error=f"https://api.example.com/{LONG} can't be fetched.")
    Feed.objects.create(
        source=Source.objects.create(name="late"), kind="http",
        config={"url": "https://api.example.com/"}, schedule="0 6 * * *",
        next_at=timezone.now() - timedelta(hours=2),
    )  # fmt: skip


def test_pages_of_sources_that_fail_are_accessible_at_any_width(page: Page, failing, complaints):
    urls = ["/", "/?source=depot", "/sources/", "/sources/depot/", "/sources/late/feed/", "/runs/"]
    assert [found for url in urls for found in check(page, url)] == []
    assert complaints == []


def test_the_dashboard_shows_a_failure_as_it_happens(page: Page, complaints):
    land("shop", {str(n): sale(n) for n in range(5)})
    page.goto("/")
    health = page.locator("#health")
    expect(health.get_by_text("New", exact=True)).to_be_visible()
    fail(Source.objects.get(), hours=0)
    expect(health.get_by_role("link", name="Failed", exact=True)).to_be_visible()
    fail(Source.objects.get(), hours=0)
    expect(health.get_by_role("link", name="Failed 2 times")).to_be_visible()
    assert complaints == []


def test_a_list_of_runs_moves_and_keeps_the_focus(page: Page, complaints):
    run = IngestionRun.objects.create(
        source=Source.objects.create(name="shop"), file_name="a.csv", trigger="test"
    )
    page.goto("/runs/")
    expect(page.get_by_text("queued")).to_be_visible()
    link = page.get_by_role("link", name="a.csv")
    link.focus()
    IngestionRun.objects.filter(pk=run.pk).update(state="failed", error="It is gone.")
    expect(page.get_by_text("It is gone.")).to_be_visible()
    expect(page.locator(".badge")).to_have_text("failed")
    expect(link).to_be_focused()
    assert complaints == []
