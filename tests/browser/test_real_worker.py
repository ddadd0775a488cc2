"""An upload in a real browser, through real workers, to processed records."""

import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.installation import Installation, wait_for
from tests.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.cluster]

ROWS = 1_000
WITHIN_SECONDS = 10
# Whatever else the machine does, one upload of these is not held up by it.
UPLOADS = 3


@pytest.fixture
def site(own_installation: Installation) -> Site:
    return Site(own_installation, "--no-samples")


@pytest.fixture
def page(browser: Browser, site: Site) -> Page:
    """A page of somebody who has logged in by hand."""
    page = browser.new_page(base_url=site.url)
    page.set_default_timeout(60_000)
    page.goto("/login/")
    page.locator("[name=username]").fill(site.said("Login"))
    page.locator("[name=password]").fill(site.said("Password"))
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(f"{site.url}/")
    return page


def seconds_to_process(page: Page, site: Site, file: Path) -> float:
    """How long it takes from the click on "Upload" until all rows are processed."""
    before = site.stats()["processed_records"]
    page.goto("/upload/")
    page.locator("input[type=file]").set_input_files(file)
    clicked = time.monotonic()
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url("**/upload/*/")
    page.get_by_role("button", name=f"Import {ROWS:,}").click()
    page.wait_for_url("**/runs/ingestion/*/")
    expect(page.get_by_text("finished").first).to_be_visible(timeout=60_000)
    wait_for(
        lambda: site.stats()["processed_records"] == before + ROWS,
        seconds=60,
        what=f"the processing; {site.output}",
    )
    return time.monotonic() - clicked


def test_a_thousand_rows_are_processed_within_ten_seconds_of_the_click(
    page: Page, site: Site, tmp_path: Path
) -> None:
    lines = [f"{n},2026-01-{n % 28 + 1:02},{n}.5,c{n % 5}" for n in range(ROWS)]
    taken: list[float] = []
    while not taken or (taken[-1] > WITHIN_SECONDS and len(taken) < UPLOADS):
        file = tmp_path / f"orders{len(taken)}.csv"
        file.write_text("\n".join(["id,date,amount,category", *lines]))
        taken.append(seconds_to_process(page, site, file))
    assert min(taken) <= WITHIN_SECONDS, taken
    page.close()
