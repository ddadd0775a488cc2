"""An upload in a real browser, through real workers, to processed records."""

import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.installation import Installation
from tests.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.cluster]

ROWS = 1_000
WITHIN_SECONDS = 10


def test_a_thousand_rows_are_processed_within_ten_seconds_of_the_click(
    browser: Browser, own_installation: Installation, tmp_path: Path
) -> None:
    site = Site(own_installation, "--no-samples")
    file = tmp_path / "orders.csv"
    lines = [f"{n},2026-01-{n % 28 + 1:02},{n}.5,c{n % 5}" for n in range(ROWS)]
    file.write_text("\n".join(["id,date,amount,category", *lines]))

    page = browser.new_page()
    page.goto(f"{site.url}/login/")
    page.locator("[name=username]").fill(site.said("Login"))
    page.locator("[name=password]").fill(site.said("Password"))
    page.get_by_role("button", name="Log in").click()
    page.goto(f"{site.url}/upload/")
    page.locator("input[type=file]").set_input_files(file)
    clicked = time.monotonic()
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url("**/upload/*/")
    page.get_by_role("button", name=f"Load {ROWS:,}").click()
    page.wait_for_url("**/runs/ingestion/*/")
    expect(page.get_by_text("finished").first).to_be_visible(timeout=WITHIN_SECONDS * 1000)
    while site.stats()["processed_records"] < ROWS:
        assert time.monotonic() - clicked < WITHIN_SECONDS, site.stats()
        time.sleep(0.2)
    page.close()
