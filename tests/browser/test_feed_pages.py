"""The pages of sources that load themselves, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from ingestion.feeds.services import save_feed
from records.models import Feed, IngestionRun
from tests.browser.test_pages import check

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LONG = "W" * 100


def test_the_pages_of_feeds(page, complaints):
    feed = save_feed(
        source_name=LONG,
        kind="http",
        config={
            "url": f"https://api.example/{'x' * 300}",
            "incremental": {"column": "at", "param": "since"},
        },
        secrets={"Authorization": "Bearer hush"},
        schedule="0 6 * * *",
    )
    Feed.objects.update(position="x" * 300)
    IngestionRun.objects.create(
        source=feed.source,
        feed=feed,
        file_name="a" * 150,
        trigger="schedule",
        state="failed",
        error="It can't be fetched. " * 20,
        pages=[{"url": f"https://api.example/{'x' * 300}", "rows": 3}] * 3,
    )
    urls = ["/feeds/new/", f"/sources/{LONG}/feed/", f"/sources/{LONG}/feed/remove/",
            f"/sources/{LONG}/", "/sources/"]  # fmt: skip
    assert [found for url in urls for found in check(page, url)] == []
    page.goto("/feeds/new/")
    page.get_by_label("Source").fill("shop")
    page.get_by_label("URL").fill("ftp://api.example/")
    page.get_by_label("Secret headers").fill("X-Key: hush")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("The URL must start with https:// or http://")
    expect(page.get_by_label("Secret headers")).to_have_value("")
    assert check(page, page.url) == []
    page.goto("/feeds/new/")
    page.get_by_label("Source").fill("shop")
    page.get_by_label("URL").fill("https://api.example/")
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_url(re.compile("/sources/shop/feed/$"))
    page.get_by_role("button", name="Import now").click()
    expect(page).to_have_url(re.compile("/runs/ingestion/"))
    # The refused form above is answered 400, which the browser tells in its log.
    assert [each for each in complaints if "400 (Bad Request)" not in each] == []
