"""A page in a real browser that writes down everything it complains of."""

from collections.abc import Iterator
from contextlib import suppress

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect

# How long something may take to come to pass on a machine that has much else to do.
PATIENCE = 30_000
expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items):
    for item in items:
        if "/browser/" in str(item.path):
            item.add_marker(pytest.mark.browser)


@pytest.fixture
def complaints() -> list[str]:
    """Broken policies, errors of scripts, and requests that leave the host."""
    return []


@pytest.fixture
def context(browser: Browser, live_server, client) -> Iterator[BrowserContext]:
    """A browser that is logged in as somebody who may do everything."""
    user = User.objects.create_superuser("admin", password="a long password")
    client.force_login(user)
    context = browser.new_context(base_url=live_server.url)
    context.set_default_timeout(PATIENCE)
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, live_server, complaints: list[str]) -> Iterator[Page]:
    page = context.new_page()
    page.on(
        "console",
        lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((live_server.url, "data:"))
            else complaints.append(f"left the host: {request.url}")
        ),
    )
    yield page
    # What the server still reads would lock the tables that are emptied next.
    with suppress(Error):
        page.wait_for_load_state("networkidle", timeout=3_000)
