"""A page in a real browser that writes down everything it complains of."""

import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from django.contrib.auth.models import User
from django.core.signals import request_finished, request_started
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect

from tests.installation import comes_true

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
def answered(live_server) -> Iterator[None]:
    """Wait in the end for what the server still reads: it would lock the tables emptied next."""
    at_work: list[int] = []

    def begin(**ignored: object) -> None:
        at_work.append(threading.get_ident())

    def end(**ignored: object) -> None:
        with suppress(ValueError):
            at_work.remove(threading.get_ident())

    request_started.connect(begin)
    request_finished.connect(end)
    yield
    comes_true(lambda: not at_work, seconds=10)
    request_started.disconnect(begin)
    request_finished.disconnect(end)


@pytest.fixture
def context(browser: Browser, live_server, client, answered) -> Iterator[BrowserContext]:
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
    # Nothing is asked any more; what was asked and has not arrived yet is not lost on its way.
    with suppress(Error):
        page.goto("about:blank")
