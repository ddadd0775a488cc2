"""How often passwords and codes may be tried.

They are counted by django-allauth in the cache that all processes share. A limit holds an attempt
back; it never closes an account.
"""

from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse

from accounts import audit
from accounts.audit.actor import nobody
from accounts.sign_in import people
from web import errors
from web.client_address import client_address, network_of

# The longest time in ACCOUNT_RATE_LIMITS of what counts failures.
LONGEST_SECONDS = 600
TOO_MANY_ATTEMPTS = "Too many failed attempts to log in. Wait ten minutes, then try again."
TOO_MANY_REQUESTS = "Too many requests. Wait a minute, then try again."


def account_of(login: str) -> str:
    """What attempts for an account are counted by, however its name is written."""
    user = people.find(login)
    return f"account {user.pk}" if user else f"name {login.strip().casefold()}"


def is_known_address(login: str, address: str) -> bool:
    """Whether the owner of the account is signed in at this address.

    Attempts from elsewhere then do not keep them out.
    """
    user = people.find(login)
    return user is not None and UserSession.objects.filter(user=user, ip=address).exists()


def record_block(request: HttpRequest, login: str) -> None:
    """Enter into the audit log that attempts are blocked.

    A program may go on for hours, under any names: there is one entry for an address and the time
    of a limit. ``login`` is who the attempt says to be; "" for a code that follows a password.
    """
    if cache.add(f"sign-in-blocked:{network_of(client_address(request))}", 1, LONGEST_SECONDS):
        who = nobody(user_name=login, request=request)
        audit.record(audit.Action.SIGN_IN_BLOCKED, kind="person", label=login, actor=who)


def too_many_attempts(request: HttpRequest) -> HttpResponse:
    """The answer to a password or code that is not looked at."""
    return errors.too_many(request, TOO_MANY_ATTEMPTS, seconds=LONGEST_SECONDS)


def too_many_requests(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """The answer to any other form that is sent too often."""
    return errors.too_many(request, TOO_MANY_REQUESTS, seconds=60)
