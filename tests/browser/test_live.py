"""Pages that move while a run works, in a real browser."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, Response, expect

from explore.metrics import figures
from processing.jobs.process import create_run
from records.jobs.runner import work_on
from records.models import IngestionRun, Source
from tests.browser.test_pages import settle
from tests.factories import WORKER
from tests.landed import land, process_all, sale

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def working(page: Page) -> IngestionRun:
    """A run that goes on for as long as the test."""
    land("shop", {str(n): sale(n % 9, category="Tea") for n in range(40)})
    process_all()
    return IngestionRun.objects.create(
        source=Source.objects.get(name="shop"),
        file_name="more.csv",
        trigger="test",
        state="running",
        started_at=timezone.now(),
        lease_until=timezone.now() + timedelta(hours=1),
    )


def records(page: Page) -> Locator:
    return page.locator("#totals .tile dd a").first


def is_of_a_page(answer: Response) -> bool:
    return "/static/" not in answer.url


def statuses(page: Page) -> list[int]:
    """What pages, and parts of them, are answered from now on."""
    found: list[int] = []
    page.on(
        "response", lambda answer: found.append(answer.status) if is_of_a_page(answer) else None
    )
    return found


def hear(page: Page) -> None:
    """Wait for the next answer, whenever it comes."""
    page.wait_for_event("response", is_of_a_page)


def test_the_dashboard_moves_and_leaves_alone_what_the_reader_is_at(page, working, complaints):
    page.goto("/?source=shop")
    settle(page)
    page.evaluate("window.isTheSamePage = true")
    category = page.locator("#chart-by-category")
    category.get_by_text("Data", exact=True).click()
    time = page.locator("#chart-over-time")
    time.get_by_text("Data", exact=True).click()
    held = time.locator("td a").first
    held.focus()
    drawn = category.locator(".mark-rect path").first.bounding_box()

    land("shop", {f"new {n}": sale(n, category=["Tea", "Toys"][n % 2]) for n in range(60)})
    work_on(create_run(trigger="test"), WORKER)

    expect(records(page)).to_have_text("100")
    # What is open stays open, with the new numbers; the bars are as long as these say.
    expect(category.locator("details")).to_have_attribute("open", "")
    expect(category.locator("td a")).to_have_text(["70", "30"])
    expect(category.locator(".mark-rect path")).to_have_count(2)
    assert drawn != category.locator(".mark-rect path").first.bounding_box()
    # What has the focus waits until it has not.
    expect(held).to_be_focused()
    assert held.inner_text() == "40"
    held.evaluate("link => link.blur()")
    expect(held).to_have_text("100")
    expect(time.locator("td a")).to_have_count(1)
    expect(time.get_by_label("Status: Processed, Records: 100")).to_have_count(1)
    assert page.evaluate("window.isTheSamePage")
    assert complaints == []


def test_a_new_source_can_be_picked_at_once(page, working, complaints):
    page.goto("/")
    settle(page)
    picker = page.get_by_label("Source", exact=True)
    picker.focus()
    land("depot", {"1": sale(1)})
    expect(page.get_by_text("All records of 2 sources.")).to_be_visible()
    # What has the focus waits until it has not.
    expect(picker.get_by_role("option")).to_have_text(["All sources", "shop"])
    picker.blur()
    expect(picker.get_by_role("option")).to_have_text(["All sources", "depot", "shop"])
    assert complaints == []


def test_what_takes_long_to_count_follows(page, working, complaints, monkeypatch):
    monkeypatch.setattr(figures, "AT_ONCE", 1)
    page.goto("/?source=shop")
    category = page.locator("#chart-by-category")
    expect(category.locator(".drawing svg")).to_be_visible()
    land("shop", {f"new {n}": sale(n, category="Toys") for n in range(60)})
    process_all()
    expect(category.get_by_label("Category: toys, Processed records: 60")).to_have_count(1)
    answers = statuses(page)
    # Once what was on its way has come, nothing changes any more.
    page.wait_for_event("response", lambda answer: is_of_a_page(answer) and answer.status == 304)
    answers.clear()
    hear(page)
    assert answers == [304]
    assert complaints == []


def test_nothing_is_sent_while_nothing_changes(page, working, complaints):
    answers = statuses(page)
    page.goto("/?source=shop")
    settle(page)
    answers.clear()
    page.wait_for_timeout(5_000)
    assert len(answers) <= 3
    hear(page)
    assert set(answers) == {304}
    # A hidden page does not even ask.
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {get: () => window.isHidden ?? true});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(4_000)
    assert asked == []
    with page.expect_response(is_of_a_page) as answer:
        page.evaluate(
            "window.isHidden = false; document.dispatchEvent(new Event('visibilitychange'))"
        )
    assert answer.value.status == 304
    assert complaints == []


def test_a_run_that_stands_still_costs_nothing(page, working, complaints):
    answers = statuses(page)
    page.goto(working.get_absolute_url())
    answers.clear()
    hear(page)
    assert set(answers) == {304}
    IngestionRun.objects.filter(pk=working.pk).update(bytes_read=5, size=10)
    expect(page.get_by_text("5 bytes of 10 bytes")).to_be_visible()
    assert answers.count(200) == 1
    IngestionRun.objects.filter(pk=working.pk).update(state="finished")
    expect(page.get_by_text("finished")).to_be_visible()
    assert complaints == []


def test_an_empty_dashboard_shows_the_first_records(page, complaints):
    source = Source.objects.create(name="shop")
    IngestionRun.objects.create(source=source, file_name="a.csv", trigger="test", state="queued")
    page.goto("/")
    expect(page.get_by_text("No records yet")).to_be_visible()
    land("shop", {"1": sale(1)})
    expect(records(page)).to_have_text("1")
    expect(page.locator("#chart-over-time .drawing svg")).to_be_visible()
    assert complaints == []


def test_a_pause_is_longer_where_no_run_works(page):
    land("shop", {"1": sale(1)})
    page.goto("/")
    expect(page.locator("#live")).to_have_attribute("data-pause", re.compile("^10$"))
