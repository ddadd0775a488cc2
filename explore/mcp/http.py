"""The MCP server over HTTP (streamable HTTP): a request, and one response in JSON.

Without sessions and streams, any process may answer any request, and no client keeps a thread.
"""

import asyncio
from typing import Any

from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.tokens.authentication import TokenAuthentication
from explore.mcp.caller import Caller
from explore.mcp.discovery import challenge
from web.api.negotiation import AlwaysJSON


class ToolTokens(TokenAuthentication):
    """API tokens and access tokens. What a tool asks of the API needs the scope it has there."""

    checks_scope = False

    def authenticate_header(self, request: Request) -> str:
        return challenge(request._request)


class McpView(APIView):
    """Answers assistants. The API counts what tools ask, for the limits of their user."""

    authentication_classes = (ToolTokens,)
    throttle_classes = ()
    content_negotiation_class = AlwaysJSON
    versioning_class = None

    def post(self, request: Request) -> HttpResponse:
        return async_to_sync(_answer)(request._request, request._request.body)


async def _answer(request: HttpRequest, body: bytes) -> HttpResponse:
    """What the SDK's own transport answers, which speaks ASGI."""
    # Only processes that assistants call need the SDK, which takes a second and 50 MB.
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    from explore.mcp.server import make_server

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.scheme,
        "path": request.path,
        "raw_path": request.path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [
            (name.lower().encode("latin-1"), value.encode("latin-1", errors="replace"))
            for name, value in request.headers.items()
        ],
    }
    received = iter([{"type": "http.request", "body": body, "more_body": False}])
    sent: list[Any] = []

    async def receive() -> Any:
        if (message := next(received, None)) is not None:
            return message
        # The client stays until it is answered.
        return await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    manager = StreamableHTTPSessionManager(
        make_server(Caller.of(request)), json_response=True, stateless=True
    )
    async with manager.run():
        await manager.handle_request(scope, receive, send)
    start = next(each for each in sent if each["type"] == "http.response.start")
    content = b"".join(each.get("body", b"") for each in sent)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
    headers.pop("content-length", None)
    # What it only has a status for has no type.
    headers.setdefault("content-type", "text/plain; charset=utf-8")
    return HttpResponse(content, status=start["status"], headers=headers)
