"""The differences between two rows. Pure: no Django, no tables."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from records.json_text import json_text


@dataclass(frozen=True, slots=True)
class Change:
    """A cell that is not what it was. Without ``was_there`` it is new, without ``is_there`` gone;
    ``is_repair`` says that it was not usable."""

    column: str
    before: Any = None
    after: Any = None
    was_there: bool = True
    is_there: bool = True
    is_repair: bool = False


def cell_changes(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    repaired: Collection[str] = (),
    *,
    text: Callable[[Any], str] = json_text,
) -> list[Change]:
    """The cells that are not the same in two rows, in the order of the columns.

    Cells whose ``text`` is the same are the same; ``repaired`` are columns that were not usable.
    """
    names = [*before, *(name for name in after if name not in before)]
    return [
        Change(
            name,
            before.get(name),
            after.get(name),
            name in before,
            name in after,
            name in repaired,
        )
        for name in names
        if (name in before) != (name in after) or text(before.get(name)) != text(after.get(name))
    ]
