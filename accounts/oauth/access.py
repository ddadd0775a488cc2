"""Finds who an access token of OAuth 2 stands for."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from allauth.idp.oidc.models import Token
from django.contrib.auth.models import User
from django.utils import timezone

from accounts.models import TokenScope
from accounts.tokens.identify import Refused, WrongToken

FORM = re.compile(r"[\w-]{86}", re.ASCII)
# How much of the ID of a client lists and the audit log show.
SHOWN = 12


@dataclass(frozen=True, slots=True)
class Access:
    """What a client may do, as whom; named like the parts of an API token."""

    name: str
    prefix: str
    owner: User
    scope: TokenScope
    source_limit: Collection[str] | None

    def mark_used(self, address: str) -> None:
        """Access tokens are short-lived; their use is not noted."""


def identify_access(text: str) -> Access:
    """The access that this text gives. Raises Refused.

    A token without a person is one of client credentials: its client acts as its owner.
    """
    if not FORM.fullmatch(text):
        raise WrongToken
    tokens = Token.objects.by_value(text).filter(type=Token.Type.ACCESS_TOKEN)
    token = tokens.select_related("client__owner", "user").first()
    owner = token and token.client and (token.user or token.client.owner)
    if not token or not owner:
        raise WrongToken
    if token.expires_at is not None and token.expires_at <= timezone.now():
        raise Refused("The access token has expired. Get a new one from /oauth/token.")
    if not owner.is_active:
        raise Refused("The account of the access token is deactivated. Ask an administrator.")
    sources = (token.client.data or {}).get("sources")
    is_writing = TokenScope.WRITE in token.get_scopes()
    return Access(
        name=token.client.name,
        prefix=f"oauth_{token.client.pk[:SHOWN]}",
        owner=owner,
        scope=TokenScope.WRITE if is_writing else TokenScope.READ,
        source_limit=None if sources is None else frozenset(sources),
    )
