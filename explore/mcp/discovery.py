"""Tells assistants where they get an access token for the MCP server (RFC 9728)."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import TokenScope
from accounts.oauth.views import issuer


def challenge(request: HttpRequest) -> str:
    """The header ``WWW-Authenticate`` for a request without a token that is accepted.

    It names the scope that all tools but the test of rules are content with, so that an
    application that may only read does not ask for more.
    """
    metadata = request.build_absolute_uri(reverse("assistants:mcp-metadata"))
    return f'Bearer resource_metadata="{metadata}", scope="{TokenScope.READ}"'


@login_not_required
@require_safe
def metadata(request: HttpRequest) -> JsonResponse:
    """What protects the MCP server, and who gives access to it."""
    return JsonResponse(
        {
            "resource": request.build_absolute_uri(reverse("assistants:mcp")),
            "authorization_servers": [issuer(request)],
            "scopes_supported": list(TokenScope.values),
            "bearer_methods_supported": ["header"],
        }
    )
