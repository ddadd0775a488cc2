"""The client of the official SDK finds out by itself where to get access, and a person consents."""

import asyncio
from typing import Any

import httpx2
import pytest
from django.db import connections
from django.test import Client as Browser
from mcp.client import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl

from accounts.models import SourceGrant
from accounts.oauth.clients import end_authorisations
from records.models import Source
from tests.accounts.people import person
from tests.accounts.test_oauth import BACK, browser_of, client_of, consent_at
from tests.landed import land, sale

pytestmark = pytest.mark.django_db(transaction=True)

# Seconds: the first request loads the SDK, on a busy machine.
PATIENCE = 120


class Kept:
    """What an assistant keeps of an application that was set up before."""

    def __init__(self, client_id: str) -> None:
        self.token: OAuthToken | None = None
        self.client = OAuthClientInformationFull(
            client_id=client_id, redirect_uris=[AnyUrl(BACK)], token_endpoint_auth_method="none"
        )

    async def get_tokens(self) -> OAuthToken | None:
        return self.token

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.token = tokens

    async def get_client_info(self) -> OAuthClientInformationFull:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


class Person:
    """Somebody at a browser, who is asked once."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.asked: list[str] = []
        self.back: dict[str, str] = {}

    async def open(self, url: str) -> None:
        self.asked.append(url)
        # Code of Django's beside a loop has connections of its own, in a thread of its own.
        self.back = await asyncio.to_thread(self._consent, url)

    def _consent(self, url: str) -> dict[str, str]:
        try:
            return consent_at(self.browser, url)
        finally:
            connections.close_all()

    async def come_back(self) -> AuthorizationCodeResult:
        return AuthorizationCodeResult(**self.back)


def ask(site: str, kept: Kept, person: Person) -> Any:
    """What an assistant finds with access that it gets by itself."""
    provider = OAuthClientProvider(
        server_url=f"{site}/mcp",
        client_metadata=OAuthClientMetadata(redirect_uris=[AnyUrl(BACK)], client_name="Assistant"),
        storage=kept,
        redirect_handler=person.open,
        callback_handler=person.come_back,
    )

    async def talk() -> Any:
        async with (
            httpx2.AsyncClient(auth=provider, timeout=PATIENCE) as http,
            Client(streamable_http_client(f"{site}/mcp", http_client=http)) as client,
        ):
            return (await client.call_tool("query_records", {"filter": {}})).structured_content

    return asyncio.run(talk())


def test_an_assistant_gets_the_rights_of_the_person_who_consents(live_server):
    land("shop", {"1": sale(1)})
    land("depot", {"1": sale(1)})
    ada = person("ada")
    SourceGrant.objects.create(user=ada, source=Source.objects.get(name="shop"))
    kept, someone = Kept(client_of()[0].pk), Person(browser_of(ada))
    found = ask(live_server.url, kept, someone)
    assert [record["id"] for record in found["records"]] == ["shop:1"]
    assert len(someone.asked) == 1
    assert kept.token
    assert kept.token.scope == "read"


def test_an_assistant_whose_access_was_ended_asks_again(live_server):
    land("shop", {"1": sale(1)})
    ada = person("ada")
    kept, someone = Kept(client_of()[0].pk), Person(browser_of(ada))
    ask(live_server.url, kept, someone)
    end_authorisations(ada)
    assert ask(live_server.url, kept, someone)["records"]
    assert len(someone.asked) == 2


def test_who_sends_no_token_is_told_where_to_get_one(client):
    answer = client.post("/mcp", {}, content_type="application/json")
    assert answer.status_code == 401
    metadata = "http://testserver/.well-known/oauth-protected-resource/mcp"
    assert answer["WWW-Authenticate"] == f'Bearer resource_metadata="{metadata}", scope="read"'
    assert client.get(metadata).json() == {
        "resource": "http://testserver/mcp",
        "authorization_servers": ["http://testserver"],
        "scopes_supported": ["read", "write"],
        "bearer_methods_supported": ["header"],
    }
    issuer = client.get("/.well-known/oauth-authorization-server").json()["issuer"]
    assert issuer == "http://testserver"
