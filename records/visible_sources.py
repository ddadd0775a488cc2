"""The sources that whoever is served at the moment may see.

Reads of sources, and of what belongs to them, keep to this limit by themselves, so that no page
can forget it. Workers and commands work on all sources. Who is limited to which sources, the app
``accounts`` knows.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.core.exceptions import PermissionDenied

_names: ContextVar[frozenset[str] | None] = ContextVar("visible_sources", default=None)


def visible_sources() -> frozenset[str] | None:
    """The names of the sources that may be seen; None for all."""
    return _names.get()


def visible_marks() -> list[str] | None:
    """The same as a list in a fixed order: part of the key of what is kept in a cache."""
    names = _names.get()
    return None if names is None else sorted(names)


def limit_to(names: Collection[str] | None) -> None:
    """Let only these sources be seen from now on, in this context; None for all."""
    _names.set(None if names is None else frozenset(names))


@contextmanager
def limited_to(names: Collection[str] | None) -> Iterator[None]:
    """Let only these sources be seen while the block lasts; None for all."""
    token = _names.set(None if names is None else frozenset(names))
    try:
        yield
    finally:
        _names.reset(token)


def check_visible(name: str) -> None:
    """Raise PermissionDenied for a source that may not be seen, whether there is one or not.

    To be called before a source is looked up to be made: who is limited to some sources makes no
    new ones, and learns of no others.
    """
    names = visible_sources()
    if names is not None and name not in names:
        raise PermissionDenied(
            f"You are limited to some sources, and “{name}” is none of them. Ask an administrator."
        )


def check_unlimited(purpose: str) -> None:
    """Raise PermissionDenied for who is limited to some sources."""
    if visible_sources() is not None:
        raise PermissionDenied(
            f"You are limited to some sources, so you can't {purpose}. Choose one of your sources."
        )
