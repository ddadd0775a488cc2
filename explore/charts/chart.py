"""A chart: a Vega-Lite spec, and a table of the same numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Value = str | int | float | None


@dataclass(frozen=True, slots=True)
class Linked:
    """A number, and the page that lists exactly what it counts."""

    value: int | float
    url: str


Cell = Value | Linked


@dataclass(frozen=True, slots=True)
class Chart:
    """One figure of a page.

    A mark of the drawing leads to where its cell in the table does. ``scope`` names the one source
    that it shows where the page shows several. ``notes`` are sentences about what it leaves out;
    ``empty`` is what to say without any rows.
    """

    id: str
    title: str
    spec: dict[str, Any]
    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    empty: str
    palette: Literal["plain", "status", "failed"] = "plain"
    scope: str = ""
    notes: Sequence[str] = ()
    # The step of its axis of time, by which a range can be picked in the drawing.
    zoom: str = ""
    # How many days earlier than they are steps of time are drawn.
    shift: int = 0
    wide: bool = False

    @property
    def numbers(self) -> list[list[Value]]:
        """The rows without their links."""
        return [
            [cell.value if isinstance(cell, Linked) else cell for cell in row] for row in self.rows
        ]


def linked(number: int, url: str) -> Cell:
    """The number with its link; without any where there is nothing to list, or no list of it."""
    return Linked(number, url) if number and url else number
