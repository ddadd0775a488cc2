"""Who may read, and which sources the person who is served may see."""

from collections.abc import Callable, Collection
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

from django.apps import apps
from django.core.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission

from records.permissions import Action, may
from records.visible_sources import limit_to, visible_sources

if TYPE_CHECKING:
    # REST framework imports this module before Django knows its models.
    from django.contrib.auth.models import AnonymousUser, User
    from rest_framework.request import Request
    from rest_framework.views import APIView

NO_ROLE = "Your account has no role yet. Ask an administrator to give you one."

View = TypeVar("View", bound=Callable[..., Any])

# The id of the user whose limit is in force; None for nobody's.
_served: ContextVar[int | None] = ContextVar("served", default=None)


def granted_sources(user: "User | AnonymousUser") -> frozenset[str] | None:
    """The names of the sources that a person is limited to; None for all.

    Superusers, and whoever has no grant, see all sources. Without an account one sees none, unless
    the installation lets everybody read.
    """
    if user.is_anonymous:
        return None if may(user, Action.READ) else frozenset()
    if getattr(user, "is_superuser", False):
        return None
    grants = apps.get_model("accounts", "SourceGrant").objects
    names = grants.of(user).source_names()
    return frozenset(name for name in names if name is not None) if names else None


def begin(user: "User | AnonymousUser", *, sources: Collection[str] | None = None) -> None:
    """Limit what is read from now on to the sources that a person may see.

    ``sources`` limits it further, as a token does: only sources that both allow are seen. To be
    called by whatever finds out who sends a request; the limit ends with the request.
    """
    granted = granted_sources(user)
    allowed = None if sources is None else frozenset(sources)
    limit_to(allowed if granted is None else granted if allowed is None else granted & allowed)
    _served.set(user.pk)


def has_begun(user: "User | AnonymousUser") -> bool:
    """Whether the limit of this person is in force."""
    return _served.get() == user.pk


def is_own(user: "User | AnonymousUser", owner: int | None) -> bool:
    """Whether a draft of the user with the id ``owner`` is a person's own to see and to discard.

    Drafts of others are those of who may change the settings of sources.
    """
    return owner == user.pk or may(user, Action.CHANGE_SOURCE)


def check_sees_all_of(user: "User") -> None:
    """Raise PermissionDenied for a token that is limited to some of the sources of its owner.

    What is made for the owner shows all of them.
    """
    if visible_sources() != granted_sources(user):
        raise PermissionDenied(
            "This token is limited to some sources, and files that workers create have all sources "
            "of its owner. Export CSV or NDJSON, or use another token."
        )


def end() -> None:
    """Lift the limit: the request is over."""
    limit_to(None)
    _served.set(None)


def for_an_account(view: View) -> View:
    """Mark a page that shows what belongs to a person: nobody sees it without an account."""
    view.for_an_account = True  # type: ignore[attr-defined]
    return view


def for_any_account(view: View) -> View:
    """Mark a page that a person needs no role for, such as one about the own account."""
    view.for_any_account = True  # type: ignore[attr-defined]
    return view


def is_open(request: "Request | Any", view: object) -> bool:
    """Whether anybody may read what a view shows, without an account."""
    is_personal = getattr(view, "for_an_account", False)
    return request.method in SAFE_METHODS and not is_personal and may(request.user, Action.READ)


class MayRead(BasePermission):
    """What every view of the API asks for, unless it says otherwise."""

    message = NO_ROLE

    def has_permission(self, request: "Request", view: "APIView") -> bool:
        if request.user.is_anonymous:
            return is_open(request, view)
        if not has_begun(request.user):
            # By a token, which is read after the middleware.
            begin(request.user)
        return may(request.user, Action.READ)
