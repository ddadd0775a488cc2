"""Creates and ends the clients of OAuth 2, and what people have authorised."""

from collections.abc import Collection
from typing import NamedTuple

from allauth.idp.oidc.adapter import DefaultOIDCAdapter, get_adapter
from allauth.idp.oidc.models import Client, Token
from django.contrib.auth.models import User
from django.db.models import QuerySet, TextChoices

from accounts import audit
from accounts.models import TokenScope

GRANTS = Client.GrantType


class ClientKind(TextChoices):
    """What a client is: it decides how it gets access."""

    SERVICE = "service", "Service: as its owner, with a secret"
    WEB = "web", "Web application: people log in, its server keeps a secret"
    PUBLIC = "public", "Application on a device or in a browser: people log in, no secret"


class Created(NamedTuple):
    """A new client and its secret, which is not stored; none for applications without one."""

    client: Client
    secret: str


class Adapter(DefaultOIDCAdapter):
    """What this product decides of the OAuth 2 that django-allauth does."""

    scope_display = {
        TokenScope.READ.value: "see what you may see",
        TokenScope.WRITE.value: "change what you may change",
    }


def create_client(
    *,
    owner: User,
    name: str,
    kind: ClientKind,
    scope: TokenScope,
    sources: Collection[str] | None,
    redirect_uris: Collection[str] = (),
) -> Created:
    """Create a client. ``redirect_uris`` are where people are sent back to, exactly as written."""
    is_service, is_public = kind == ClientKind.SERVICE, kind == ClientKind.PUBLIC
    secret = "" if is_public else get_adapter().generate_client_secret()
    client = Client(
        name=name,
        owner=owner,
        type=Client.Type.PUBLIC if is_public else Client.Type.CONFIDENTIAL,
        data={"sources": None if sources is None else sorted(sources)},
    )
    if secret:
        client.set_secret(secret)
    # Who may write may read.
    scopes = [TokenScope.READ] if scope == TokenScope.READ else [TokenScope.READ, TokenScope.WRITE]
    client.set_scopes([str(each) for each in scopes])
    client.set_default_scopes([str(TokenScope.READ)])
    grants = [GRANTS.CLIENT_CREDENTIALS]
    if not is_service:
        grants = [GRANTS.AUTHORIZATION_CODE, GRANTS.REFRESH_TOKEN]
    client.set_grant_types([str(each) for each in grants])
    client.set_redirect_uris([] if is_service else list(redirect_uris))
    client.response_types = "" if is_service else "code"
    client.save()
    return Created(client, secret)


def authorised_by(person: User) -> QuerySet[Client]:
    """The clients that a person has authorised, by name."""
    tokens = Token.objects.valid().filter(user=person)
    return Client.objects.filter(pk__in=tokens.values("client")).order_by("name", "pk")


def end_authorisation(person: User, client: Client) -> None:
    """End what a client may do as a person, at once."""
    Token.objects.filter(user=person, client=client).delete()
    audit.record(
        audit.Action.ACCESS_ENDED, kind="OAuth client", object_id=client.pk, label=client.name
    )


def end_authorisations(person: User) -> None:
    """End what all clients may do as a person, whose password changes."""
    for client in authorised_by(person):
        end_authorisation(person, client)
