"""What the tests of the MCP server share."""

import asyncio
from collections.abc import Iterator

import pytest
from django.db import connections


@pytest.fixture(autouse=True)
def _thread_without_loop() -> Iterator[None]:
    """The thread as threads of the web server are: Playwright keeps an event loop in it.

    Django has a connection for code beside a loop and one for code without; here they are the same,
    as only one is in the transaction of the test.
    """
    loop = asyncio._get_running_loop()
    if loop is None:
        yield
        return
    connection = connections["default"]
    asyncio._set_running_loop(None)
    connections["default"] = connection
    yield
    del connections["default"]
    asyncio._set_running_loop(loop)
