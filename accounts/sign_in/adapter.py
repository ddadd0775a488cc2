"""What this product decides of the sign-in that django-allauth does."""

import logging
import threading
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal import ratelimit
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.mail import EmailMessage
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.sign_in import limits
from web.client_address import client_address

log = logging.getLogger(__name__)

NO_MATCH = "Username and password don't match. Check both; passwords are case-sensitive."
CLOSED = "This account is closed. Ask an administrator of this installation."
# The codes by which django-allauth refuses what is beyond a limit.
LIMITED = {"too_many_login_attempts", "rate_limited"}


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by administrators; pages are answered as pages."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": NO_MATCH,
        "invalid_password_reset": "This link is not valid.",
    }

    # Who an attempt says to be; "" for a code, which follows a password.
    attempted = ""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_ajax(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        address = client_address(request)
        if not address:
            raise PermissionDenied
        return address

    def validation_error(self, code: str, *args: Any) -> ValidationError:
        """A message of a form; what is beyond a limit is answered 429 instead."""
        if code in LIMITED:
            limits.record_block(self.request, self.attempted)
            raise ImmediateHttpResponse(limits.too_many_attempts(self.request))
        error: ValidationError = super().validation_error(code, *args)
        return error

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count an attempt, or refuse it. It is taken back when the password is right."""
        login, address = credentials.get("username", ""), self.get_client_ip(request)
        self.attempted = login
        account = limits.account_of(login)
        used = [self._count(request, "login_failed", f"{account} from {address}")]
        if not limits.is_known_address(login, address):
            used.append(self._count(request, "account_failed", account))
        self._login_failed_rl_usage = ratelimit.RateLimitUsage(
            usage=[single for each in used for single in each.usage]
        )

    def _count(self, request: HttpRequest, action: str, key: str) -> ratelimit.RateLimitUsage:
        used = ratelimit.consume(request, app="allauth.account", action=action, key=key)
        if used is None:
            raise self.validation_error("too_many_login_attempts")
        return used

    def respond_user_inactive(self, request: HttpRequest, user: AbstractBaseUser) -> HttpResponse:
        messages.error(request, CLOSED)
        return redirect("login")

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail in the background: how long it takes does not tell who has an account."""
        message = self.render_mail(template_prefix, email, {"request": self.request} | context)
        threading.Thread(target=_send, args=(message,), daemon=True).start()


def _send(message: EmailMessage) -> None:
    try:
        message.send()
    except OSError:  # includes what SMTP servers refuse
        log.exception("A mail about an account could not be sent")
