"""A run under way and the settings of a source in a real browser."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from records.models import Heartbeat, IngestionRun, ProcessingRun, RejectedRow, Source
from tests.browser.test_pages import check

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def run(context) -> IngestionRun:
    Heartbeat.objects.create(queue="ingestion", seen_at=timezone.now() + timedelta(hours=1))
    source = Source.objects.create(
        name="shop",
        columns=["id", "w" * 90],
        mapping={"id": ["id"]},
        reading={"encoding": "cp1252"},
    )
    run = IngestionRun.objects.create(
        source=source, file_name="sales.csv", trigger="upload", state="running", size=40_000_000,
        bytes_read=10_000_000, columns=["id"], read=200_000, created=199_000, rejected=1_000,
        started_at=timezone.now() - timedelta(seconds=10),
        lease_until=timezone.now() + timedelta(hours=1),
        pages=[{"url": "https://a.example/" + "x" * 300, "rows": 5}],
    )  # fmt: skip
    RejectedRow.objects.create(
        run=run, line=199_999, raw=b"x", code="short", message="The row has 3 cells, not 5.",
        created_at=timezone.now(),
    )  # fmt: skip
    return run


def test_a_run_under_way_and_settings_are_accessible_at_any_width(page, run, complaints):
    processing = ProcessingRun.objects.create(
        source=run.source, trigger="page", state="running", total=100, processed=20, failed=20,
        started_at=timezone.now(), lease_until=timezone.now() + timedelta(hours=1),
    )  # fmt: skip
    urls = [run.get_absolute_url(), processing.get_absolute_url(), "/sources/shop/settings/",
            "/sources/shop/"]  # fmt: skip
    assert [found for url in urls for found in check(page, url)] == []
    page.goto("/sources/shop/settings/")
    page.get_by_label("ID columns").fill("nope")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_role("alert")).to_contain_text("no column 'nope'")
    page.get_by_label("ID columns").fill("id")
    page.get_by_label("When an existing record changes").select_option("reject")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_text("Settings saved.")).to_be_visible()
    expect(page.get_by_text("reject the row")).to_be_visible()
    assert [said for said in complaints if "400" not in said] == []


def test_progress_moves_by_itself_and_the_keyboard_reaches_cancel(page, run, complaints):
    page.goto(run.get_absolute_url())
    bar = page.get_by_role("progressbar")
    expect(bar).to_have_attribute("aria-valuenow", "25.0")
    widths = [rect.bounding_box()["width"] for rect in page.locator(".meter rect").all()]
    assert widths[0] > widths[1] > 1
    cancel = page.get_by_role("button", name="Cancel")
    cancel.focus()
    IngestionRun.objects.filter(pk=run.pk).update(bytes_read=20_000_000)
    expect(bar).to_have_attribute("aria-valuenow", "50.0")
    expect(page.get_by_text(re.compile(r"rows/s"))).to_be_visible()
    expect(page.get_by_text("The row has 3 cells, not 5.").first).to_be_visible()
    # The part that moved took the place of the one that had the focus.
    expect(cancel).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Run cancelled.")).to_be_visible()
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert complaints == []


def test_the_badge_moves_with_what_the_run_does(page, run, complaints):
    fetching = {"path": "", "size": 0, "bytes_read": 0, "columns": []}
    IngestionRun.objects.filter(pk=run.pk).update(state="queued", **fetching)
    page.goto(run.get_absolute_url())
    badge = page.locator(".heading .badge")
    expect(badge).to_have_text("queued")
    expect(page.get_by_text("Waiting for a worker")).to_be_visible()
    activity = "No page from api.example.com: it answers 503 (Service Unavailable). Tried once."
    IngestionRun.objects.filter(pk=run.pk).update(state="running", activity=activity)
    expect(page.get_by_text(activity)).to_be_visible()
    expect(badge).to_have_text("running")
    expect(page.get_by_text("0 bytes")).to_have_count(0)
    assert check(page, run.get_absolute_url()) == []
    assert complaints == []


def test_without_javascript_a_run_can_be_followed_and_cancelled(browser, live_server, context, run):
    plain = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    plain.add_cookies(context.cookies())
    page = plain.new_page()
    page.goto(run.get_absolute_url())
    expect(page.get_by_text("10.0 MB of 40.0 MB")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Run cancelled.")).to_be_visible()
    plain.close()
