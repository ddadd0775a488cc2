"""The dashboard in a real browser: its marks are links, and what takes long comes later."""

import re
from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import QueryDict
from playwright.sync_api import Page, expect

from explore.filters import RecordQuery
from explore.metrics import figures
from records.rows import Reject
from tests.browser.test_pages import check, settle
from tests.landed import NOON, land, process_all, sale

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CHARTS = ("over-time", "distribution", "failures", "by-category", "mean-by-category", "repairs")
REJECTS = (Reject(3, b"a;b", "too_few_cells", "Bad."),)


@pytest.fixture
def shop(page: Page) -> Page:
    rows = {str(n): sale(n % 9, category=["Tea", "Toys"][n % 2]) for n in range(40)}
    land("shop", rows | {"bad": sale(1, value="x"), "none": {"id": "none"}}, rejects=REJECTS)
    process_all()
    return page


def test_a_click_on_a_mark_lists_what_it_counts(shop, complaints):
    for name in CHARTS:
        shop.goto("/")
        settle(shop)
        figure = shop.locator(f"[aria-labelledby={name}-title]")
        bars = figure.locator(".mark-rect path")
        sizes = [bar.bounding_box() for bar in bars.all()]
        areas = [size["width"] * size["height"] if size else 0 for size in sizes]
        bars.nth(areas.index(max(areas))).click(force=True)
        shop.wait_for_url(re.compile("/explore/"))
        query = QueryDict(urlsplit(shop.url).query)
        number = RecordQuery.parse(query).queryset().count()
        assert number > 0
        expect(shop.locator(".records tbody tr")).to_have_count(number)
        # And the number in the table leads there, too.
        shop.go_back()
        settle(shop)
        figure.get_by_text("Data", exact=True).click()
        hrefs = [link.get_attribute("href") or "" for link in figure.locator("td a").all()]
        assert query.dict() in [
            {key: values[0] for key, values in parse_qs(urlsplit(href).query).items()}
            for href in hrefs
        ]
    assert complaints == []


def test_charts_that_come_later_are_drawn_and_accessible(shop, complaints, monkeypatch):
    monkeypatch.setattr(figures, "AT_ONCE", 1)
    shop.goto("/?source=shop")
    expect(shop.locator("[aria-labelledby=by-category-title] .drawing svg")).to_be_visible()
    expect(shop.locator("[aria-labelledby=over-time-title] .drawing svg")).to_have_count(1)
    day = "/?source=shop&from=2026-03-01&to=2026-03-01"
    shop.goto(day)
    expect(shop.locator("[aria-labelledby=over-time-title] .drawing svg")).to_be_visible()
    # Once counted, they come with the page.
    assert check(shop, day) == []
    assert complaints == []


def test_the_range_is_picked_and_survives_reload_and_back(shop, complaints):
    shop.goto("/")
    shop.get_by_role("link", name="7d", exact=True).click()
    expect(shop).to_have_url(re.compile(r"\?range=7d$"))
    shop.locator("#from").fill("2026-02-20")
    shop.get_by_role("button", name="Apply").click()
    expect(shop).to_have_url(re.compile(r"from=2026-02-20"))
    shop.reload()
    expect(shop.locator("#from")).to_have_value("2026-02-20")
    shop.go_back()
    expect(shop.get_by_role("link", name="7d", exact=True)).to_have_attribute(
        "aria-current", "true"
    )
    assert complaints == []


def drag(page: Page, name: str, start: float, end: float) -> None:
    """Drag along the drawing of a chart, between two parts of its width."""
    drawing = page.locator(f"[aria-labelledby={name}-title] .drawing svg")
    drawing.scroll_into_view_if_needed()
    box = drawing.bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * start, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * end, y, steps=5)
    page.mouse.up()


@pytest.mark.parametrize("name", ["over-time", "values-over-time"])
def test_a_drag_along_the_axis_of_time_leads_to_that_range(shop, complaints, name):
    for days in range(1, 30):
        land("shop", {f"d{days}": sale(days)}, timestamp=NOON - timedelta(days=days))
    process_all()
    shop.goto("/?source=shop")
    settle(shop)
    drag(shop, name, 0.4, 0.6)
    shop.wait_for_url(re.compile("from=2026-02-1.&to=2026-02-"))
    query = QueryDict(urlsplit(shop.url).query)
    first, last = (date.fromisoformat(query[end]) for end in ("from", "to"))
    assert 3 <= (last - first).days <= 9
    assert query["source"] == "shop"
    shop.goto("/?source=shop&from=2026-03-01&to=2026-03-01")
    settle(shop)
    drag(shop, name, 0.2, 0.9)
    shop.wait_for_url(re.compile(r"/explore/\?source=shop&time_from=2026-03-01T"))
    assert complaints == []
