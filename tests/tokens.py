"""API tokens for tests."""

from typing import Any

from django.contrib.auth.models import User

from accounts.models import TokenScope
from accounts.tokens.manage import create_token


def token_of(owner: User, **given: Any) -> str:
    """A new token of a user, which may read and write unless the test says otherwise."""
    options = {"name": f"test {owner.api_tokens.count()}", "scope": TokenScope.WRITE} | given
    return create_token(owner=owner, **options)[1]
