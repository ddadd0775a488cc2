"""How the schema of the API describes tokens."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The description of tokens in the schema of the API."""

    target_class = "accounts.tokens.authentication.TokenAuthentication"
    name = "apiToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "dfa_…",
            "description": "An API token, created on the page `/account/tokens/`: "
            "`Authorization: Bearer dfa_…`. `Authorization: Token dfa_…` works as well. A token "
            "with the scope `read` is for GET and HEAD requests only.",
        }
