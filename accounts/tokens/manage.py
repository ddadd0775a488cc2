"""Creates and ends tokens."""

from collections.abc import Collection
from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from accounts.models import ApiToken, TokenKind, TokenScope
from accounts.rights import granted_sources
from accounts.tokens import texts

# For how many days a token may be valid.
LIFETIMES = (30, 90, 365)
DEFAULT_LIFETIME = 90
LONGEST_NAME = 100


class TokenError(Exception):
    """A token that can't be created; the message is for the user."""


def create_token(
    *,
    owner: User,
    name: str,
    kind: TokenKind = TokenKind.PERSONAL,
    scope: TokenScope = TokenScope.READ,
    sources: Collection[str] | None = None,
    days: int | None = DEFAULT_LIFETIME,
) -> tuple[ApiToken, str]:
    """Create a token; returns its row and the token itself, which is not stored anywhere.

    ``days`` is how long it is valid; None, for service tokens only, means without end. Raises
    TokenError for what makes no token, such as the name of one that the owner still uses.
    """
    if days is None and kind != TokenKind.SERVICE:
        raise TokenError("A personal token must expire. Choose 30, 90 or 365 days.")
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise TokenError(f"The name must be one line of 1 to {LONGEST_NAME} characters.")
    if not owner.is_active:
        raise TokenError(f"The account {owner.get_username()} is deactivated.")
    if ApiToken.objects.of(owner).usable().filter(name=name).exists():
        raise TokenError(f"There is already a token “{name}”. Choose another name, or revoke it.")
    text = texts.new_text()
    stored = texts.stored(text)
    # A text that was made just now is one of a token.
    assert stored is not None  # noqa: S101
    token = ApiToken.objects.create(
        owner=owner,
        name=name,
        kind=kind,
        prefix=stored.prefix,
        digest=stored.digest,
        scope=scope,
        sources=None if sources is None else sorted(sources),
        expires_at=None if days is None else timezone.now() + timedelta(days=days),
    )
    return token, text


def may_create_for(creator: User, owner: User) -> bool:
    """Whether a person may create tokens for another: who may do no more than the person."""
    if creator.is_superuser or creator.pk == owner.pk:
        return True
    if owner.is_superuser or not owner.get_all_permissions() <= creator.get_all_permissions():
        return False
    granted, others = granted_sources(creator), granted_sources(owner)
    return granted is None or (others is not None and others <= granted)


def revoke(token: ApiToken) -> bool:
    """End a token for good, at once; False if it had already been revoked."""
    if token.revoked_at is not None:
        return False
    token.revoked_at = timezone.now()
    token.save(update_fields=["revoked_at"])
    return True


def forget_source(name: str) -> int:
    """Take a deleted source out of the limits of tokens, so that they do not open a new source of
    its name; returns how many had it.
    """
    limited = [
        token
        for token in ApiToken.objects.filter(sources__isnull=False)
        if name in (token.sources or ())
    ]
    for token in limited:
        token.sources = [each for each in token.sources or () if each != name]
        token.save(update_fields=["sources"])
    return len(limited)


def end_personal_tokens(owner: User) -> int:
    """Revoke the personal tokens of a person, whose password changes; returns how many."""
    personal = ApiToken.objects.of(owner).usable().filter(kind=TokenKind.PERSONAL)
    return sum(revoke(token) for token in personal)
