"""Who acts at the moment: whoever sends the request that is served, or a command's user."""

import getpass
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.http import HttpRequest

from web.client_address import client_address


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts, from where, and by which request; see the fields of AuditEntry."""

    by: str
    user_id: int | None = None
    user_name: str = ""
    token: str = ""
    address: str = ""
    request_id: str = ""
    request: str = ""


_served: ContextVar[tuple[HttpRequest, str] | None] = ContextVar("audited_request", default=None)


@contextmanager
def serving(request: HttpRequest) -> Iterator[None]:
    """Take whoever sends the request for the actor while the block lasts."""
    token = _served.set((request, secrets.token_hex(8)))
    try:
        yield
    finally:
        _served.reset(token)


def current_actor() -> Actor:
    """The sender of the request that is served; without a request, the user of the command."""
    served = _served.get()
    return _command() if served is None else _sender(*served)


def worker() -> Actor:
    """A background worker that acts on schedule."""
    return Actor(by="worker")


def nobody(*, user_name: str, request: HttpRequest | None) -> Actor:
    """Somebody who gave a name, and is not signed in."""
    actor = _at(request)
    return replace(actor, by="nobody", user_id=None, user_name=user_name, token="")


def person(user: Any, *, request: HttpRequest | None) -> Actor:
    """A person who signs in or out by this request."""
    actor = _at(request)
    return replace(actor, by="person", user_id=user.pk, user_name=user.get_username())


def _at(request: HttpRequest | None) -> Actor:
    """The request that is served; or else the one that is given, as libraries make them."""
    served = _served.get()
    if served is not None:
        return _sender(*served)
    return _command() if request is None else _sender(request, "")


def _sender(request: HttpRequest, request_id: str) -> Actor:
    # REST framework enters whom it has recognized, and by what, in the request as well.
    user = getattr(request, "user", None)
    match = request.resolver_match
    route = f"/{match.route}" if match else ""
    actor = Actor(
        by="nobody",
        address=client_address(request),
        request_id=request_id,
        # A path may hold a secret, as that of a link by mail does: so the route stands for it.
        request=f"{request.method or ''} {route}".strip(),
    )
    if user is None or not user.is_authenticated:
        return actor
    return replace(
        actor,
        by="person",
        user_id=user.pk,
        user_name=user.get_username(),
        token=str(getattr(getattr(request, "auth", None), "prefix", "")),
    )


def _command() -> Actor:
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    request = f"{Path(sys.argv[0]).name} {command}".strip()
    return Actor(by="command", user_name=_system_user(), request=request)


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run as a user without a name.
        return str(os.getuid())
