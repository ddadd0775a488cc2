"""Times as a reader far from the installation sees them."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.browser.test_pages import settle
from tests.landed import NOON, land, process_all, sale

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ZONE = "America/Los_Angeles"


def test_times_are_in_the_zone_of_the_reader_and_days_of_charts_those_of_utc(
    browser, live_server, context
):
    run = land("shop", {"1": sale(1)}, timestamp=NOON.replace(hour=1))
    land("shop", {"2": sale(2)}, timestamp=NOON - timedelta(days=9))
    process_all()
    there = browser.new_context(base_url=live_server.url, timezone_id=ZONE)
    there.add_cookies(context.cookies())
    page = there.new_page()
    page.goto("/")
    settle(page)
    created = run.created_at.astimezone(ZoneInfo(ZONE))
    row = page.locator("#latest-runs tr", has_text=f"Ingestion {run.pk} ")
    expect(row.locator("time small")).to_contain_text(f"{created:%d %b %Y, %H:%M:%S}")
    chart = page.locator("#chart-over-time")
    said = "Day: 1 Mar 2026, Status: Processed, Records: 1"
    expect(chart.get_by_label(said, exact=True)).to_have_count(1)
    expect(chart.locator(".role-axis-label text", has_text="1 Mar")).to_have_count(1)
    page.goto("/explore/record/shop%3A1")
    # What a record tells is shown as filters mean it.
    told = page.locator("time.moment").first
    expect(told).to_have_text("2026-03-01 01:00:00")
    expect(told).to_have_attribute("title", "28 Feb 2026, 17:00:00 GMT-8")
    there.close()
