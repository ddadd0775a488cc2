"""Checks a name and a password."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest

from accounts.sign_in import people


class PasswordBackend(AuthenticationBackend):
    """Signs in by user name or email address.

    Exactly one password is hashed per attempt, whether the account exists or not: the time of the
    answer does not tell.
    """

    def _authenticate(
        self, request: HttpRequest | None, **credentials: Any
    ) -> AbstractBaseUser | None:
        user = people.find(credentials.get("username") or "")
        found: AbstractBaseUser | None = self._check_password(user, credentials["password"])
        # django-allauth would tell the owner of the password that the account is closed.
        self.unstash_authenticated_user()
        return found
