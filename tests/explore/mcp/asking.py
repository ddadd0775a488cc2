"""Asks the MCP server over HTTP, as a client without a session does."""

from typing import Any

from django.test import Client


def post(token: str, method: str, **params: Any) -> Any:
    """The response to a JSON-RPC request."""
    return Client(raise_request_exception=False).post(
        "/mcp",
        {"jsonrpc": "2.0", "id": 1, "method": method, "params": params},
        content_type="application/json",
        headers={"authorization": f"Bearer {token}", "accept": "application/json"},
    )


def call(token: str, tool: str, **arguments: Any) -> Any:
    """The answer of a tool that does not fail."""
    result = _result(token, tool, arguments)
    assert not result["isError"], result
    return result["structuredContent"]


def refusal(token: str, tool: str, **arguments: Any) -> Any:
    """The problem that a tool answers with."""
    result = _result(token, tool, arguments)
    assert result["isError"], result
    return result["structuredContent"]


def _result(token: str, tool: str, arguments: dict[str, Any]) -> Any:
    response = post(token, "tools/call", name=tool, arguments=arguments)
    assert response.status_code == 200, response.content
    return response.json()["result"]
