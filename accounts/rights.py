"""Which sources the person who is served may see."""

from collections.abc import Collection
from contextvars import ContextVar

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from accounts.models import SourceGrant
from records.visible_sources import limit_to

# The id of the user whose limit is in force; None for nobody's.
_served: ContextVar[int | None] = ContextVar("served", default=None)


def granted_sources(user: AbstractBaseUser | AnonymousUser) -> frozenset[str] | None:
    """The names of the sources that a person is limited to; None for all.

    Superusers, and whoever has no grant, see all sources.
    """
    if isinstance(user, AnonymousUser) or getattr(user, "is_superuser", False):
        return None
    names = SourceGrant.objects.of(user).source_names()
    return frozenset(name for name in names if name is not None) if names else None


def begin(
    user: AbstractBaseUser | AnonymousUser, *, sources: Collection[str] | None = None
) -> None:
    """Limit what is read from now on to the sources that a person may see.

    ``sources`` limits it further, as a token does: only sources that both allow are seen. To be
    called by whatever finds out who sends a request; the limit ends with the request.
    """
    granted = granted_sources(user)
    allowed = None if sources is None else frozenset(sources)
    limit_to(allowed if granted is None else granted if allowed is None else granted & allowed)
    _served.set(user.pk)


def has_begun(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether the limit of this person is in force."""
    return _served.get() == user.pk


def end() -> None:
    """Lift the limit: the request is over."""
    limit_to(None)
    _served.set(None)
