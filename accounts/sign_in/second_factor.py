"""The second factor: how its secrets are kept, and who must have one."""

import base64
import secrets
from collections.abc import Callable

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.utils import is_mfa_enabled
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.crypto import salted_hmac

NEEDED = "Administrators need a second factor here. Set up an authenticator app or a passkey."
# What someone without a second factor, who needs one, may still ask for.
OPEN_PATHS = (
    "/account/second-factor/",
    "/account/confirm/",
    "/account/password/",
    "/login/",
    "/logout/",
    "/static/",
)


class SecondFactorAdapter(DefaultMFAAdapter):
    """Keeps what codes are made of encrypted, by a key made of SECRET_KEY."""

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return _cipher().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            # By another SECRET_KEY. Nobody can know the codes of a secret that is made now.
            return base64.b32encode(secrets.token_bytes(20)).decode()

    def get_totp_issuer(self) -> str:
        return f"DataFlow Analytics ({self._get_site_name()})"


def _cipher() -> Fernet:
    key = salted_hmac("accounts.second_factor", "", algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(key))


def is_missing(user: AbstractBaseUser) -> bool:
    """Whether an administrator must set up a second factor before anything else."""
    is_admin = getattr(user, "is_staff", False) or getattr(user, "is_superuser", False)
    return settings.ADMINS_NEED_SECOND_FACTOR and is_admin and not is_mfa_enabled(user)


class NeedSecondFactor:
    """Leads administrators without a second factor to where they set one up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if (
            settings.ADMINS_NEED_SECOND_FACTOR
            and not request.path.startswith(OPEN_PATHS)
            and request.user.is_authenticated
            and is_missing(request.user)
        ):
            messages.warning(request, NEEDED)
            return redirect("mfa_index")
        return self.get_response(request)
