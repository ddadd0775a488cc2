"""How the API authenticates a request that is sent with a token."""

from typing import Any

from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from accounts import rights
from accounts.models import ApiToken, TokenScope
from accounts.oauth.access import Access, identify_access
from accounts.tokens import texts
from accounts.tokens.attempts import count_wrong
from accounts.tokens.identify import SCHEMES, Refused, WrongToken, identify, sent_text
from web.client_address import client_address


class TokenAuthentication(BaseAuthentication):
    """An API token, or an access token of OAuth 2, in the header ``Authorization``.

    Before it stands ``Token`` or ``Bearer``.

    As the first way to authenticate it is the one that a 401 names, so that whoever sends no
    credentials gets a 401 and not a 403.
    """

    # Whether a token that may only read is refused for methods that change something.
    checks_scope = True

    def authenticate(self, request: Request) -> tuple[Any, ApiToken | Access] | None:
        try:
            text = sent_text(request.headers.get("Authorization", ""))
            if text is None:
                return None
            token = identify(text) if texts.stored(text) else identify_access(text)
        except WrongToken as error:
            if seconds := count_wrong(client_address(request)):
                raise exceptions.Throttled(
                    seconds, "Too many wrong API tokens have come from your address."
                ) from None
            raise exceptions.AuthenticationFailed(str(error)) from None
        except Refused as error:
            raise exceptions.AuthenticationFailed(str(error)) from None
        is_change = self.checks_scope and request.method not in SAFE_METHODS
        if token.scope == TokenScope.READ and is_change:
            raise exceptions.PermissionDenied(
                f"The API token “{token.name}” may only read. Use one with the scope “write” for "
                f"{request.method} requests."
            )
        rights.begin(token.owner, sources=token.source_limit)
        token.mark_used(client_address(request))
        return token.owner, token

    def authenticate_header(self, request: Request) -> str:
        return ", ".join(SCHEMES)
