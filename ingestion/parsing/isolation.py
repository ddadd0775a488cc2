"""Whether this process has a deadline and a memory limit of its own. Pure: no Django, no tables.

It is a module of its own because ``isolated_server`` runs as ``__main__``, under two names.
"""


class _Process:
    is_limited = False


def set_limited() -> None:
    """Note that this process, a child of ``isolated_server``, has limits."""
    _Process.is_limited = True


def is_limited() -> bool:
    """Whether this process has limits, so that what needs much memory can't harm others."""
    return _Process.is_limited
