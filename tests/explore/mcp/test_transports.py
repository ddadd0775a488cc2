"""The client of the official SDK reaches the server over HTTP and as a process of its own."""

import asyncio
import sys
from typing import Any

import httpx2
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from explore.mcp.tools import TOOLS
from tests.installation import ROOT
from tests.landed import land, sale
from tests.people import viewer
from tests.tokens import token_of

# The handshake of older clients, and the newest version of the protocol.
MODES = ["legacy", "auto"]
# Seconds: the first request loads the SDK, on a busy machine.
PATIENCE = 120
DATA = """
from django.contrib.auth.models import Group, User
from accounts.tokens.manage import create_token
from tests.landed import land, sale
land("shop", {"1": sale(1)})
reader = User.objects.create_user("reader")
reader.groups.add(Group.objects.get(name="Viewer"))
print("token", create_token(owner=reader, name="assistant")[1])
"""


async def conversation(client: Client) -> tuple[set[str], Any, Any]:
    """What a client learns: the tools, an answer, and an error."""
    async with client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        found = await client.call_tool("query_records", {"filter": {"source": ["shop"]}})
        assert not found.is_error
        wrong = await client.call_tool("get_record", {"id": "shop:none"})
        assert wrong.is_error
        return names, found.structured_content, wrong.structured_content


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("mode", MODES)
def test_the_official_client_is_answered_over_http(live_server, mode):
    land("shop", {"1": sale(1)})
    headers = {"Authorization": f"Bearer {token_of(viewer('reader'))}"}

    async def ask() -> Any:
        async with httpx2.AsyncClient(headers=headers, timeout=PATIENCE) as http:
            transport = streamable_http_client(f"{live_server.url}/mcp", http_client=http)
            return await conversation(Client(transport, mode=mode))

    names, found, wrong = asyncio.run(ask())
    assert names == TOOLS.keys()
    assert [record["id"] for record in found["records"]] == ["shop:1"]
    assert found["page"] == f"{live_server.url}/explore/?source=shop"
    assert wrong["code"] == "not_found"


@pytest.mark.parametrize("mode", MODES)
def test_the_official_client_is_answered_by_the_command(own_installation, mode):
    if not own_installation.rows("SELECT id FROM auth_user WHERE username = 'reader'"):
        said = own_installation.manage("shell", "-v0", "-c", DATA)
        own_installation.environment["DATAFLOW_TOKEN"] = said.split("token ")[1].strip()
    command = StdioServerParameters(
        command=sys.executable,
        args=["manage.py", "mcp", "--url", "http://localhost:1234/"],
        cwd=ROOT,
        env=own_installation.environment,
    )
    names, found, wrong = asyncio.run(conversation(Client(stdio_client(command), mode=mode)))
    assert names == TOOLS.keys()
    assert [record["id"] for record in found["records"]] == ["shop:1"]
    assert found["page"] == "http://localhost:1234/explore/?source=shop"
    assert wrong["code"] == "not_found"
