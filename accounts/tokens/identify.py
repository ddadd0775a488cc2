"""Finds the token that a request was sent with."""

from hmac import compare_digest

from accounts.models import ApiToken
from accounts.tokens import texts

# The words before a token in the header Authorization.
SCHEMES = ("Token", "Bearer")


class Refused(Exception):
    """A token that is not accepted; the message is for its sender."""


class WrongToken(Refused):
    """A token that does not exist: a mistake or a guess."""

    def __init__(self) -> None:
        super().__init__(
            "There is no such API token. Check that it was copied as a whole, or create one on the "
            "page “API tokens” of your account."
        )


def sent_text(header: str) -> str | None:
    """The token in a header ``Authorization``; None if the header is for something else.

    Raises WrongToken for one without a token or with more than that.
    """
    scheme, _, text = header.strip().partition(" ")
    if scheme.lower() not in {known.lower() for known in SCHEMES}:
        return None
    if not text:
        raise WrongToken
    return text.strip()


def identify(text: str) -> ApiToken:
    """The token that this text is, with its owner, in one query. Raises Refused.

    Only who has the whole token learns why it is refused.
    """
    shown = texts.stored(text)
    token = ApiToken.objects.with_prefix(shown.prefix) if shown else None
    if shown is None or token is None or not compare_digest(shown.digest, token.digest):
        raise WrongToken
    if token.revoked_at is not None:
        raise Refused(f"The API token “{token.name}” has been revoked. Use another one.")
    if token.has_expired:
        raise Refused(
            f"The API token “{token.name}” has expired. Create a new one on the page “API tokens” "
            "of your account."
        )
    if not token.owner.is_active:
        raise Refused(
            f"The account of the API token “{token.name}” is deactivated. Ask an administrator."
        )
    return token
