"""What the tests of the MCP server share."""

import asyncio
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _thread_without_loop() -> Iterator[None]:
    """The thread as threads of the web server are: Playwright keeps an event loop in it."""
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(loop)
