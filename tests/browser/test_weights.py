"""How much a browser fetches for a page, from a started installation with its sample data."""

import pytest
from playwright.sync_api import Browser

from tests.installation import Installation, wait_for
from tests.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.cluster]

# Bytes as they are transferred, with an empty cache.
DASHBOARD, OTHERS = 500_000, 120_000
PAGES = [
    "/explore/", "/explore/?source=sales", "/runs/", "/runs/ingestion/1/", "/runs/processing/1/",
    "/sources/", "/sources/sales/", "/sources/sales/rules/", "/upload/", "/rejected/",
]  # fmt: skip


def weight(browser: Browser, site: Site, state: object, path: str) -> int:
    context = browser.new_context(storage_state=state)  # type: ignore[arg-type]
    page = context.new_page()
    parts: list[float] = []
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda said: parts.append(said["encodedDataLength"]))
    answer = page.goto(f"{site.url}{path}", wait_until="networkidle", timeout=60_000)
    assert answer
    assert answer.ok, path
    context.close()
    return round(sum(parts))


def test_pages_weigh_little(browser: Browser, own_installation: Installation) -> None:
    site = Site(own_installation)
    wait_for(
        lambda: site.stats()["processed_records"] > 20_000 and not site.stats()["raw_records"],
        seconds=180,
        what="the sample data",
    )
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{site.url}/login/", timeout=60_000)
    page.locator("[name=username]").fill(site.said("Login"))
    page.locator("[name=password]").fill(site.said("Password"))
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{site.url}/")
    state = context.storage_state()
    context.close()
    assert weight(browser, site, state, "/") <= DASHBOARD
    weights = {path: weight(browser, site, state, path) for path in PAGES}
    assert {path: size for path, size in weights.items() if size > OTHERS} == {}
    assert all(weights.values())
