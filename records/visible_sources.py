"""The sources that whoever is served at the moment may see.

Reads of sources, and of what belongs to them, keep to this limit by themselves, so that no page
can forget it. Workers and commands work on all sources. Who is limited to which sources, the app
``accounts`` knows.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_names: ContextVar[frozenset[str] | None] = ContextVar("visible_sources", default=None)


def visible_sources() -> frozenset[str] | None:
    """The names of the sources that may be seen; None for all."""
    return _names.get()


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
