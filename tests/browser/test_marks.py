"""Every mark of every chart, and every number in the tables behind them, clicked in a browser."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, Request

from records.models import ProcessingResult
from records.rows import Reject
from tests.browser.test_pages import settle
from tests.explore.dashboard.test_dashboard import listed
from tests.landed import NOON, land, process_all, sale

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

REJECTS = tuple(
    Reject(n, b"a;b", ["too_few_cells", "missing_key"][n % 2], "Bad.") for n in (3, 4, 5)
)
KINDS = ["Tea", "a&b=c;d", "100% +1", "\u202eשלום 🍵", "<b>'\"#?/", "W" * 90, "two\nlines"]
CHARTS = {
    "over-time", "values-over-time", "distribution", "failures", "by-category",
    "mean-by-category", "repairs", "rejections",
}  # fmt: skip
# What a mark counts, as it says of itself.
COUNTED = re.compile(
    r"(?:Records|Values|Anomalies|records|rows): ([\d,]+)(?:, Cumulative share: .+)?$"
)


@pytest.fixture
def shops(context) -> None:
    """Two sources with everything that a chart can show."""
    rows = {str(n): sale(n % 9, category=KINDS[n % len(KINDS)]) for n in range(70)}
    rows |= {"far": sale(1, value="100000"), "low": sale(1, value="-5e-7")}
    rows |= {f"bad {n}": sale(1, value="x") for n in range(3)}
    rows |= {"none": {"id": "none", "value": ""}, "x": {"id": "", "value": "1"}}
    land("shop", rows, rejects=REJECTS)
    for hours in (1, 11, 24, 50, 24 * 40):
        at = NOON - timedelta(hours=hours)
        land("shop", {f"h{hours} {n}": sale(n) for n in range(3)}, timestamp=at)
    land("shop", {"undated": sale(1), "undated bad": {"id": "1"}}, timestamp=None)
    land("depot", {"1": sale(1), "2": {"id": "2"}}, timestamp=None)
    process_all()
    ProcessingResult.objects.filter(value__in=[100_000, 8.5]).update(anomaly="Far off.")
    land("shop", {"raw": sale(9)})


def clicked(page: Page, chart: str) -> list[tuple[str, str]]:
    """(address, name) of each mark of a chart: where a click on it leads, and what it says."""
    drawing = page.locator(f"#chart-{chart} .drawing")
    marks = drawing.locator(":is(.mark-rect, .mark-symbol) path[aria-label]")
    found = []
    for mark in marks.all():
        name = mark.get_attribute("aria-label") or ""
        if name.endswith(" 0") or not (COUNTED.search(name) or "Average" in name):
            continue
        with page.expect_request(re.compile("/(explore|rejected)/")) as request:
            mark.dispatch_event("click")
        found.append((path_of(request.value, page), name))
    return found


def path_of(request: Request, page: Page) -> str:
    return request.url.removeprefix(page.evaluate("location.origin"))


@pytest.mark.parametrize(
    ("query", "charts"),
    [
        ("", CHARTS | {"by-source"}),
        ("?source=shop&repaired=1", CHARTS),
        ("?source=shop&from=2026-03-01&to=2026-03-01", CHARTS),
        ("?source=depot", {"by-category", "mean-by-category", "distribution", "failures"}),
    ],
)
def test_each_mark_and_number_leads_to_as_many_rows_as_it_says(
    page, shops, client, complaints, query, charts
):
    # The browser goes nowhere, so that all marks of a page can be clicked.
    page.route(re.compile("/(explore|rejected)/"), lambda route: route.fulfill(status=204))
    page.goto(f"/{query}", timeout=30_000)
    settle(page)
    wrong = []
    numbers: dict[str, int] = {}
    marked: dict[str, set[str]] = {}
    for chart in sorted(charts):
        for link in page.locator(f"#chart-{chart} td a").all():
            address = link.get_attribute("href") or ""
            numbers[address] = int((link.text_content() or "").replace(",", ""))
    for chart in sorted(charts):
        for address, name in clicked(page, chart):
            marked.setdefault(chart, set()).add(address)
            said = COUNTED.search(name)
            if address not in numbers:
                wrong.append(f"{chart}: {name} leads to {address}, and no number does")
            elif said and chart != "mean-by-category":
                count = int(said[1].replace(",", ""))
                if count != numbers[address]:
                    wrong.append(f"{chart}: {name}, but {numbers[address]} in the table")
    for address, number in numbers.items():
        if (count := listed(client, address)) != number:
            wrong.append(f"{address} lists {count}, not {number}")
    assert wrong == []
    assert set(marked) == charts
    if "values-over-time" in charts:
        assert any("anomaly=1" in address for address in marked["values-over-time"])
    assert len(numbers) > 3
    assert complaints == []
