"""The files that benchmarks load: rows of the same orders, written in different ways."""

import csv
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

START = datetime(2026, 1, 1, tzinfo=UTC)
HEADER = ("id", "timestamp", "value", "category", "region", "note")
WIDE_COLUMNS = 60
UNREADABLE = ("bad", "n/a", "-", "")
# Of the rows of an ordinary file.
QUOTED, UNREAD, BLANKS = 0.1, 0.02, 0.02

Cells = tuple[str, ...]


def plain_cells(number: int, moment: datetime, randomly: random.Random) -> Cells:
    return (
        f"{number:09}",
        moment.strftime("%Y-%m-%dT%H:%M:%S"),
        f"{randomly.uniform(0, 1000):.2f}",
        randomly.choice(("books", "games", "garden", "toys")),
        randomly.choice(("north", "south", "east", "west")),
        f"order {number} came in",
    )


def ordinary_cells(number: int, moment: datetime, randomly: random.Random) -> Cells:
    key, _, value, category, region, note = plain_cells(number, moment, randomly)
    if randomly.random() < UNREAD:
        value = randomly.choice(UNREADABLE)
    if randomly.random() < BLANKS:
        value, note = f" {value}", f"{note} "
    if randomly.random() < QUOTED:
        note = f"order {number}, came in"
    return key, moment.strftime("%Y-%m-%dT%H:%M:%SZ"), value, category, region, note


def hard_cells(number: int, moment: datetime, randomly: random.Random) -> Cells:
    return (
        f"{number:09}",
        moment.strftime("%d.%m.%Y %H:%M:%S"),
        f"{randomly.uniform(0, 1000):.2f}",
        randomly.choice(("Bücher", "Spiele", "Gärten", "Größe")),
        randomly.choice(("Nord", "Süd", "Ost", "West")),
        f'Auftrag {number} für "Müller"',
    )


def wide_cells(number: int, moment: datetime, randomly: random.Random) -> Cells:
    more = (f"{randomly.randrange(100_000)}" for _ in range(WIDE_COLUMNS - len(HEADER)))
    return *plain_cells(number, moment, randomly), *more


class Kind(NamedTuple):
    """How a file is written: its cells, and whether all of them are quoted."""

    cells: Callable[[int, datetime, random.Random], Cells]
    header: Cells = HEADER
    quoting: int = csv.QUOTE_MINIMAL

    def rows(self, count: int) -> Iterator[tuple[datetime, Cells]]:
        """The same rows each time, with their moments."""
        randomly = random.Random(7)
        for number in range(count):
            moment = START + timedelta(seconds=7 * number)
            yield moment, self.cells(number, moment, randomly)

    def write(self, path: Path, count: int) -> None:
        """Write a file of so many rows."""
        with path.open("w", newline="") as file:
            writer = csv.writer(file, quoting=self.quoting, lineterminator="\n")  # type: ignore[arg-type]
            writer.writerow(self.header)
            writer.writerows(cells for _, cells in self.rows(count))


KINDS = {
    "plain": Kind(plain_cells),
    "ordinary": Kind(ordinary_cells),
    "hard": Kind(hard_cells, quoting=csv.QUOTE_ALL),
    "wide": Kind(
        wide_cells, (*HEADER, *(f"c{number}" for number in range(len(HEADER), WIDE_COLUMNS)))
    ),
}
