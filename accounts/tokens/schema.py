"""How the schema of the API describes tokens."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The description of tokens in the schema of the API."""

    target_class = "accounts.tokens.authentication.TokenAuthentication"
    name = ["apiToken", "oauth2"]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, Any]]:
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        token = {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "dfa_…",
            "description": "An API token, created on the page `/account/tokens/`: "
            "`Authorization: Bearer dfa_…`. `Authorization: Token dfa_…` works as well. A token "
            "with the scope `read` is for GET and HEAD requests only.",
        }
        scopes = {"read": "See what the person may see.", "write": "Change what they may change."}
        flows = {
            "authorizationCode": {
                "authorizationUrl": "/oauth/authorize",
                "tokenUrl": "/oauth/token",
                "refreshUrl": "/oauth/token",
                "scopes": scopes,
            },
            "clientCredentials": {"tokenUrl": "/oauth/token", "scopes": scopes},
        }
        return [
            token,
            {
                "type": "oauth2",
                "description": "An access token of a client that an administrator has created "
                "on the page `/settings/clients/`. PKCE with S256 is required of public clients.",
                "flows": flows,
            },
        ]
