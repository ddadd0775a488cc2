"""What all kinds of rules share: the batch that they work on, and how a kind is described.

Pure: no Django, no tables. A rule set is a list of steps in plain JSON, each
``{"rule": code, ...parameters}``; any step may have ``"off": true`` and a ``note``.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from processing.rules.facts import NO_FACTS, Facts
from processing.rules.parameters import Parameter
from processing.rules.size import CELL_TOO_LONG, RECORD_TOO_LONG, Sizes, lengths_of, too_long
from records.json_text import json_text

Step = dict[str, Any]


class Absent:
    """Stands for a cell that a row does not have, as opposed to one that is empty."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent()


def is_missing(cell: object) -> bool:
    """Whether a cell says nothing: absent, null, empty or blank."""
    return cell is ABSENT or cell is None or (isinstance(cell, str) and not cell.strip())


def as_text(cell: Any) -> str:
    """A cell as text: text as it is, anything else as its JSON."""
    return cell if isinstance(cell, str) else json_text(cell)


@dataclass(slots=True)
class Batch:
    """Rows in work: the columns that steps have looked at, and what was found in each row.

    ``errors`` and ``repairs`` hold a list for those rows (by their place) that have any: errors
    are {rule, column, value, message}, repairs are {rule, column, before, after}. ``anomalies``
    are sentences. ``rule`` is the code of the step at work.
    """

    rows: Sequence[Mapping[str, Any]]
    now: float = 0.0
    facts: Facts = NO_FACTS
    # The ids of the records, where steps compare them with others.
    ids: Sequence[str] = ()
    # Columns are replaced, never written into.
    columns: dict[str, list[Any]] = field(default_factory=dict)
    # Columns that a step has made, and columns of the rows that are no more.
    made: set[str] = field(default_factory=set)
    dropped: set[str] = field(default_factory=set)
    # Where it is not None, no other columns of the rows are left.
    kept: frozenset[str] | None = None
    # Which columns of the rows have another name by now.
    renamed: dict[str, str] = field(default_factory=dict)
    errors: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    repairs: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    anomalies: dict[int, list[str]] = field(default_factory=dict)
    rule: str = ""
    sizes: Sizes = field(init=False)

    def __post_init__(self) -> None:
        self.sizes = Sizes(len(self.rows))

    def cells(self, name: str) -> list[Any]:
        """The current cells of a column, as a new list; ABSENT where a row has none."""
        if name not in self.columns:
            if name in self.dropped or (self.kept is not None and name not in self.kept):
                return [ABSENT] * len(self.rows)
            self.columns[name] = [row.get(name, ABSENT) for row in self.rows]
        return self.columns[name].copy()

    def put(self, name: str, cells: Sequence[object]) -> None:
        """Cells in the place of those of a column; ABSENT takes a cell out of its row.

        A cell that is too long, or makes its record too large, is dropped, and the row fails.
        Raises BatchTooLarge.
        """
        lengths = lengths_of(cells)
        if places := too_long(lengths):
            cells = self._without(cells, places, name, CELL_TOO_LONG)
            lengths = lengths_of(cells)
        if places := self.sizes.put(name, lengths):
            cells = self._without(cells, places, name, RECORD_TOO_LONG)
            self.sizes.put(name, lengths_of(cells))
        self.columns[name] = list(cells)
        self.made.add(name)

    def _without(
        self, cells: Sequence[object], places: Iterable[int], name: str, message: str
    ) -> list[object]:
        left = list(cells)
        for place in places:
            self.fail(place, name, message)
            left[place] = None
        return left

    def drop(self, name: str) -> None:
        """Take a column out of the rows."""
        self.columns.pop(name, None)
        self.sizes.drop(name)
        self.made.discard(name)
        self.dropped.add(name)

    def keep(self, names: Iterable[str]) -> None:
        """Take all other columns out of the rows."""
        wanted = frozenset(names)
        self.kept = (wanted if self.kept is None else self.kept & wanted) - self.dropped
        self.made &= wanted
        for name in self.columns.keys() - wanted:
            del self.columns[name]
            self.sizes.drop(name)

    def name_now(self, name: str) -> str:
        """The name that a column of the rows has by now."""
        return self.renamed.get(name, name)

    def fail(self, place: int, column: str, message: str, *, value: object = ABSENT) -> None:
        """The row fails by a cell. A cell fails once: what it fails by first is said.

        ``message`` goes on where the name of the column ends: "is missing".
        """
        found = self.errors.setdefault(place, [])
        if all(error["column"] != column for error in found):
            value = None if value is ABSENT else value
            found.append({"rule": self.rule, "column": column, "value": value, "message": message})

    def has_failed(self, place: int, column: str) -> bool:
        """Whether a cell has failed already."""
        return any(error["column"] == column for error in self.errors.get(place, ()))

    def repair(self, place: int, column: str, before: object, after: object) -> None:
        """Write down that a cell was not usable, and what was put in its place."""
        before = None if before is ABSENT else before
        repair = {"rule": self.rule, "column": column, "before": before, "after": after}
        self.repairs.setdefault(place, []).append(repair)
        self.sizes.note(place, before)

    def is_repaired(self, place: int, column: str) -> bool:
        """Whether a step put something in the place of a cell that was not usable."""
        return any(repair["column"] == column for repair in self.repairs.get(place, ()))


def _never(step: Step) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of steps: what it is called, what it takes, and the function that carries it out.

    ``apply`` takes a step whose parameters are all there. ``describe`` says in words what such a
    step does. ``conflict`` says what is wrong with parameters that are right one by one, as a
    sentence; None if nothing is. ``facts`` names the facts that the step asks for: "middles" or
    "repeats" of the whole source, or "tables" of others.
    """

    code: str
    title: str
    summary: str
    parameters: tuple[Parameter, ...]
    apply: Callable[[Batch, Step], None]
    describe: Callable[[Step], str]
    conflict: Callable[[Step], str | None] = _never
    facts: str = ""

    def complete(self, step: Mapping[str, Any]) -> Step:
        """The step with the parameters that it leaves out."""
        return {p.name: step.get(p.name, p.default) for p in self.parameters}

    def columns(self, step: Mapping[str, Any]) -> list[str]:
        """The columns that the step names."""
        full = self.complete(step)
        return [
            name
            for parameter in self.parameters
            if full[parameter.name]
            for name in parameter.columns_in(full[parameter.name])
        ]


def replace_failing(
    batch: Batch,
    name: str,
    failing: Iterable[tuple[int, str]],
    *,
    on_failure: str,
    default: object = None,
) -> None:
    """Handle the cells that fail a check, given by place and message.

    ``on_failure`` is ``fail`` (the row fails), ``empty`` (the cell becomes null) or ``default``;
    the latter two are written down as repairs.
    """
    found = list(failing)
    if not found:
        return
    cells = batch.cells(name)
    if on_failure == "fail":
        for place, message in found:
            batch.fail(place, name, message, value=cells[place])
        return
    after = default if on_failure == "default" else None
    for place, _ in found:
        batch.repair(place, name, cells[place], after)
        cells[place] = after
    batch.put(name, cells)


def filled(batch: Batch, name: str) -> Iterator[tuple[int, Any]]:
    """The cells of a column that say something and have not failed, with their places."""
    for place, cell in enumerate(batch.cells(name)):
        if not is_missing(cell) and not (batch.errors and batch.has_failed(place, name)):
            yield place, cell


def listed(names: Sequence[str], word: str = "and") -> str:
    """Names in words: 'a', 'b' and 'c'."""
    return in_words([repr(name) for name in names], word)


def in_words(things: Sequence[str], word: str = "and") -> str:
    """Things in a sentence: a, b and c."""
    return f" {word} ".join(filter(None, [", ".join(things[:-1]), *things[-1:]]))


def counted(count: int, noun: str) -> str:
    """A number of things: 1 letter, 3 letters."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
