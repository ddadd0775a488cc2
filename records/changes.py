"""Changes by hand, told to whoever keeps a log of them.

The log belongs to an app above this one, which enters itself here. It is told within the
transaction of the change, so that both are committed or neither.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What was changed: the code of the action, the object, and its fields before and after."""

    action: str
    kind: str
    object_id: object = ""
    label: object = ""
    source: str = ""
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


Listener = Callable[[Change], None]
_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Have a function called with each change, from now on."""
    if listener not in _listeners:
        _listeners.append(listener)


def tell_of_run(action: str, run: Any) -> None:
    """Report what was done to a run or another piece of background work, unless it is a trial."""
    if run.is_trial:
        return
    source = getattr(run, "source", None)
    tell(
        Change(
            action=action,
            kind=str(run._meta.verbose_name),
            object_id=run.pk,
            label=run,
            source=source.name if source else "",
        )
    )


def tell(change: Change) -> None:
    """Report a change that was made in the transaction that is open; the last thing in it."""
    for listener in _listeners:
        listener(change)
